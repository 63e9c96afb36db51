// Language models from end to end: train, evaluate and generate at every level; resuming in the middle of a text; bad input.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interrupted } from '../../lib/cli/context.ts';
import { Random } from '../../lib/data/random.ts';
import { loadCheckpoint, saveCheckpoint } from '../../lib/io/index.ts';
import { dist, start } from '../spawn.ts';
import { cli, cliWith } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-language-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** Sentences that follow a pattern with some freedom. */
function sentences(count: number): string {
  const random = new Random(1);
  const one = (words: string) => words.split(' ')[random.below(words.split(' ').length)] ?? '';
  return Array.from(
    { length: count },
    () => `${one('Ann Bob Cleo Dan')} ${one('reads writes burns')} ${one('a the no')} ${one('book letter poem')}.\n`,
  ).join('');
}

const text = path('text.txt');
const model = path('char.safetensors');
const small = [
  '--hidden-size',
  '32',
  '--embedding-size',
  '8',
  '--batch-size',
  '4',
  '--steps',
  '20',
  '--dropout',
  '0.1',
];
const train = (...options: string[]) => cli('train', 'language-model', '--data', text, ...small, ...options);
let printed: Awaited<ReturnType<typeof cli>>;

beforeAll(async () => {
  writeFileSync(text, sentences(300));
  printed = await train('--epochs', '6', '--lr', '0.02', '--validation', '0.1', '--out', model);
}, 60_000);

describe('train and evaluate', () => {
  test('says what it reads, beats counting, and measures a saved model the same', async () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toMatch(/text\.txt: [\d,]+ characters to train, [\d,]+ to test, \d+ different characters/);
    const [, nats] = /^test +(\S+) nats per character/m.exec(printed.stdout) ?? [];
    const [, pairs] = /pairs (\S+) nats/.exec(printed.stdout) ?? [];
    expect(Number(nats)).toBeLessThan(0.5 * Number(pairs));
    const evaluated = await cli('evaluate', model);
    expect(evaluated.stdout).toContain(`${nats} nats per character, perplexity`);
    const json = JSON.parse((await cli('evaluate', model, '--data', text, '--split', 'test', '--json')).stdout);
    expect(json.nats.toFixed(4)).toBe(nats);
    expect(json).toMatchObject({ level: 'char', unknown: 0, perplexity: Math.exp(json.nats) });
    expect(json.bitsPerCharacter).toBeCloseTo(json.nats / Math.LN2, 12);
  });

  test('fovea summary describes it', async () => {
    const { stdout } = await cli('summary', model);
    expect(stdout).toMatch(/^recurrent +LSTM +\[16, 1, 32\] +5,376 +81,920 /m); // 4 * 32 (8 + 32) + 2 * 4 * 32
    expect(stdout).toMatch(/\n\nreading 16 characters\n$/);
  });

  test('names what the model has never seen', async () => {
    writeFileSync(path('strange.txt'), `${sentences(30)}Zoë reads.\n`);
    const { stdout, stderr } = await cli('evaluate', model, '--data', path('strange.txt'));
    expect(stderr).toMatch(/^note: \d\.\d\d % of the characters to test on are unknown, and predicted as such\n$/);
    expect(stdout).toMatch(/nats per character/);
  });

  test('words: a text of its own to test on, compressed', async () => {
    const other = path('other.txt.gz');
    writeFileSync(other, gzipSync(`${sentences(40)}Eve reads.\n`));
    const out = path('word.safetensors');
    const trained = await train('--level', 'word', '--test-data', other, '--epochs', '4', '--lr', '0.02', '--out', out);
    expect(trained).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('% of the words to test on are unknown'),
    });
    const nats = (part: RegExp) => Number(part.exec(trained.stdout)?.[1]);
    expect(nats(/^test +(\S+) nats per word, perplexity/m)).toBeLessThan(nats(/single words (\S+) nats/));
    expect((await cli('evaluate', out)).stdout).toContain(`(${other}, test)`);
    const written = await cli('generate', out, '--prompt', 'Bob Zoe', '--length', '30', '--seed', '4');
    expect(written.stderr).toBe('note: the model does not know "Zoe"\n');
    expect(written.stdout).toMatch(/^Bob Zoe/);
    expect(written.stdout).toMatch(/[a-z]\.\n[A-Z][a-z]+ [a-z]+ /);
  });

  test('lines: each a text of its own', async () => {
    const out = path('line.safetensors');
    const { code, stdout } = await train('--level', 'line', '--epochs', '6', '--lr', '0.02', '--out', out);
    expect(code).toBe(0);
    expect(stdout).toContain('270 lines to train, 30 to test');
    expect((await cli('evaluate', out)).stdout).toContain(/^test +(.*)$/m.exec(stdout)?.[1]);
    const written = await cli('generate', out, '--prompt', 'Ann', '--temperature', '0.5', '--length', '200');
    for (const line of written.stdout.split('\n').slice(0, -2)) expect(line).toMatch(/^[A-Z][a-z]+ [a-z]+ [a-z]+ /);
  });
});

