// Tensors as text and as nested arrays.
import { product, type Shape } from './shape.ts';
import type { Data, Dtype } from './storage.ts';

/** Numbers nested as deep as the rank; a plain number for a scalar. */
export type Nested = number | Nested[];

const summarizeAbove = 1000; // elements; larger tensors show their edges only
const edge = 3;
const lineWidth = 100;

/** Nested plain arrays of dense row-major data. */
export function nest(data: Data, shape: Shape): Nested {
  let next = 0;
  const build = (axis: number): Nested =>
    axis === shape.length ? data[next++]! : Array.from({ length: shape[axis]! }, () => build(axis + 1));
  return build(0);
}

/** `tensor([[1, 2], [3, 4]], float32)`, with the middle of long dimensions left out. */
export function format(data: Data, shape: Shape, dtype: Dtype, requiresGrad: boolean): string {
  const elide = data.length > summarizeAbove;
  const shown = visit(shape, elide, (offset) => data[offset]!);
  const text = data.length === 0 ? '[]' : layOut(shown, numberFormat(flat(shown)), 'tensor('.length);
  const notes = [
    ...(elide || data.length === 0 ? [`shape [${shape.join(', ')}]`] : []),
    dtype,
    ...(requiresGrad ? ['requiresGrad'] : []),
  ];
  return `tensor(${text}, ${notes.join(', ')})`;
}

type Shown = number | '…' | Shown[];

/** The elements to show, nested; '…' stands for those left out. */
function visit(shape: Shape, elide: boolean, at: (offset: number) => number, axis = 0, offset = 0): Shown {
  if (axis === shape.length) return at(offset);
  const length = shape[axis]!;
  const stride = product(shape, axis + 1);
  const rows: Shown[] = [];
  for (let i = 0; i < length; i++) {
    if (elide && length > 2 * edge && i === edge) {
      rows.push('…');
      i = length - edge;
    }
    rows.push(visit(shape, elide, at, axis + 1, offset + i * stride));
  }
  return rows;
}

function flat(shown: Shown): number[] {
  if (typeof shown === 'number') return [shown];
  return shown === '…' ? [] : shown.flatMap(flat);
}

/** One format for all numbers: integers plainly, others with four decimals or, where all are tiny or some huge, exponents. */
function numberFormat(values: readonly number[]): (value: number) => string {
  const finite = values.filter(Number.isFinite).map(Math.abs);
  const largest = finite.reduce((a, b) => Math.max(a, b), 0);
  const whole = finite.every(Number.isInteger) && largest < 1e8;
  const wide = !whole && (largest >= 1e6 || (largest < 1e-3 && largest > 0));
  const plain = (value: number) => {
    if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf').replace('NaN', 'nan');
    if (whole) return String(Object.is(value, -0) ? 0 : value);
    return wide ? value.toExponential(4) : value.toFixed(4);
  };
  const width = values.reduce((most, value) => Math.max(most, plain(value).length), 0);
  return (value) => plain(value).padStart(width);
}

function layOut(shown: Shown, number: (value: number) => string, indent: number): string {
  if (typeof shown === 'number') return number(shown);
  if (shown === '…') return '…';
  const parts = shown.map((part) => layOut(part, number, indent + 1));
  if (!shown.some(Array.isArray)) return `[${wrap(parts, indent + 1)}]`;
  const blankLines = parts.some((part) => part.startsWith('[[')) ? '\n\n' : '\n';
  return `[${parts.join(`,${blankLines}${' '.repeat(indent + 1)}`)}]`;
}

/** Numbers of one row, broken into lines where they are too many. */
function wrap(parts: readonly string[], indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && indent + line.length + part.length + 2 > lineWidth) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? part : `, ${part}`;
  }
  return [...lines, line].join(`,\n${' '.repeat(indent)}`);
}
