// The options of the benchmark: defaults, refusals, and the command that repeats a run.
import { describe, expect, test } from 'vitest';
import { commandOf, help, parseOptions } from '../../bench/options.ts';

const parse = (line: string, processors = 2) => parseOptions(line.split(' ').filter(Boolean), processors);

describe('options', () => {
  test('are three trials on one and on all processors, where nothing is said', () => {
    expect(parse('')).toMatchObject({ words: [], threads: [1, 2], trials: 3, seconds: 0.1, mode: 'run', isa: '' });
    expect(parse('', 1).threads).toEqual([1]);
  });

  test('are what the variables of fovea say, where the command line says nothing', () => {
    const environment = { FOVEA_ISA: 'avx2', FOVEA_THREADS: '3' };
    expect(parseOptions([], 2, environment)).toMatchObject({ isa: 'avx2', threads: [3] });
    expect(parseOptions(['--isa', 'sse', '--threads', '1'], 2, environment)).toMatchObject({
      isa: 'sse',
      threads: [1],
    });
    expect(() => parseOptions([], 2, { FOVEA_ISA: 'mmx' })).toThrow("but got 'mmx'");
  });

  test('are fewer with --quick, which others override', () => {
    expect(parse('--quick')).toMatchObject({ trials: 1, seconds: 0.05 });
    expect(parse('--quick --trials 2')).toMatchObject({ trials: 2, seconds: 0.05 });
  });

  test('are read beside words', () => {
    expect(parse('gemm --threads 1,4,4 square --isa avx2 --rivals oneDNN,BLIS')).toMatchObject({
      words: ['gemm', 'square'],
      threads: [1, 4],
      isa: 'avx2',
      rivals: ['onednn', 'blis'],
    });
    expect(parse('--rivals none').rivals).toEqual([]);
  });

  test('save under a name or without', () => {
    expect(parse('').save).toBeUndefined();
    expect(parse('--save').save).toBe('results');
    expect(parse('--save --quick')).toMatchObject({ save: 'results', trials: 1 });
    expect(parse('gemm --save avx2')).toMatchObject({ save: 'results-avx2', words: ['gemm'] });
  });

  test.each([
    ['--threads 0', "--threads: expected a positive integer, but got '0'"],
    ['--threads 1,two', "--threads: expected a positive integer, but got 'two'"],
    ['--trials 1.5', "--trials: expected a positive integer, but got '1.5'"],
    ['--seconds -1', '--seconds'],
    ['--isa mmx', "--isa: expected one of avx512, avx2, sse, neon, scalar, but got 'mmx'"],
    ['--save ../elsewhere', '--save: expected a name'],
    ['--fast', '--fast'],
  ])('%s is refused', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  test('come back as the command that repeats a run', () => {
    const line = 'gemm --threads 1 --trials 2 --seconds 0.1 --isa sse --rivals onednn --save sse';
    expect(commandOf(parse(line))).toBe(`npm run bench -- ${line}`);
  });

  test('are all in the help', () => {
    for (const option of ['list', 'threads', 'isa', 'trials', 'seconds', 'quick', 'rivals', 'against', 'json', 'save'])
      expect(help).toContain(`--${option}`);
  });
});
