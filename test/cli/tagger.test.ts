// train tagger, evaluate and tag from end to end on small data: every format, interrupting and resuming, and wrong input.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interrupted } from '../../lib/cli/context.ts';
import { run } from '../../lib/cli/program.ts';
import { loadCheckpoint } from '../../lib/io/index.ts';
import { cli, cliWith } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-tagger-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

function folder(name: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(path(name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path(name), file), text);
  return path(name);
}

/** CoNLL-U of sentences such as `the/DET cat/NOUN`. */
const conllu = (sentences: readonly string[]) =>
  sentences
    .map((sentence) =>
      sentence
        .split(' ')
        .map((pair, i) => {
          const [word = '', tag = ''] = pair.split('/');
          return `${i + 1}\t${word}\t${word}\t${tag}\t${tag[0]}\t_\t_\t_\t_\t_\n`;
        })
        .join(''),
    )
    .join('\n');

const nouns = ['cat', 'dog', 'bird', 'tree', 'house', 'king', 'stone', 'river'];
const verbs = ['sees', 'likes', 'finds', 'wants', 'makes', 'takes'];
const speech = nouns.flatMap((noun, i) =>
  verbs.map((verb, j) => `the/DET ${noun}/NOUN ${verb}/VERB a/DET ${nouns[(i + j) % nouns.length]}/NOUN ./PUNCT`),
);
const small = ['--hidden-size', '16', '--epochs', '3', '--lr', '0.02', '--batch-size', '8'];
const treebank = folder('treebank', {
  'x-train.conllu': conllu(speech),
  'x-dev.conllu': conllu(speech.slice(0, 5)),
  // Of seven words one is unknown, and of the others one is tagged as no king is.
  'x-test.conllu': conllu(['the/DET king/VERB sees/VERB a/DET lamp/NOUN', 'a/DET dog/NOUN']),
});
const model = path('pos.safetensors');
let printed: Awaited<ReturnType<typeof cli>>;

beforeAll(async () => {
  printed = await cli('train', 'tagger', '--data', treebank, ...small, '--out', model);
}, 60_000);

