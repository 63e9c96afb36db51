// fovea vectors: neighbours, analogies, similarity and evaluation, as text and as JSON.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cli } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fovea-vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'plane.vec');
writeFileSync(file, 'east 2 0\nnorth 0 3\nnortheast 1 1\nwest -1 0\n');
writeFileSync(join(folder, 'pairs.txt'), 'east\tnortheast\t8\neast\tnorth\t5\neast\twest\t1\n');
writeFileSync(join(folder, 'questions.txt'), ': turns\neast north west northeast\neast up west down\n');

describe('fovea vectors', () => {
  it('prints what a file holds, neighbours, an analogy and a similarity', async () => {
    const asked = ['--neighbours', 'east', '--analogy', 'east', 'north', 'west', '--similarity', 'north', 'northeast'];
    const { code, stdout } = await cli('vectors', file, ...asked, '--top', '1');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        `${file}: 4 words, 2 numbers each`,
        '',
        'nearest to east',
        '  0.7071  northeast',
        '',
        'east is to north as west is to',
        '  -0.3162  northeast',
        '',
        'north and northeast: 0.7071',
        '',
      ].join('\n'),
    );
  });

  it('evaluates with the files of a folder', async () => {
    const { stdout } = await cli('vectors', file, '--evaluate', folder);
    expect(stdout).toMatch(/pairs\.txt +3 of 3 {2}1\.0000/);
    expect(stdout).toMatch(/turns +1 of 2 {2}1, 100\.0 %/);
    expect(stdout).toMatch(/all +1 of 2 {2}1, 100\.0 %/);
  });

  it('prints JSON', async () => {
    const { stdout } = await cli(
      'vectors',
      file,
      '--neighbours',
      'north',
      '--evaluate',
      folder,
      '--limit',
      '3',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      words: 3,
      width: 2,
      neighbours: [{ word: 'northeast' }, { word: 'east', similarity: 0 }],
      evaluation: { similarity: [{ file: 'pairs.txt', known: 2, spearman: 1 }], analogies: [{ known: 0 }] },
    });
  });

  it.each([
    [['--neighbours', 'south'], 1, "expected one of the 4 words that have a vector, but got 'south'"],
    [['--analogy', 'east', 'north'], 2, '--analogy takes three words, but got 2'],
    [['--similarity', 'east'], 2, '--similarity takes two words, but got 1'],
    [['--evaluate', join(folder, 'none')], 1, 'none'],
  ])('refuses %j', async (asked, expected, message) => {
    const { code, stderr } = await cli('vectors', file, ...asked);
    expect(code).toBe(expected);
    expect(stderr).toContain(message);
  });
});
