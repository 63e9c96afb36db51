// Cases of the matrix product: every transposition, tails in every direction, epilogues, and layers that nets have.
import { type AnyCase, type Case, exact, sumOf } from '../case.ts';

type Matmul = Case<'matmul'>;

const plain = { batch: 1, aBatch: 1, bBatch: 1, transposeA: 0, transposeB: 0, accumulate: 0, activation: 0 };

const matmul = (name: string, shape: Partial<Matmul['shape']>, more: Partial<Matmul> = {}): Matmul => {
  const whole = { ...plain, m: 1, n: 1, k: 1, ...shape };
  return { name, kernel: 'matmul', shape: whole, tolerance: sumOf(whole.k), seed: 1, without: ['bias'], ...more };
};

const sizes = [
  [1, 1, 1],
  [1, 1, 100],
  [1, 17, 9],
  [17, 1, 9],
  [2, 3, 5],
  [4, 4, 4],
  [5, 7, 3],
  [6, 16, 25],
  [7, 15, 31],
  [8, 33, 16],
  [12, 32, 17],
  [13, 65, 1],
  [14, 31, 64],
  [16, 48, 65],
  [31, 63, 33],
  [65, 17, 100],
  [33, 100, 257],
  [100, 33, 7],
];

const transposes = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

/** What decides between the ways to cut a product up: few and many rows, columns and terms; widths of tiles and panels. */
const cuts = [
  [2, 300, 40],
  [3, 129, 70],
  [14, 33, 65],
  [15, 32, 33],
  [28, 49, 150],
  [29, 113, 31],
  [64, 16, 300],
  [49, 70, 290],
  [129, 40, 146],
  [301, 19, 20],
  [310, 70, 1031],
  [20, 320, 520],
  [450, 290, 30],
  [600, 3, 37],
  [5, 600, 33],
  [32, 330, 1030],
  [7, 50, 2100],
  [1, 4100, 19],
  [1, 37, 1000],
] as const;

/** Fully connected layers, forward and backward. */
const layers: readonly (readonly [string, Partial<Matmul['shape']>])[] = [
  ['LeNet-5 linear 400 to 120, batch of 64', { m: 64, n: 120, k: 400, transposeB: 1 }],
  ['LeNet-5 linear 84 to 10, one image', { m: 1, n: 10, k: 84, transposeB: 1 }],
  ['LeNet-5 gradient of the weight of linear 120 to 84', { m: 84, n: 120, k: 64, transposeA: 1 }],
  ['LeNet-5 gradient of the input of linear 120 to 84', { m: 64, n: 120, k: 84 }],
  ['AlexNet-like linear 1024 to 320, batch of 3', { m: 3, n: 320, k: 1024, transposeB: 1 }],
  ['a product that spans several blocks', { m: 170, n: 530, k: 400 }],
  ['a product with a long sum', { m: 9, n: 10, k: 3000, transposeA: 1 }],
];

