// Figures of applications: found in JSON, compared with goals, and kept in the last section of the page of results.
import { describe, expect, test } from 'vitest';
import { applications } from '../../bench/applications/list.ts';
import { filled, valueAt } from '../../bench/applications/measure.ts';
import { linesOf, meets, type Results, withApplications, withFolds } from '../../bench/applications/results.ts';
import { architectures } from '../../lib/cli/tasks/index.ts';

const machine = { machine: 'a processor', date: '2026-11-21 10:00' };
const tagger = applications.find(({ name }) => name === 'tagger')!;
const runs = [0.95, 0.94, 0.957].map((share, i) => ({ seed: i + 1, seconds: 100 * (i + 1), figures: [share] }));
const results: Results = {
  applications: { tagger: { ...machine, runs } },
  races: {
    tagger: {
      ...machine,
      rates: [
        { workload: 'tagger', threads: 1, name: 'fovea native avx512', rate: 3000, ratio: 1 },
        { workload: 'tagger', threads: 1, name: 'PyTorch', rate: 2500, ratio: 1.2 },
      ],
    },
  },
};

describe('a figure', () => {
  const json = {
    a: { b: 2 },
    list: [
      { file: 'x', n: 1 },
      { file: 'y', n: 5 },
    ],
  };

  test('is found by its path, also in and over lists', () => {
    expect(valueAt(json, ['a', 'b'])).toBe(2);
    expect(valueAt(json, ['list', 'y', 'n'])).toBe(5);
    expect(valueAt(json, ['list', '+', 'n'])).toBe(6);
    for (const path of [['a'], ['a', 'c'], ['list', 'z', 'n'], ['list', '+', 'file']]) {
      expect(() => valueAt(json, path)).toThrow('expected a number, but got');
    }
  });

  test('meets its goal, or not', () => {
    expect([meets(0.948, { atLeast: 0.948 }), meets(0.9479, { atLeast: 0.948 })]).toEqual([true, false]);
    expect([meets(1.5, { atMost: 1.5 }), meets(1.501, { atMost: 1.5 })]).toEqual([true, false]);
    expect([0.54494, 0.545].map((value) => meets(value, { equal: 0.5449, digits: 4 }))).toEqual([true, false]);
    expect(meets(Number.NaN, { atMost: 1.5 })).toBe(false);
  });

  test('is the mean over the seeds; a training that took too long does not count', () => {
    const [[, , , mean, met, each, times] = []] = linesOf(tagger, { ...machine, runs });
    expect([mean, met, each]).toEqual(['94.90 % ± 0.85 %', 'yes', '1, 2, 3: 95.00 %, 94.00 %, 95.70 %']);
    expect(times).toBe('100 s, 3.3 min, 5.0 min (at most 15 min)'.replace('100 s', '1.7 min'));
    const slow = runs.map((run) => ({ ...run, seconds: 16 * 60 }));
    expect(linesOf(tagger, { ...machine, runs: slow })[0]?.[4]).toBe('**no**');
  });
});

test('folds: told by their number, and kept from before where the same machine measured them', () => {
  const letters = applications.find(({ name }) => name === 'letters-folds')!;
  const run = (fold: number, share: number) => ({ seed: 1, fold, seconds: 9, figures: [share] });
  const before = { ...machine, runs: [run(0, 0.97), run(2, 0.95)] };
  const fresh = { ...machine, date: '2026-11-22 10:00', runs: [run(1, 0.99), run(2, 0.98)] };
  const all = withFolds(fresh, before);
  const [[, , , mean, , each, , when] = []] = linesOf(letters, all);
  expect([mean, each]).toEqual(['98.00 % ± 1.00 % (3 of 10 folds)', 'fold 0, 1, 2: 97.00 %, 99.00 %, 98.00 %']);
  expect(when).toBe('a processor; 2026-11-22 10:00');
  expect(withFolds(fresh, { ...before, machine: 'another' })).toBe(fresh);
  expect(withFolds({ ...machine, runs }, { ...machine, runs }).runs).toEqual(runs);
});

test('commands: every place is one that is filled in, every model one that fovea trains', () => {
  const places = { data: 'DATA', model: 'MODEL', seed: 'SEED', fold: 'FOLD' };
  for (const { train = [], measure } of applications) {
    expect(train.length === 0 || architectures.includes(train[1] ?? '')).toBe(true);
    expect([...filled(train, places), ...filled(measure, places)].join(' ')).not.toMatch(/[{}]/);
  }
  expect(new Set(applications.map(({ name }) => name)).size).toBe(applications.length);
});

describe('the section of the page', () => {
  const page = '# Kernels\n\n## gemm\n\n| row |\n';

  test('comes last, says goal, figure and machine, and is renewed, not repeated', () => {
    const once = withApplications(page, results);
    expect(once.startsWith(page)).toBe(true);
    expect(once).toContain(
      '| tagger: parts of speech, UD English EWT, test | UPOS accuracy | at least 94.80 % | 94.90 % ± 0.85 % | yes |',
    );
    expect(once).toContain('| PyTorch | 2,500 sentences/s | 1.20 | **no** | a processor; 2026-11-21 10:00 |');
    expect(withApplications(once, results)).toBe(once);
    expect(once.match(/## Applications/g)).toHaveLength(1);
  });

  test('is not there without results', () => {
    const none = { applications: {}, races: {} };
    expect(withApplications(page, none)).toBe(page);
    expect(withApplications(withApplications(page, results), none).trimEnd()).toBe(page.trimEnd());
  });
});
