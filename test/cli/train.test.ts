// train, classify and evaluate from end to end on the built-in digits; Ctrl-C, resuming, and data that does not fit.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interrupted } from '../../lib/cli/context.ts';
import { builtinDigits, saveImage } from '../../lib/data/index.ts';
import { loadCheckpoint, writeSafetensors } from '../../lib/io/index.ts';
import { fromArray, rand, type Tensor } from '../../lib/tensor/index.ts';
import { dist, fovea, start } from '../spawn.ts';
import { cli, cliWith } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-train-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);
const trained = path('trained.safetensors');
const small = ['--limit', '2000', '--epochs', '4'];
let printed: Awaited<ReturnType<typeof cli>>;

beforeAll(async () => {
  printed = await cli('train', 'lenet5', ...small, '--out', trained, '--log', path('log.jsonl'), '--validation', '0.1');
}, 240_000);

/** A digit enlarged, with its grey values changed by `colour`, as three channels where `colour` gives three. */
function picture(digit: Tensor, colour: (ink: number) => readonly number[]): Tensor {
  const [side, factor] = [28, 5];
  const big = side * factor;
  const channels = colour(0).length;
  const data = new Float32Array(channels * big * big);
  for (let p = 0; p < big * big; p++) {
    const ink = digit.floats[Math.floor(p / big / factor) * side + Math.floor((p % big) / factor)] ?? 0;
    for (const [c, value] of colour(ink).entries()) data[c * big * big + p] = value;
  }
  return fromArray(data, [channels, big, big]);
}

describe('train', () => {
  test('says what it does, learns, and saves', () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const lines = printed.stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^backend {2}(native \w+, \d+ threads?|reference)$/);
    expect(lines[1]).toBe('data     built-in digits: 2,000 to train, 2,000 to test');
    expect(lines.filter((line) => line.startsWith('epoch '))).toHaveLength(4);
    expect(lines.at(-3)).toMatch(
      /^epoch 4\/4 {2}loss \S+ {2}accuracy \S+ % {2}validation loss \S+ {2}validation accuracy /,
    );
    const accuracy = Number(/^test +accuracy (\S+) %/m.exec(printed.stdout)?.[1]);
    expect(accuracy).toBeGreaterThan(75);
    expect(lines.at(-1)).toBe(`saved    ${trained}`);
    expect(
      readFileSync(path('log.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).epoch),
    ).toEqual([1, 2, 3, 4]);
    expect(loadCheckpoint(trained).model).toMatchObject({ architecture: 'lenet5', classes: [...'0123456789'] });
  });

  test('the same seed gives the same file, another another', async () => {
    const options = ['--limit', '200', '--epochs', '1', '--quiet', '--out'];
    for (const [name, ...seed] of [['a'], ['b'], ['c', '--seed', '2']]) {
      const { stdout } = await cli('train', 'lenet5', ...options, path(name ?? ''), ...seed);
      expect(stdout).toMatch(/^test .*\nsaved .*\n$/);
    }
    expect(readFileSync(path('a')).equals(readFileSync(path('b')))).toBe(true);
    expect(readFileSync(path('a')).equals(readFileSync(path('c')))).toBe(false);
  });

  test('interrupted it saves, ends with 130, and goes on to the same end', async () => {
    const options = ['--limit', '600', '--epochs', '3', '--checkpoint-every', '4'];
    await cli('train', 'lenet5', ...options, '--out', path('whole'));
    const controller = new AbortController();
    const running = cliWith({ signal: controller.signal }, 'train', 'lenet5', ...options, '--out', path('cut'));
    while (!existsSync(path('cut'))) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new Interrupted());
    const { code, stderr, stdout } = await running;
    expect(code).toBe(130);
    expect(stderr).toBe(`saved ${path('cut')}; fovea train --resume ${path('cut')} goes on from there\ninterrupted\n`);
    expect(stdout).not.toContain('test ');
    expect(loadCheckpoint(path('cut')).training).not.toMatchObject({ epoch: 3 });
    expect(await cli('train', '--resume', path('cut'))).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(path('cut')).equals(readFileSync(path('whole')))).toBe(true);
  });

  test('a resumed run is the same run: what the command line repeats must agree', async () => {
    const differ = await cli('train', 'lenet5', '--resume', trained, '--seed', '7');
    expect(differ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/expected --seed to be 1, because .* but got 7/),
    });
    const model = await cli('train', 'lenet5-1998', '--resume', trained);
    expect(model).toMatchObject({ code: 2, stderr: expect.stringContaining('expected model to be lenet5') });
    const done = await cli('train', 'lenet5', '--resume', trained, ...small, '--quiet');
    expect(done.stdout).toBe(printed.stdout.slice(printed.stdout.indexOf('test ')));
    await writeSafetensors(path('foreign'), {});
    expect(await cli('train', '--resume', path('foreign'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('without its settings'),
    });
  });

  test('Ctrl-C in a real process: code 130 and a file to go on with', async () => {
    const out = path('process');
    const { child, ended } = start([
      dist('cli/main.js'),
      'train',
      'lenet5',
      '--epochs',
      '50',
      '--checkpoint-every',
      '5',
      '--out',
      out,
    ]);
    while (!existsSync(out)) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/saved .*\ninterrupted\n$/) });
    expect(loadCheckpoint(out).training).toMatchObject({ epoch: expect.any(Number), step: expect.any(Number) });
  });
});