describe('train tagger', () => {
  test('says what it does, learns, and saves', () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toContain(`data     ${treebank}: 48 sentences to train, 5 for validation, 2 to test\n`);
    expect(printed.stdout).toContain('17 different words, 4 tags\n');
    expect(printed.stdout).toMatch(/^epoch 3\/3 .*validation accuracy 100\.00 %/m);
    expect(printed.stdout).toMatch(/^test +accuracy \d\d\.\d\d %, of unknown words \d+\.\d\d %$/m);
    expect(loadCheckpoint(model).model).toMatchObject({
      architecture: 'tagger',
      options: { hiddenSize: 16, column: 'upos' },
    });
  });

  test('fovea summary describes it', async () => {
    const { stdout } = await cli('summary', model);
    expect(stdout).toMatch(/^lstm +LSTM +\[5, 1, 32\] /m);
    expect(stdout).toMatch(/^tag +Linear +\[5, 1, 4\] +132 /m);
    expect(stdout).toMatch(/^detail +Linear +not called /m); // learnt with the tags, but never asked
    expect(stdout).toMatch(/\n\nreading a sentence of 5 words\n$/);
  });

  test('interrupted and resumed, it ends with the same file, bit for bit', async () => {
    const out = path('resumed.safetensors');
    const controller = new AbortController();
    const options = [
      'train',
      'tagger',
      '--data',
      treebank,
      ...small,
      '--out',
      out,
      '--checkpoint-every',
      '1',
      '--quiet',
    ];
    const running = cliWith({ signal: controller.signal }, ...options);
    while (!loadedStep(out)) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new Interrupted());
    expect(await running).toMatchObject({ code: 130 });
    expect(readFileSync(out).equals(readFileSync(model))).toBe(false);
    expect(await cli('train', '--resume', out, '--quiet')).toMatchObject({ code: 0 });
    const weights = (file: string) =>
      Object.entries(loadCheckpoint(file).weights).map(([name, { data }]) => [name, [...data]]);
    expect(weights(out)).toEqual(weights(model));
  });

  test('begins with word vectors where asked to', async () => {
    const vectors = path('vectors.txt');
    writeFileSync(vectors, 'king 1 2 3\nthe 4 5 6\nzebra 7 8 9\n');
    const out = path('vectors.safetensors');
    const options = ['--data', treebank, '--vectors', vectors, '--lr', '1e-9', '--epochs', '1', '--out', out];
    const { code, stdout } = await cli('train', 'tagger', ...options);
    expect(code).toBe(0);
    expect(stdout).toContain('2 words begin with their vectors');
    const { weights, model: info } = loadCheckpoint(out);
    const words: string[] = Reflect.get(Object(info?.options), 'vocabularies').words.words;
    const row = 2 + words.indexOf('king');
    expect(weights['embedding.weight']?.shape).toEqual([19, 3]);
    expect(weights['embedding.weight']?.floats[row * 3 + 2]).toBeCloseTo(3, 5);
    expect((await cli('tag', out, 'the king')).code).toBe(0);
  });

  test('reads columns; BIO tags are given a CRF', async () => {
    const text = 'Ada B-PER\nLovelace I-PER\nlives O\nin O\nParis B-LOC\n. O\n\nBob B-PER\nsleeps O\n. O\n\n'.repeat(
      20,
    );
    const data = folder('names', { 'eng.train': `-DOCSTART- O\n\n${text}`, 'eng.testb': text });
    const out = path('names.safetensors');
    const { code, stdout } = await cli('train', 'tagger', '--data', data, ...small, '--out', out);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test +accuracy 100\.00 %, F1 100\.00 %$/m);
    expect(loadCheckpoint(out).model?.options).toMatchObject({ crf: true });
    const { stdout: json } = await cli('tag', out, '--json', 'Ada Lovelace lives in Paris.');
    expect(JSON.parse(json)).toEqual({
      words: ['Ada', 'Lovelace', 'lives', 'in', 'Paris', '.'],
      tags: ['B-PER', 'I-PER', 'O', 'O', 'B-LOC', 'O'],
      spans: [
        { type: 'PER', begin: 0, end: 2, text: 'Ada Lovelace' },
        { type: 'LOC', begin: 4, end: 5, text: 'Paris' },
      ],
    });
  });

  test('reads intents with their slots, and learns both', async () => {
    const lines = (line: string, other: string) => `${line}\n${other}\n`.repeat(30);
    const parts = (part: string) => ({
      [`${part}.seq.in`]: lines('play some jazz', 'book a table'),
      [`${part}.seq.out`]: lines('O O B-genre', 'O O O'),
      [`${part}.label`]: lines('Play', 'Book'),
    });
    const data = folder('intents', { ...parts('train'), ...parts('test') });
    const out = path('intents.safetensors');
    const { stdout } = await cli('train', 'tagger', '--data', data, ...small, '--out', out);
    expect(stdout).toMatch(/^test +accuracy 100\.00 %, F1 100\.00 %, intents 100\.00 %$/m);
    expect((await cli('tag', out, 'play', 'some', 'jazz')).stdout).toBe(
      '# intent = Play\nplay\tO\nsome\tO\njazz\tB-genre\n\n',
    );
    const { stdout: table } = await cli('evaluate', out, '--data', data);
    expect(table).toContain('60 sentences, 180 words');
    expect(table).toMatch(/intents +100\.00 % of 60/);
    expect(table).toMatch(/^genre +100\.00 % +100\.00 % +100\.00 % +30$/m);
  });

  test.each([
    ['no data', [], 2, 'train: expected --data'],
    ['a directory that is not there', ['--data', 'none'], 1, 'which does not exist'],
    ['a directory of nothing', ['--data', folder('empty', {})], 1, 'which holds none'],
    [
      'a directory without a training part',
      ['--data', folder('no', { 'x-test.conllu': conllu(speech) })],
      1,
      'called train',
    ],
    [
      'two training parts',
      ['--data', folder('two', { 'a-train.conllu': '', 'b-train.conllu': '' })],
      1,
      'one file called train',
    ],
    ['an empty part', ['--data', folder('nil', { 'x-train.conllu': '\n\n' })], 1, 'expected sentences, but got none'],
    [
      'a malformed line',
      ['--data', folder('bad', { 'x-train.conllu': '1\tx\n' })],
      1,
      'x-train.conllu:1: expected 10 columns',
    ],
    [
      'words without tags',
      ['--data', folder('un', { 'x-train.conllu': conllu(['a/_']) })],
      1,
      'x-train.conllu:1: expected UPOS',
    ],
    ['an unknown column', ['--data', treebank, '--tags', 'lemma'], 2, 'Expected one of upos, xpos, features.'],
  ])('refuses %s', async (_, options, code, message) => {
    const result = await cli('train', 'tagger', ...options, '--out', path('refused.safetensors'));
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });
});

