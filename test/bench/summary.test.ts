// From measurements to lines: medians, rates, shares, ratios and goals; and lines as tables, pages and pictures.
import { describe, expect, test } from 'vitest';
import { chart } from '../../bench/chart.ts';
import { median } from '../../bench/compare/trial.ts';
import { level, type Machine } from '../../bench/machine.ts';
import { parseOptions } from '../../bench/options.ts';
import { markdown, overview } from '../../bench/report.ts';
import { goalOf } from '../../bench/shapes/goals.ts';
import { rows } from '../../bench/shapes/index.ts';
import { footprint, title } from '../../bench/shapes/row.ts';
import { type Measurement, rateOf, summarize } from '../../bench/summary.ts';
import { aligned, digits, terminal } from '../../bench/table.ts';
import { streamOf } from '../../bench/trials.ts';

const square = rows.find((row) => title(row) === 'gemm square 512x512x512 NN')!;
const add = rows.find((row) => title(row) === 'elementwise add 1MB')!;
const find = (name: string) => rows.find((row) => title(row) === name)!;
const caches = [2 ** 15, 2 ** 21, 2 ** 25];

const measure = (row: typeof square, side: string, threads: number, ...times: number[]): Measurement[] =>
  times.map((ms, i) => ({ row: title(row), side, threads, trial: i + 1, ms }));

// 512^3 is 0.268 GFLOP: 2 ms are 134 GFLOP/s.
const measured: Measurement[] = [
  ...measure(square, 'fovea', 1, 2, 9, 1),
  ...measure(square, 'fovea', 2, 1.5),
  ...measure(square, 'oneDNN', 1, 1.5),
  ...measure(square, 'BLIS', 1, 4),
  ...measure(square, 'oneDNN', 2, 3),
  { row: title(square), side: 'libxsmm', threads: 1, trial: 1, skip: 'it is for small products' },
  ...measure(add, 'fovea', 1, 0.01),
];
const limits = [
  { row: title(square), threads: 1, value: 100 },
  { row: title(square), threads: 1, value: 300 },
  { row: title(square), threads: 2, value: 400 },
];
const lines = summarize([square, add], measured, limits, caches);

test('a median is the middle, or between the two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('a level holds what is not larger', () => {
  expect(level(2 ** 15, caches)).toBe('L1');
  expect(level(2 ** 15 + 1, caches)).toBe('L2');
  expect(level(2 ** 30, caches)).toBe('memory');
});

test('the probe streams as the row does', () => {
  const streams = ['elementwise add 1MB', 'activation exp 1MB', 'reduction sum all 192MB', 'optimizer adam 1MB'];
  expect(streams.map((name) => streamOf(find(name)))).toEqual(['add', 'copy', 'read', 'update']);
  expect(streamOf(find('pool2d 1x64x112x112 avg 2x2 s2 bwd'))).toBe('fill');
});

test('one sequence goes through the weights of its state at each step, there and back', () => {
  const [forward, training] = ['forward', 'training'].map((pass) => find(`recurrent LSTM T100 B1 I128 H512 ${pass}`));
  const weights = 4 * 4 * 512 * 512;
  expect(footprint(forward!)).toBe(weights);
  expect(streamOf(forward!)).toBe('read');
  expect(rateOf(forward!, 10)).toBeCloseTo((100 * weights) / 1e7);
  expect(rateOf(training!, 10)).toBeCloseTo((200 * weights) / 1e7);
  expect(find('recurrent LSTM T50 B32 I256 H256 training').flops).toBe(3 * 2 * 50 * 32 * 4 * 256 * 512);
});