describe('classify', () => {
  const digits = builtinDigits({ count: 10, seed: 9 });
  const ways: Record<string, (ink: number) => number[]> = {
    'light.png': (ink) => [ink],
    'dark.jpg': (ink) => [1 - ink],
    'colour.png': (ink) => [0.9 - 0.8 * ink, 0.8 - 0.1 * ink, 0.2 + 0.3 * ink],
  };

  test('says what pictures show, whatever their colour', async () => {
    const { inputs, targets } = digits.batch(Array.from({ length: 10 }, (_, i) => i));
    let right = 0;
    for (const [name, colour] of Object.entries(ways)) {
      const files: string[] = [];
      for (let i = 0; i < 10; i++) {
        files.push(path(`${i}-${name}`));
        await saveImage(picture(inputs.slice(0, i, i + 1), colour), files[i] ?? '');
      }
      const { code, stdout } = await cli('classify', trained, ...files, '--json', '--top', '3');
      expect(code).toBe(0);
      const results: { file: string; predictions: { class: string; probability: number }[] }[] = JSON.parse(stdout);
      expect(results.map(({ file }) => file)).toEqual(files);
      for (const [i, { predictions }] of results.entries()) {
        expect(predictions).toHaveLength(3);
        const shares = predictions.map(({ probability }) => probability);
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
        if (predictions[0]?.class === String(targets.ints[i])) right++;
      }
    }
    expect(right).toBeGreaterThanOrEqual(22); // of 30, by a net that has seen 2,000 digits for a moment
  });

  test('for people: the file and its five best classes', async () => {
    const { stdout } = await cli('classify', trained, path('3-light.png'));
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(path('3-light.png'));
    expect(lines.slice(1)).toHaveLength(5);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ +\d+\.\d\d % {2}\d$/);
  });

  test('--invert yes and no differ', async () => {
    const [yes, no] = await Promise.all(
      ['yes', 'no'].map((when) => cli('classify', trained, path('3-light.png'), '--invert', when)),
    );
    expect(yes?.stdout).not.toBe(no?.stdout);
  });

  test('what is no picture is named', async () => {
    writeFileSync(path('text.png'), 'no picture');
    for (const name of ['text.png', 'missing.png']) {
      const { code, stderr } = await cli('classify', trained, path(name));
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: [^\n]+\n$/);
      expect(stderr).toContain(path(name));
    }
  });
});

