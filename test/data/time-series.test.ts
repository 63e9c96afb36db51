// Series from files that may hold anything, and the windows cut from them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSeries, rmse, Windows } from '../../lib/data/index.ts';
import { FoveaError, ShapeError } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-series-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string | Uint8Array): string {
  const path = join(directory, 'series.csv');
  writeFileSync(path, text);
  return path;
}

describe('readSeries', () => {
  test('reads the last column, or the one named, with quotes or without', () => {
    const path = file('\ufeff"Month","Sales, all","Returns"\r\n"1-01",266.0,3\r\n\r\n"1-""02""",-1.5e2,"4"\r\n');
    expect(readSeries(path)).toEqual({ name: 'Returns', labels: ['1-01', '1-"02"'], values: Float64Array.of(3, 4) });
    expect(readSeries(path, 'Sales, all').values).toEqual(Float64Array.of(266, -150));
  });

  test.each([
    ['a missing value', 'm,v\n1,2\n3,\n', undefined, ":3: expected a number in column 'v', but got ''"],
    ['a word', 'm,v\n1,NA\n', undefined, ":2: expected a number in column 'v', but got 'NA'"],
    ['infinity', 'm,v\n1,1e999\n', undefined, ":2: expected a number in column 'v', but got '1e999'"],
    ['too many fields', 'm,v\n1,2,3\n', undefined, ':2: expected 2 fields, but got 3'],
    ['an open quote', 'm,v\n"1,2\n', undefined, ':2: expected fields with paired quotes, but got "1,2'],
    ['an unknown column', 'm,v\n1,2\n', 'w', ":1: expected a column 'w', but got m, v"],
    ['no values', 'm,v\n', undefined, ': expected a line of names and then values, but got no values'],
    ['nothing', '', undefined, ': expected a line of names and then values'],
    ['no UTF-8', Buffer.from('m,v\n1,\xe9\n', 'latin1'), undefined, ':2: expected text in UTF-8'],
  ])('%s is refused, with file and line', (_what, text, column, message) => {
    const path = file(text);
    expect(() => readSeries(path, column)).toThrow(`${path}${message}`);
  });
});

describe('Windows', () => {
  const values = Float64Array.from({ length: 10 }, (_, i) => i * i);

  test('each value of the range with those before it, which may lie before the range', () => {
    const windows = new Windows(values, 3, { from: 7, to: 9 });
    const { inputs, targets } = windows.batch([1, 0]);
    expect([windows.length, inputs.shape]).toEqual([2, [2, 3]]);
    expect([...inputs.data]).toEqual([25, 36, 49, 16, 25, 36]);
    expect([...targets.data]).toEqual([64, 49]);
    expect(targets.shape).toEqual([2, 1]);
    expect(new Windows(values, 3).length).toBe(7);
    const many = new Windows(values, 3, { ahead: 4 });
    expect([many.length, [...many.batch([3]).targets.data]]).toEqual([4, [36, 49, 64, 81]]);
    expect(new Windows(values, 3, { from: 1 }).batch([0]).targets.item()).toBe(9);
  });

  test('longer than the data, of no length, or of a range without values: refused', () => {
    expect(() => new Windows(values, 10)).toThrow(
      'expected at least 11 values, because a window of 10 comes before each, but got 10',
    );
    for (const length of [0, -1, 1.5]) expect(() => new Windows(values, length)).toThrow(FoveaError);
    expect(() => new Windows(values, 3, { from: 9, to: 9 })).toThrow(FoveaError);
    expect(() => new Windows(values, 3, { ahead: 8 })).toThrow('a window of 3 comes before each 8');
    expect(() => new Windows(values, 3).batch([7])).toThrow(ShapeError);
  });

  test('rmse', () => {
    expect(rmse([1, 2], [1, 4])).toBeCloseTo(Math.SQRT2, 12);
    expect(rmse([1], [1, 4])).toBeNaN();
  });
});