describe('a line', () => {
  const [one, two, sum] = lines;

  test('comes for each row and thread count that was measured', () => {
    expect(lines.map((line) => [line.row, line.threads])).toEqual([
      [square, 1],
      [square, 2],
      [add, 1],
    ]);
  });

  test('has medians over trials, the rate and its share of the limit', () => {
    expect(one?.cells.get('fovea')).toEqual({ ms: 2 });
    expect(one?.rate).toBeCloseTo(134.2, 1);
    expect(one?.share).toBeCloseTo(134.2 / 200, 3);
    expect(sum).toMatchObject({ unit: 'GB/s', level: 'L2' });
    expect(sum?.rate).toBeCloseTo(rateOf(add, 0.01), 6);
    expect(sum?.share).toBeUndefined();
  });

  test('has the ratio to the best rival', () => {
    expect(one).toMatchObject({ best: 'oneDNN', ratio: 0.75 });
    expect(two).toMatchObject({ best: 'oneDNN', ratio: 2 });
    expect(sum?.ratio).toBeUndefined();
  });

  test('says who has no figure, and why', () => {
    expect(one?.missing).toEqual(new Map([['libxsmm', 'it is for small products']]));
  });

  test('says what it misses of its goal', () => {
    expect(one?.underGoal).toEqual(['67 % of peak, not 93 %', '0.75 of oneDNN, not 1']);
    expect(two?.underGoal).toEqual(['45 % of peak, not 90 %', '1.33x of 1 thread, not 1.8x']);
    expect(sum?.underGoal).toEqual([]);
  });
});

test('goals are shares of limits for some, ratios for others', () => {
  expect(goalOf(square, 2)).toEqual({ ofLimit: 0.9, ofBest: 1 });
  expect(goalOf(find('gemm square 64x64x64 NN'), 1)).toEqual({ ofLimit: 0.85, ofBest: 0.9 });
  expect(goalOf(add, 1)).toEqual({ ofLimit: 0.8 });
});

test('numbers are short, whatever their size', () => {
  expect([0.000123456, 0.5, 1.2345, 123.45, 12345.6, undefined].map(digits)).toEqual([
    '0.000123',
    '0.500',
    '1.23',
    '123.5',
    '12346',
    '-',
  ]);
});

test('columns are as wide as their widest cell', () => {
  expect(
    aligned([
      ['a', 'long'],
      ['abc', '1'],
    ]),
  ).toBe('a    long\nabc     1');
});

test('a terminal shows a table for each family, with the rivals that it has', () => {
  const [gemm, elementwise] = terminal(lines).split('\n\n');
  expect(gemm).toContain('oneDNN ms');
  expect(gemm).not.toContain('libxsmm');
  expect(elementwise).not.toContain('oneDNN');
});

describe('the overview', () => {
  test('counts the lines that are level, and names the worst', () => {
    const [counts, worst] = overview(lines, { against: undefined });
    expect(counts).toBe('1 of 2 lines at or above 1.0 of the best rival; under goal: 2 of 3.');
    expect(worst).toContain('The worst: gemm square 512x512x512 NN, threads 1: 0.750 of oneDNN;');
  });

  test('against another build tells what is slower and what is faster', () => {
    const [slower, faster] = overview(lines, { against: '../other' });
    expect(slower).toContain(
      '1 of 2 lines slower than the other build by more than 5 %: gemm square 512x512x512 NN, threads 1',
    );
    expect(faster).toBe('1 faster by more than 5 %: gemm square 512x512x512 NN, threads 2: 2.00 of oneDNN.');
  });
});

describe('written', () => {
  const machine: Machine = {
    processor: 'a processor',
    processors: 2,
    memoryGb: 8,
    caches,
    system: 'a system',
    date: '2000-01-01 00:00',
    largePages: 'madvise',
  };
  const results = {
    measured,
    limits,
    clocks: [3],
    loads: [0, 1],
    versions: { oneDNN: '2.6' },
    isa: 'avx512',
    stopped: false,
  };

  test('as a page, it has the machine, the command, what is under its goal first, and every line', () => {
    const page = markdown(lines, machine, results, parseOptions(['gemm'], 2), 'results.svg');
    for (const part of ['a processor', 'oneDNN 2.6', 'npm run bench -- gemm', '![', '(results.svg)'])
      expect(page).toContain(part);
    expect(page.indexOf('67 % of peak, not 93 %')).toBeLessThan(page.indexOf('## gemm'));
    expect(page.match(/^\| square 512x512x512 NN \|/gm)).toHaveLength(2);
  });

  test('as a picture, it has a dot for each figure', () => {
    const picture = chart(lines);
    // A title of its own. Two ratios, two shares; a legend for each thread count.
    expect(picture.match(/<circle/g)).toHaveLength(2 + 2 + 2);
    expect(picture.match(/<title>/g)).toHaveLength(1 + 4);
    expect(picture).not.toContain('NaN');
  });
});