describe('evaluate', () => {
  test('agrees with the end of training', async () => {
    const { code, stdout } = await cli('evaluate', trained, '--json');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    const accuracy = Number(/^test +accuracy (\S+) %/m.exec(printed.stdout)?.[1]);
    expect(100 * result.accuracy).toBeCloseTo(accuracy, 2);
    expect(result.accuracy + result.error).toBeCloseTo(1, 12);
    expect(result.samples).toBe(2000);
    const hits = result.classes.reduce(
      (sum: number, { predicted }: { predicted: number[] }, c: number) => sum + (predicted[c] ?? 0),
      0,
    );
    expect(hits).toBe(Math.round(2000 * result.accuracy));
  });

  test('prints the confusion matrix', async () => {
    const { stdout } = await cli('evaluate', trained);
    expect(stdout).toMatch(
      /^2,000 pictures \(builtin, test\)\naccuracy \S+ %, error \S+ %, loss \S+, macro F1 0\.\d{4}\n/,
    );
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .slice(-10)
        .every((line) => line.trim().split(/\s+/).length === 14),
    ).toBe(true);
  });
});

describe('summary of a file', () => {
  test('is that of its architecture', async () => {
    expect((await cli('summary', trained)).stdout).toBe((await cli('summary', 'lenet5')).stdout);
  });

  test('without a description, or with an unknown or wrong one, is refused', async () => {
    await writeSafetensors(path('bare'), { w: rand([2]) });
    expect((await cli('summary', path('bare'))).stderr).toContain("but got tensors without a model's description");
    await writeSafetensors(path('other'), {}, { architecture: 'lenet7', inputShape: '[1]' });
    expect((await cli('summary', path('other'))).stderr).toMatch(
      /expected a model that is one of lenet5, .*, but got 'lenet7'/,
    );
    await writeSafetensors(path('other'), {}, { architecture: 'lenet7', inputShape: '[1,28,28]' });
    expect(await cli('summary', path('other'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/other: expected a model that is one of lenet5, .*, but got 'lenet7'\n$/),
    });
    expect((await cli('classify', path('other'), 'a.png')).stderr).toContain(
      "expected a model of pictures that fovea saved, but got a model 'lenet7'",
    );
    await writeSafetensors(path('less'), {}, { architecture: 'lenet5', inputShape: '[1,28,28]' });
    expect(await cli('summary', path('less'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/less: loadStateDict: .*missing: conv1\.weight/),
    });
  });
});

