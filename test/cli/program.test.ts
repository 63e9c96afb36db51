// The program as a whole: help, usage, exit codes, and errors in one line.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { version } from '../../lib/io/version.ts';
import { fovea } from '../spawn.ts';
import { cli } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);
const commands = ['train', 'classify', 'evaluate', 'summary', 'info'];

describe('help and usage', () => {
  test('help lists the commands; each has help with an example', async () => {
    const { code, stdout } = await cli('--help');
    expect(code).toBe(0);
    for (const command of commands) {
      expect(stdout).toContain(`  ${command} `);
      const help = await cli(command, '--help');
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`Usage: fovea ${command}`));
      expect(help.stdout).toMatch(new RegExp(`Examples:\n  \\$ fovea ${command} ?`));
    }
  });

  test('the version', async () => {
    expect(await cli('--version')).toEqual({ code: 0, stdout: `${version()}\n`, stderr: '' });
  });

  test.each([
    [[], 'Usage: fovea'],
    [['tran'], "unknown command 'tran'"],
    [['train', 'lenet5', '--epochs', '0'], 'Expected an integer from 1 to 2^53 - 1.'],
    [['train', 'lenet5', '--epochs', 'many'], "argument 'many' is invalid"],
    [['train', 'lenet5', '--lr', '-1'], 'Expected a number above 0.'],
    [['train', 'lenet5', '--validation', '1'], 'Expected a number above 0 and below 1.'],
    [['train', 'lenet5', '--nonsense'], "unknown option '--nonsense'"],
    [['train', 'lenet6'], 'train: expected one of lenet5, lenet5-1998, '],
    [['train'], 'expected a model, one of lenet5'],
    [['summary', 'lenet6'], "expected a model file or one of lenet5, lenet5-1998, words, forecaster, but got 'lenet6'"],
    [['summary', 'tagger'], 'summary: expected the file of a tagger, because its size depends on what it learns'],
    [['classify', 'model'], "missing required argument 'images'"],
    [['classify', 'model', 'image', '--invert', 'perhaps'], 'Allowed choices are auto, yes, no'],
    [['evaluate'], "missing required argument 'model'"],
  ])('%j is wrong usage: code 2', async (argv, message) => {
    const { code, stdout, stderr } = await cli(...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('failures: code 1 and one line', () => {
  writeFileSync(path('text'), 'this is no model');
  mkdirSync(path('empty'));

  test.each([
    [['classify', path('none'), 'a.png'], /expected to read .*none, but got: no such file/],
    [['classify', path('text'), 'a.png'], /text: expected a safetensors header/],
    [['classify', path('empty'), 'a.png'], /it is a directory/],
    [['evaluate', path('text')], /safetensors/],
    [['summary', path('text')], /safetensors/],
    [['train', '--resume', path('none')], /no such file/],
    [['train', 'lenet5', '--out', path('empty')], /it is a directory/],
    [['train', 'lenet5', '--out', path('no/such/file')], /no such file or directory/],
    [['train', 'lenet5', '--out', path('text/x')], /not a directory/],
    [['train', 'lenet5', '--out', path('a'), '--log', path('no/log')], /no\/log.*no such file or directory/],
    [
      ['train', 'lenet5', '--out', path('a'), '--data', path('none')],
      /expected 'builtin', or a directory .*does not exist/,
    ],
    [['train', 'lenet5', '--out', path('a'), '--data', path('text')], /is no directory/],
    [['train', 'lenet5', '--out', path('a'), '--data', path('empty')], /holds none of these/],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await cli(...argv);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(stdout).toBe('');
  });

  test('with FOVEA_DEBUG=1 the stack', async () => {
    process.env.FOVEA_DEBUG = '1';
    try {
      expect((await cli('summary', path('text'))).stderr).toMatch(/DataError: .*\n\s+at /);
    } finally {
      delete process.env.FOVEA_DEBUG;
    }
  });
});

describe('info and summary', () => {
  test('info says what runs and why', async () => {
    const { code, stdout } = await cli('info');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^backend +(native|reference)$/m);
    for (const name of ['isa', 'threads', 'reason', 'version', 'node', 'platform'])
      expect(stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    const json = JSON.parse((await cli('info', '--json')).stdout);
    expect(json).toMatchObject({ version: version(), node: process.versions.node });
  });

  test('summary of an architecture', async () => {
    expect((await cli('summary', 'lenet5')).stdout).toMatch(/^total +61,706 /m);
    const json = JSON.parse((await cli('summary', 'lenet5', '--json')).stdout);
    expect(json.totals.parameters).toBe(61706);
    expect(json.layers.find(({ name }: { name: string }) => name === 'conv2').outputShape).toEqual([1, 16, 10, 10]);
    expect(json.input).toBe('a picture of 1 x 28 x 28');
    expect((await cli('summary', 'forecaster')).stdout).toMatch(/^recurrent +LSTM +\[24, 1, 32\] +4,480 /m);
    expect((await cli('summary', 'words')).stdout).toMatch(/^total +200,748 .*\n\nreading a word of 5 letters\n$/m);
  });
});

describe('as a process', () => {
  test('exit codes and streams', async () => {
    const [good, usage, failure] = await Promise.all([
      fovea(['summary', 'lenet5']),
      fovea(['train', 'lenet6']),
      fovea(['summary', path('text')]),
    ]);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('61,706') });
    expect(usage).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: .*lenet5, lenet5-1998/m),
    });
    expect(failure).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: [^\n]*\n$/) });
  });

  test('FOVEA_BACKEND=reference is what info then says', async () => {
    const { code, stdout, stderr } = await fovea(['info', '--json'], { FOVEA_BACKEND: 'reference' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ backend: 'reference', reason: 'FOVEA_BACKEND=reference' });
  });
});