export const cases: readonly AnyCase[] = [
  ...sizes.flatMap(([m = 0, n = 0, k = 0], i) =>
    transposes.map(([transposeA = 0, transposeB = 0]) =>
      matmul(
        `multiplies [${m}, ${k}] by [${k}, ${n}], transposed ${transposeA} ${transposeB}`,
        { m, n, k, transposeA, transposeB },
        { seed: i },
      ),
    ),
  ),
  ...cuts.flatMap(([m, n, k], i) =>
    transposes.map(([transposeA = 0, transposeB = 0]) =>
      matmul(
        `cuts up [${m}, ${k}] by [${k}, ${n}], transposed ${transposeA} ${transposeB}, with an epilogue`,
        { m, n, k, transposeA, transposeB, accumulate: i % 2, activation: i % 3 === 0 ? 1 : 0 },
        { seed: i, without: i % 4 === 0 ? ['bias'] : [] },
      ),
    ),
  ),
  ...transposes.flatMap(([transposeA = 0, transposeB = 0]) => [
    matmul(`multiplies a batch, transposed ${transposeA} ${transposeB}`, {
      batch: 3,
      aBatch: 3,
      bBatch: 3,
      m: 18,
      n: 21,
      k: 35,
      transposeA,
      transposeB,
    }),
    matmul(
      `repeats the right of a batch, transposed ${transposeA} ${transposeB}`,
      { batch: 3, aBatch: 3, m: 110, n: 21, k: 35, transposeA, transposeB },
      { without: [] },
    ),
    matmul(`repeats the left of a batch, transposed ${transposeA} ${transposeB}`, {
      batch: 3,
      bBatch: 3,
      m: 21,
      n: 310,
      k: 35,
      transposeA,
      transposeB,
    }),
  ]),
  ...transposes.flatMap(([transposeA = 0, transposeB = 0]) => [
    matmul(`adds to what was there, transposed ${transposeA} ${transposeB}`, {
      m: 9,
      n: 35,
      k: 11,
      transposeA,
      transposeB,
      accumulate: 1,
    }),
    matmul(
      `adds a bias and applies ReLU, transposed ${transposeA} ${transposeB}`,
      { m: 9, n: 35, k: 11, transposeA, transposeB, activation: 1 },
      { without: [] },
    ),
  ]),
  matmul('adds a bias to one row', { m: 1, n: 37, k: 20, transposeB: 1 }, { without: [] }),
  matmul('adds a bias to one column', { m: 37, n: 1, k: 20 }, { without: [] }),
  matmul(
    'adds a bias to what was there, then ReLU',
    { m: 21, n: 18, k: 6, accumulate: 1, activation: 1 },
    { without: [] },
  ),
  matmul('adds to what was there in one row', { m: 1, n: 18, k: 6, accumulate: 1 }),
  matmul('adds to what was there over a long sum', { m: 5, n: 18, k: 900, accumulate: 1 }),
  matmul('multiplies a batch of pairs', { batch: 5, aBatch: 5, bBatch: 5, m: 6, n: 9, k: 7 }),
  matmul('repeats the left of a batch', { batch: 4, bBatch: 4, m: 6, n: 9, k: 7, transposeA: 1 }),
  matmul('repeats the right of a batch', { batch: 4, aBatch: 4, m: 6, n: 9, k: 7, transposeB: 1 }, { without: [] }),
  matmul('multiplies a batch of rows by columns', { batch: 9, aBatch: 9, bBatch: 9, m: 1, n: 1, k: 33 }),
  matmul('gives 0 where there is nothing to add', { m: 3, n: 5, k: 0 }, { tolerance: exact }),
  matmul('gives the bias where there is nothing to add', { m: 3, n: 5, k: 0 }, { tolerance: exact, without: [] }),
  matmul(
    'keeps what was there where there is nothing to add',
    { m: 3, n: 5, k: 0, accumulate: 1 },
    { tolerance: exact },
  ),
  matmul('takes no rows', { m: 0, n: 5, k: 4 }, { tolerance: exact, without: [] }),
  matmul('takes no columns', { m: 5, n: 0, k: 4 }, { tolerance: exact, without: [] }),
  matmul('takes an empty batch', { batch: 0, aBatch: 1, bBatch: 0, m: 2, n: 3, k: 4 }, { tolerance: exact }),
  matmul('takes huge numbers', { m: 10, n: 20, k: 30 }, { fills: { a: 'huge', b: 'huge' } }),
  matmul('takes tiny numbers', { m: 10, n: 20, k: 30 }, { fills: { a: 'tiny', b: 'tiny' } }),
  matmul(
    'spreads NaN and infinity along their rows only',
    { m: 9, n: 35, k: 11 },
    { fills: { a: [...new Array(47).fill(1), Number.NaN, 2, 3, Infinity, ...new Array(60).fill(0.5)], b: 'positive' } },
  ),
  matmul(
    'keeps NaN in ReLU',
    { m: 9, n: 35, k: 11, activation: 1 },
    { fills: { b: [...new Array(47).fill(1), Number.NaN, 2, 3, ...new Array(335).fill(0.5)] } },
  ),
  ...layers.map(([name, shape]) => matmul(`computes ${name}`, shape)),
];