describe('other data', () => {
  async function folder(name: string, classes: readonly string[], count: number) {
    for (const [i, label] of classes.entries()) {
      mkdirSync(path(join(name, label)), { recursive: true });
      for (let n = 0; n < count; n++)
        await saveImage(
          rand([3, 40, 30], { seed: 100 * i + n, high: (i + 1) / classes.length }),
          path(join(name, label, `${n}.png`)),
        );
    }
  }

  test('a directory per class: the model gets as many outputs, and the file their names', async () => {
    await folder('shades', ['dark', 'light'], 15);
    const { code, stdout, stderr } = await cli(
      'train',
      'lenet5',
      '--data',
      path('shades'),
      '--epochs',
      '8',
      '--batch-size',
      '8',
      '--lr',
      '0.002',
      '--no-augment',
      '--out',
      path('shades.safetensors'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('27 to train, 3 to test');
    const { stdout: seen } = await cli(
      'classify',
      path('shades.safetensors'),
      path('shades/light/0.png'),
      '--invert',
      'no',
      '--json',
    );
    const [{ predictions }] = JSON.parse(seen);
    expect(predictions.map(({ class: name }: { class: string }) => name)).toEqual(['light', 'dark']);
  });

  test('train/ and test/, each with directories', async () => {
    await folder('parts/train', ['a', 'b'], 4);
    await folder('parts/test', ['a', 'b'], 2);
    const { stdout } = await cli(
      'train',
      'lenet5',
      '--data',
      path('parts'),
      '--epochs',
      '1',
      '--out',
      path('parts.safetensors'),
    );
    expect(stdout).toContain('8 to train, 4 to test');
  });

  test('classes are told by their names, whichever directories there are', async () => {
    await folder('shades all/train', ['dark', 'light'], 8);
    await folder('shades all/test', ['light'], 5);
    const file = path('names.safetensors');
    await cli(...['train', 'lenet5', '--data', path('shades all'), '--epochs', '1', '--out', file]);
    const { code, stdout } = await cli('evaluate', file, '--data', path('shades all'), '--json');
    const { classes } = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(classes).toMatchObject([
      { name: 'dark', samples: 0 },
      { name: 'light', samples: 5 },
    ]);
    await folder('strange', ['dark', 'grey'], 5);
    expect(await cli('evaluate', file, '--data', path('strange'))).toMatchObject({
      code: 1,
      stderr: `error: data: expected classes that ${file} knows (dark, light), but got grey\n`,
    });
  });

  test('pictures that cannot be read are left out, aloud', async () => {
    await folder('damaged', ['a', 'b'], 8);
    writeFileSync(path('damaged/a/empty.png'), '');
    writeFileSync(path('damaged/b/text.jpg'), 'no picture');
    const out = path('damaged.safetensors');
    const { code, stdout, stderr } = await cli(
      'train',
      'lenet5',
      '--data',
      path('damaged'),
      '--epochs',
      '1',
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('14 to train, 2 to test');
    expect(stderr).toMatch(/^note: 2 pictures were left out; the first: .*empty\.png.*\n$/);
  });

  test('classes the model does not know, and pictures of another size, are refused', async () => {
    await folder('many', [...'abcdefghijkl'], 2);
    const classes = await cli('evaluate', trained, '--data', path('many'), '--split', 'train');
    expect(classes).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected classes that .* knows \(0, 1, .*, 9\), but got a, b, /),
    });
    mkdirSync(path('idx'));
    const header = (type: number, ...shape: number[]) =>
      Buffer.from([0, 0, 8, type, ...shape.flatMap((side) => [0, 0, 0, side])]);
    for (const part of ['train', 't10k']) {
      writeFileSync(path(`idx/${part}-images-idx3-ubyte`), Buffer.concat([header(3, 4, 20, 20), Buffer.alloc(1600)]));
      writeFileSync(path(`idx/${part}-labels-idx1-ubyte`), Buffer.concat([header(1, 4), Buffer.from([0, 1, 2, 3])]));
    }
    const size = await cli('train', 'lenet5', '--data', path('idx'), '--out', path('never'));
    expect(size).toMatchObject({
      code: 1,
      stderr: 'error: data: expected pictures [1, 28, 28], because lenet5 takes such, but got [1, 20, 20]\n',
    });
    expect(existsSync(path('never'))).toBe(false);
  });
});

describe('on the reference backend', () => {
  test('the losses of the first steps agree with the other backend', async () => {
    const losses = async (name: string, env: NodeJS.ProcessEnv) => {
      const options = [
        '--limit',
        '320',
        '--epochs',
        '2',
        '--lr',
        '0.0005',
        '--out',
        path(name),
        '--log',
        path(`${name}.jsonl`),
      ];
      expect(await fovea(['train', 'lenet5', ...options], env)).toMatchObject({ code: 0 });
      const rows = readFileSync(path(`${name}.jsonl`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      return rows.map(({ loss }) => loss as number);
    };
    const reference = await losses('reference', { FOVEA_BACKEND: 'reference' });
    const chosen = await losses('chosen', {});
    const resumed = await fovea(['train', '--resume', path('reference'), '--quiet']);
    const { stdout } = await fovea(['info', '--json']);
    const note = 'note: begun on reference, resumed on native';
    expect(resumed.stderr.includes(note)).toBe(JSON.parse(stdout).backend === 'native');
    for (const [i, loss] of reference.entries()) expect(Math.abs((chosen[i] ?? 0) / loss - 1)).toBeLessThan(1e-3);
  });
});
