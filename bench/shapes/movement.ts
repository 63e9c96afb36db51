// What moves data: rows of an embedding and their gradient, transposes, slices, fills.
import { bytes, type Row } from './row.ts';

const embeddings = [
  ['tagger 10000x100', 10_000, 100, 800],
  ['words 50000x512', 50_000, 512, 2048],
] as const;

const embedding: readonly Row[] = embeddings.flatMap(([name, axisLength, inner, count]) =>
  ['gather', 'gatherBackward'].map((op): Row => {
    const moved = count * inner;
    return {
      family: 'embedding',
      name: `${op} ${name} by ${count}`,
      call: { op, outer: 1, axisLength, inner, count },
      flops: 0,
      // The gradient adds to what is there.
      reads: op === 'gather' ? bytes(moved) : bytes(2 * moved),
      writes: bytes(moved),
      ...(op === 'gatherBackward' && { inPlace: bytes(2 * moved) }),
    };
  }),
);

/** A copy of dimensions from strides to strides. */
function copy(
  name: string,
  dims: readonly number[],
  from: readonly number[],
  to: readonly number[],
  lengths: number[],
): Row {
  const fields: Record<string, number> = {};
  const padded = (values: readonly number[], fill: number) => [
    ...Array<number>(8 - values.length).fill(fill),
    ...values,
  ];
  padded(dims, 1).forEach((value, i) => {
    fields[`d${i}`] = value;
  });
  padded(from, 0).forEach((value, i) => {
    fields[`x${i}`] = value;
  });
  padded(to, 0).forEach((value, i) => {
    fields[`y${i}`] = value;
  });
  const [xLength, yLength] = lengths as [number, number];
  const moved = dims.reduce((product, dim) => product * dim, 1);
  return {
    family: 'movement',
    name,
    call: { op: 'copy', ...fields, xOffset: 0, yOffset: 0, xLength, yLength },
    flops: 0,
    reads: bytes(moved),
    writes: bytes(moved),
  };
}

const transpose = (rows: number, columns: number): Row =>
  copy(`transpose ${rows}x${columns}`, [columns, rows], [1, columns], [rows, 1], [rows * columns, rows * columns]);

const channelsLast = (batch: number, channels: number, inner: number, name: string): Row =>
  copy(
    `nchw>nhwc ${name}`,
    [batch, inner, channels],
    [channels * inner, 1, inner],
    [channels * inner, channels, 1],
    Array<number>(2).fill(batch * channels * inner),
  );

const movement: readonly Row[] = [
  copy('copy 32KB', [4096], [1], [1], [4096, 4096]),
  copy('copy 1MB', [131_072], [1], [1], [131_072, 131_072]),
  copy('copy 192MB', [24 * 2 ** 20], [1], [1], [24 * 2 ** 20, 24 * 2 ** 20]),
  transpose(64, 64),
  transpose(256, 256),
  transpose(2048, 2048),
  channelsLast(1, 64, 3136, '1x64x56x56'),
  channelsLast(32, 64, 3136, '32x64x56x56'),
  // Half of each row, as a narrow or a concatenation along the last dimension.
  copy('slice 1024x256 of 512', [1024, 256], [512, 1], [256, 1], [1024 * 512, 1024 * 256]),
];

export const moves: readonly Row[] = [...embedding, ...movement];
