// Both callers of every kernel lay the same call out for the binary.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type Caller, callerOf, compiledCaller, plainCaller } from '../../lib/kernels/caller.ts';
import { layouts } from '../../lib/kernels/layout.ts';

describe('callers', () => {
  for (const layout of layouts.values()) {
    it(`of ${layout.name} pass fields and buffers in the order of the list`, () => {
      const shape = Object.fromEntries(layout.fields.map((field, i) => [field, 10 + i]));
      const buffers = Object.fromEntries(layout.names.map((name, i) => [name, new Float32Array(i)]));
      const packed = new Float32Array(99);
      const arguments_ = (caller: Caller) => {
        let given: unknown[] = [];
        caller.run(
          (...all) => (given = [all[0], Array.from(all[1]), ...all.slice(2)]),
          caller.values,
          shape,
          buffers,
          packed,
        );
        return given;
      };
      const memories = layout.names.map((name) => buffers[name]);
      const expected = [
        layout.index,
        layout.fields.map((_, i) => 10 + i),
        ...memories,
        ...(layout.packs.length > 0 ? [packed] : []),
      ];
      expect(arguments_(compiledCaller(layout))).toEqual(expected);
      expect(arguments_(plainCaller(layout))).toEqual(expected);
      expect(arguments_(callerOf(layout))).toEqual(expected);
    });
  }

  it('do without code where the process forbids making it', () => {
    const code =
      'try { new Function("return 1")() } catch (error) { process.stdout.write(String(error instanceof EvalError)) }';
    const { stdout } = spawnSync(process.execPath, ['--disallow-code-generation-from-strings', '-e', code]);
    expect(stdout.toString()).toBe('true');
  });
});