describe('generate', () => {
  const generate = (...options: string[]) => cli('generate', model, ...options);

  test('goes on with the prompt, as the seed decides', async () => {
    const first = await generate('--prompt', 'Ann ', '--length', '60', '--seed', '3');
    expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Ann .{60}\n?$/s) });
    expect(await generate('--prompt', 'Ann ', '--length', '60', '--seed', '3')).toEqual(first);
    expect(await generate('--prompt', 'Ann ', '--length', '60', '--seed', '4')).not.toEqual(first);
    expect((await generate('--length', '5')).stdout).toMatch(/^.{5}\n?$/s);
  });

  test('temperature 0 and top-k 1 both take the likeliest', async () => {
    const cold = await generate('--temperature', '0', '--length', '80');
    expect(await generate('--top-k', '1', '--length', '80', '--seed', '8')).toEqual(cold);
    expect(await generate('--top-p', '1e-9', '--length', '80', '--seed', '9')).toEqual(cold);
  });

  test('refuses what it cannot read', async () => {
    expect(await generate('--prompt', 'Ánn 7')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/characters that the model knows, but got "Á", "7", which its text did not have/),
    });
    for (const wrong of [
      ['--temperature', '-1'],
      ['--top-k', '0'],
      ['--top-p', '2'],
      ['--length', 'x'],
    ]) {
      expect(await generate(...wrong)).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected a') });
    }
  });

  test('refuses models of another kind, and is refused by their commands', async () => {
    const digits = path('digits.safetensors');
    await cli('train', 'lenet5', '--limit', '50', '--epochs', '1', '--out', digits, '--quiet');
    expect(await cli('generate', digits)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("expected a language model that fovea saved, but got a model 'lenet5'"),
    });
    expect(await cli('classify', model, 'x.png')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('language-model'),
    });
  });

  test('Ctrl-C ends it, with what was written on a line of its own', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Interrupted()), 100);
    const { code, stdout, stderr } = await cliWith({ signal: controller.signal }, 'generate', model, '--length', '1e9');
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted\n' });
    expect(stdout).toMatch(/\n$/);
  });

  test('ends quietly when nobody reads on', async () => {
    const { child, ended } = start([dist('cli/main.js'), 'generate', model, '--length', '1e9']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('resuming', () => {
  test('a run killed in the middle of a text ends in the same file as one left alone', {
    timeout: 120_000,
  }, async () => {
    const options = ['--layers', '2', '--epochs', '2', '--checkpoint-every', '1', '--quiet'];
    const alone = path('alone');
    expect(await train(...options, '--out', alone)).toMatchObject({ code: 0 });
    const killed = path('killed');
    const main = dist('cli/main.js');
    const first = start([main, 'train', 'language-model', '--data', text, ...small, ...options, '--out', killed]);
    const step = () => (existsSync(killed) ? (loadCheckpoint(killed).training as { step: number }).step : 0);
    while (step() < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    first.child.kill('SIGKILL');
    await first.ended;
    const { training, carried } = loadCheckpoint(killed);
    expect(training).not.toMatchObject({ step: 0 });
    expect(Object.keys(carried ?? {}).sort()).toEqual(['c', 'h']);
    expect(await cli('train', '--resume', killed, '--quiet')).toMatchObject({ code: 0 });
    expect(readFileSync(killed).equals(readFileSync(alone))).toBe(true);
  });
});

describe('bad input', () => {
  test.each([
    ['no text', '', /expected a text, but got an empty one/],
    [
      'a text of one character',
      'a',
      /expected text of at least two characters for each of train, test, but got 0, 1\n/,
    ],
    [
      'a text shorter than a window of each row',
      'ab'.repeat(20),
      /bad\.txt: expected at least 96 characters to train on, because --batch-size is 32 and --steps 64, but got 36/,
    ],
    ['bytes that are not UTF-8', Buffer.from('ab\ncd\xff\n', 'latin1'), /bad\.txt:2: expected text in UTF-8/],
  ])('%s', async (_, content, message) => {
    writeFileSync(path('bad.txt'), content);
    const { code, stderr } = await cli('train', 'language-model', '--data', path('bad.txt'), '--out', path('bad'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
    expect(existsSync(path('bad'))).toBe(false);
  });

  test('a damaged description of the model', async () => {
    const { weights, model: info } = loadCheckpoint(model);
    const changed = async (change: object) => {
      const file = path('damaged.safetensors');
      await saveCheckpoint(file, { weights, model: { ...info!, options: { ...info!.options, ...change } } });
      return (await cli('generate', file)).stderr;
    };
    expect(await changed({ level: 'page' })).toMatch(/expected level to be one of char, word, line, but got page/);
    expect(await changed({ vocabulary: 3 })).toMatch(/expected a vocabulary/);
    expect(await changed({ hiddenSize: 1e9 })).toMatch(/expected hiddenSize from 1 to 65536, but got 1000000000/);
    expect(await changed({ hiddenSize: 31 })).toMatch(/loadStateDict: expected a state/);
    expect(await changed({ cell: 'tree' })).toMatch(/expected cell to be lstm, gru or rnn, but got tree/);
  });
});
