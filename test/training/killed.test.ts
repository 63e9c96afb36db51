// A run that is killed, at any moment and again and again, and resumed each time, ends as one that was left alone.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../lib/io/index.ts';
import { root, start } from '../spawn.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-killed-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Log lines without times. */
const log = (file: string) =>
  readFileSync(`${file}.log`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), seconds: 0, perSecond: 0 }));

describe('SIGKILL', () => {
  test.each([
    ['killed.mjs', 2],
    ['killed-recurrent.mjs', 1],
  ])('and resuming end in the same file, byte for byte: %s', { timeout: 240_000 }, async (script, trials) => {
    const train = (file: string) => start([join(root, 'test/training', script), file]);
    const alone = join(directory, `${script} alone`);
    const begun = performance.now();
    expect(await train(alone).ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Error') });
    const whole = performance.now() - begun;
    const expected = readFileSync(alone);
    expect(loadCheckpoint(alone).training).toMatchObject({ epoch: 4, step: 0 });

    const moments: string[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const file = join(directory, `${script} killed${trial}`);
      for (let kills = 0; ; kills++) {
        const { child, ended } = train(file);
        // Most of the time of a process goes into its start: count from its first step.
        if (kills < 6) {
          await Promise.race([new Promise((resolve) => child.stdout?.once('data', resolve)), ended]);
          await setTimeout(Math.random() * whole * 0.25);
          child.kill('SIGKILL');
        }
        const { code, signal, stderr } = await ended;
        if (code === 0) break;
        expect(`${signal} ${stderr}`).toMatch(/^SIGKILL (fovea: running .*\n)?$/);
        if (!existsSync(file)) continue;
        const { epoch, step } = loadCheckpoint(file).training as { epoch: number; step: number };
        moments.push(`${epoch}.${step}`);
      }
      expect(readFileSync(file).equals(expected), `killed at epoch.step ${moments.join(', ')}`).toBe(true);
      expect(log(file)).toEqual(log(alone));
    }
    console.log(`${script}, killed at epoch.step ${moments.join(', ')}: same bytes`);
    expect(new Set(moments.filter((moment) => !moment.endsWith('.0'))).size).toBeGreaterThan(0);
    expect(readdirSync(directory).filter((name) => name.endsWith('.tmp')).length).toBeLessThanOrEqual(12);
  });
});