describe('evaluate', () => {
  test('counts what it should on a file made by hand', async () => {
    const { stdout } = await cli('evaluate', model, '--data', treebank, '--json');
    const result = JSON.parse(stdout);
    // The model knows the king as a NOUN, which the file calls a VERB; what it makes of a lamp is its own affair.
    const lamp = result.unknownWords.accuracy;
    expect([0, 1]).toContain(lamp);
    expect(result).toMatchObject({
      sentences: 2,
      words: 7,
      accuracy: (5 + lamp) / 7,
      knownWords: { words: 6, accuracy: 5 / 6 },
      unknownWords: { words: 1 },
      sentenceAccuracy: 0.5,
    });
    expect(result.confusion.VERB).toEqual({ NOUN: 1, VERB: 1 });
    expect(result.confusion.DET).toEqual({ DET: 3 });
    expect(result.spans).toBeUndefined();
    const { stdout: text } = await cli('evaluate', model, '--data', join(treebank, 'x-test.conllu'));
    expect(text).toContain('2 sentences, 7 words');
    expect(text).toMatch(/^ {2}known +83\.33 % of 6$/m);
    expect(text).toMatch(/^VERB +NOUN +1$/m);
  });

  test('refuses tags that the model knows none of, and data that is not there', async () => {
    const other = folder('other', { 'x-test.conllu': conllu(['the/D cat/N']) });
    const { code, stderr } = await cli('evaluate', model, '--data', other);
    expect(code).toBe(1);
    expect(stderr).toContain(`expected tags that ${model} knows (DET, NOUN, VERB, PUNCT), but got D, N`);
    expect(await cli('evaluate', model)).toMatchObject({ code: 2 });
    expect(await cli('evaluate', model, '--data', path('none'))).toMatchObject({ code: 1 });
  });
});

describe('tag', () => {
  const tagWith = async (stdin: AsyncIterable<Uint8Array>, ...argv: string[]) => {
    const text: string[] = [];
    const errors: string[] = [];
    const output = (to: string[]) => ({ write: (part: string) => void to.push(part) });
    const code = await run(argv, { stdout: output(text), stderr: output(errors), stdin });
    return { code, text, stderr: errors.join('') };
  };

  async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield Buffer.from(part);
  }

  test('prints words and their tags', async () => {
    expect(await cli('tag', model, 'the king sees a Dog.')).toEqual({
      code: 0,
      stdout: 'the\tDET\nking\tNOUN\nsees\tVERB\na\tDET\nDog\tNOUN\n.\tPUNCT\n\n',
      stderr: '',
    });
    expect((await cli('tag', model, '--tokenized', 'the dog.')).stdout).toContain('dog.\t');
  });

  test('tags standard input line by line, as it comes', async () => {
    let printedBefore = -1;
    const text: string[] = [];
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('the cat\nthe');
      printedBefore = text.length;
      yield Buffer.from(' dog\r\n\na bird');
    }
    const output = { write: (part: string) => void text.push(part) };
    expect(await run(['tag', model], { stdout: output, stderr: output, stdin: slow() })).toBe(0);
    expect(text.join('')).toBe('the\tDET\ncat\tNOUN\n\nthe\tDET\ndog\tNOUN\n\n\na\tDET\nbird\tNOUN\n\n');
    expect(printedBefore).toBe(1);
  });

  test('keeps letters whole that arrive in two pieces, and names the line that is not UTF-8', async () => {
    const bytes = Buffer.from('the bïrd\n');
    const { text } = await tagWith(pieces(bytes.subarray(0, 6), bytes.subarray(6)), 'tag', model);
    expect(text.join('')).toContain('bïrd\t');
    const wrong = Buffer.concat([Buffer.from('a cat\n'), Uint8Array.of(0xff, 0x0a)]);
    const { code, stderr, text: before } = await tagWith(pieces(wrong), 'tag', model, '--json');
    expect(before.join('')).toContain('"words":["a","cat"]'); // in the same piece
    expect([code, stderr]).toEqual([
      1,
      'error: standard input:2: expected text in UTF-8, but got bytes that are not\n',
    ]);
  });

  test('gives words and letters never seen a tag too, and a long sentence as many as it has words', async () => {
    const { text } = await tagWith(pieces(`${'ж '.repeat(3000)}\n`), 'tag', model, '--json');
    const { words, tags } = JSON.parse(text.join(''));
    expect([words.length, tags.length]).toEqual([3000, 3000]);
    expect(tags.every((tag: string) => ['DET', 'NOUN', 'VERB', 'PUNCT'].includes(tag))).toBe(true);
  });

  test('refuses a file that holds no tagger, or a damaged one', async () => {
    const digits = path('digits.safetensors');
    await cli('train', 'lenet5', '--limit', '64', '--epochs', '1', '--quiet', '--out', digits);
    expect((await cli('tag', digits, 'a')).stderr).toContain(
      "expected a tagger that fovea saved, but got a model 'lenet5'",
    );
    expect((await cli('classify', model, 'a.png')).stderr).toMatch(/^error: .*tagger/);
    const cut = path('cut.safetensors');
    copyFileSync(model, cut);
    writeFileSync(cut, readFileSync(cut).subarray(0, 500));
    expect(await cli('tag', cut, 'a')).toMatchObject({ code: 1 });
    expect(await cli('tag', path('none'), 'a')).toMatchObject({ code: 1 });
  });
});

/** Whether a checkpoint in the middle of the first epoch is there. */
function loadedStep(file: string): boolean {
  try {
    const { training } = loadCheckpoint(file);
    return typeof training === 'object' && training !== null && Number(Reflect.get(training, 'step')) > 1;
  } catch {
    return false;
  }
}
