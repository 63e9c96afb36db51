// fovea train words, evaluate and read: from a file of letters to a model that reads them, and refusals.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveImage } from '../../lib/data/index.ts';
import { zeros } from '../../lib/tensor/index.ts';
import { lettersFile } from '../data/letters.ts';
import { cli, type Printed } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fovea-words-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'letter.data');
const model = join(folder, 'words.safetensors');
const texts = ['cat', 'at', 'tea', 'ate', 'eat', 'tact'];
let trained: Printed;

beforeAll(async () => {
  const rows = Array.from({ length: 60 }, (_, i) => [texts[i % texts.length]!, i % 3] as const);
  writeFileSync(data, lettersFile(rows));
  const options = ['--hold-out', '2', '--epochs', '12', '--batch-size', '8', '--seed', '1', '--no-augment'];
  trained = await cli('train', 'words', '--data', data, ...options, '--out', model);
}, 60_000);

describe('fovea train words', () => {
  it('says what it trains on, and what was read of what was held out', () => {
    expect(trained.stderr).toBe('');
    expect(trained.code).toBe(0);
    expect(trained.stdout).toContain('60 words, 6 distinct ones, 180 letters');
    expect(trained.stdout).toContain('40 words to train, 20 held out (fold 2)');
    expect(trained.stdout).toMatch(/test +letters 100\.00 %, words 100\.00 %, loss/);
  });

  it.each([
    [['--hold-out', '10'], 2, "Expected a fold from 0 to 9, or 'words'."],
    [['--data', join(folder, 'none')], 1, 'expected a file or folder of OCR letters'],
  ])('refuses %j', async (options, code, message) => {
    const given = options.includes('--data') ? options : ['--data', data, ...options];
    const printed = await cli('train', 'words', ...given, '--out', join(folder, 'no.safetensors'));
    expect(printed.stderr).toContain(message);
    expect(printed.code).toBe(code);
  });
});

describe('fovea evaluate', () => {
  it('measures on what was held out, or on what was trained with', async () => {
    const { stdout } = await cli('evaluate', model, '--data', data);
    expect(stdout).toContain('20 words, 70 letters');
    expect(stdout).toContain('letters 100.00 %, words 100.00 %');
    const { stdout: json } = await cli('evaluate', model, '--data', data, '--split', 'train', '--json');
    expect(JSON.parse(json)).toMatchObject({
      part: 'train',
      holdOut: '2',
      words: 40,
      letterAccuracy: 1,
      wordAccuracy: 1,
    });
  });

  it('fovea summary describes it', async () => {
    const { stdout } = await cli('summary', model);
    expect(stdout).toMatch(/^letters\.conv1 +Conv2d +\[5, 32, 16, 8\] +320 /m);
    expect(stdout).toMatch(/^total +200,748 /m);
  });

  it('asks for data', async () => {
    const { code, stderr } = await cli('evaluate', model);
    expect(code).toBe(1);
    expect(stderr).toContain('expected --data with the OCR letters');
  });
});

describe('fovea read', () => {
  it('prints words of the data, and draws them', async () => {
    const sheet = join(folder, 'sheet.svg');
    const { stdout } = await cli('read', model, '--data', data, '--limit', '3', '--sheet', sheet);
    expect(stdout.trim().split('\n')).toHaveLength(4);
    expect(stdout).toContain('3 of 3 words, 100.00 %');
    const svg = readFileSync(sheet, 'utf8');
    expect(svg.match(/<path /g)?.length).toBe(svg.match(/<text /g)?.length);
    expect(svg).not.toContain('class="wrong"');
    const { stdout: all } = await cli('read', model, '--data', data, '--all', '--json');
    expect(JSON.parse(all)).toHaveLength(60);
  });

  it('reads pictures of letters', async () => {
    const picture = join(folder, 'letter.png');
    const image = zeros([1, 40, 30]);
    for (let y = 5; y < 35; y++) image.floats.fill(1, y * 30 + 10, y * 30 + 14);
    await saveImage(image, picture);
    const { code, stdout } = await cli('read', model, picture, picture);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[a-z]{2}\n$/);
  });

  it.each([
    [[], 2, 'either pictures of letters or --data'],
    [['a.png', '--data', data], 2, 'either pictures of letters or --data'],
    [[join(folder, 'none.png')], 1, 'none.png'],
  ])('refuses %j', async (options, code, message) => {
    const printed = await cli('read', model, ...options);
    expect(printed.stderr).toContain(message);
    expect(printed.code).toBe(code);
  });
});
