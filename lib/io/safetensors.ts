// Safetensors files: an 8-byte length, a JSON header, then the tensors' bytes. Nothing in a file is trusted until checked.
import { readFileSync } from 'node:fs';
import { DataError, describe, fail } from '../tensor/errors.ts';
import { fromArray, Tensor } from '../tensor/index.ts';
import { reasonOf, writeAtomic } from './atomic.ts';
import { elementTypes, type FileType, fileTypeOf, isFileType } from './element-types.ts';
import { duplicateKey, isRecord } from './json.ts';

export interface Safetensors {
  /** By name, in the order of the file. A record without prototype: a tensor may be called `__proto__`. */
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/** The format's own limit for the header, in bytes. */
const HEADER_LIMIT = 100_000_000;

interface Entry {
  readonly name: string;
  readonly type: FileType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file, or its bytes. F32 and I32 tensors are views of those bytes where they lie aligned. Other types
 * become float32 or int32: F16, BF16, BOOL and integers up to 16 bits exactly; F64 is rounded to nearest; U32, I64 and U64
 * only if every value fits int32.
 *
 * Throws DataError, naming the file, for anything that is not a complete and consistent safetensors file.
 */
export function readSafetensors(source: string | Uint8Array): Safetensors {
  if (typeof source !== 'string') return decodeSafetensors(source, 'bytes');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(source);
  } catch (error) {
    throw new DataError(`readSafetensors: expected to read ${source}, but got: ${reasonOf(error)}`, { cause: error });
  }
  return decodeSafetensors(bytes, source);
}

/** Writes tensors and metadata atomically (the old file stays until the new one is complete). Equal contents, equal bytes. */
export async function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomic(file, encodeSafetensors(tensors, metadata));
}

/** The bytes of a safetensors file: widest types first, then by name, data aligned to 8 bytes, as the format recommends. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor instanceof Tensor) continue;
    fail('writeSafetensors', { expected: `${name} to be a tensor`, got: describe(tensor) });
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === 'string') continue;
    fail('writeSafetensors', { expected: `metadata ${name} to be a string`, got: describe(value) });
  }
  const width = (tensor: Tensor) => tensor.data.BYTES_PER_ELEMENT;
  const sorted = Object.entries(tensors).sort(([a, x], [b, y]) => width(y) - width(x) || (a < b ? -1 : 1));
  const header = new Map<string, unknown>();
  const strings = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (strings.length > 0) header.set('__metadata__', Object.fromEntries(strings));
  let length = 0;
  for (const [name, tensor] of sorted) {
    if (name === '__metadata__') throw new DataError('writeSafetensors: expected no tensor named __metadata__');
    const end = length + tensor.size * width(tensor);
    header.set(name, { dtype: fileTypeOf(tensor.dtype), shape: tensor.shape, data_offsets: [length, end] });
    length = end;
  }
  // Key by key, because an object literal would order number-like names first and lose one called __proto__.
  const text = `{${[...header].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`;
  const json = new TextEncoder().encode(text);
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + length).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let offset = start;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/** Reads the bytes of a safetensors file; `name` is what errors call it. */
export function decodeSafetensors(bytes: Uint8Array, name = 'bytes'): Safetensors {
  const corrupt: Corrupt = (expected, got) => {
    throw new DataError(`readSafetensors: ${name}: expected ${expected}, but got ${got}`);
  };
  const { header, start } = readHeader(bytes, corrupt);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === '__metadata__') metadata = checkMetadata(value, corrupt);
    else entries.push(checkEntry(key, value, corrupt));
  }
  checkLayout(entries, bytes.length - start, corrupt);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name: key, type, shape, begin, end } of entries) {
    const data = elementTypes[type].decode(bytes.subarray(start + begin, start + end), (value) =>
      corrupt(`values of ${key} that fit int32`, `${value}`),
    );
    tensors[key] = fromArray(data, shape);
  }
  return { tensors, metadata };
}

type Corrupt = (expected: string, got: string) => never;

function readHeader(bytes: Uint8Array, corrupt: Corrupt): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8)
    corrupt('a safetensors file, which has 8 bytes of header length', `${bytes.length} bytes in all`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(Math.min(HEADER_LIMIT, bytes.length - 8))) {
    corrupt(
      `a safetensors header of at most ${Math.min(HEADER_LIMIT, bytes.length - 8)} bytes (what the file has)`,
      `a header length of ${declared}`,
    );
  }
  const start = 8 + Number(declared);
  let text = '';
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
    header = JSON.parse(text);
  } catch {
    corrupt('a header of JSON in UTF-8', `${JSON.stringify(text.slice(0, 40))}${text.length > 40 ? ' …' : ''}`);
  }
  if (!isRecord(header)) return corrupt('a JSON object as header', JSON.stringify(header).slice(0, 40));
  const twice = duplicateKey(text);
  if (twice !== undefined) corrupt('each name once', `${JSON.stringify(twice)} twice`);
  return { header, start };
}

function checkMetadata(value: unknown, corrupt: Corrupt): Record<string, string> {
  if (!isRecord(value)) return corrupt('__metadata__ to be an object of strings', `${JSON.stringify(value)}`);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') return corrupt(`__metadata__.${key} to be a string`, `${JSON.stringify(item)}`);
    metadata[key] = item;
  }
  return metadata;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function checkEntry(name: string, value: unknown, corrupt: Corrupt): Entry {
  if (!isRecord(value)) return corrupt(`${name} to be an object`, `${JSON.stringify(value)}`);
  const { dtype: type, shape, data_offsets: offsets } = value;
  if (!isFileType(type)) {
    return corrupt(`dtype of ${name} to be one of ${Object.keys(elementTypes).join(', ')}`, `${JSON.stringify(type)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    return corrupt(`shape of ${name} to be integers of 0 or more`, `${JSON.stringify(shape)}`);
  }
  const [begin, end, more]: unknown[] = Array.isArray(offsets) ? offsets : [];
  if (!isSize(begin) || !isSize(end) || begin > end || more !== undefined) {
    return corrupt(`data_offsets of ${name} to be [begin, end]`, `${JSON.stringify(offsets)}`);
  }
  // Multiplied in doubles: a product too large to be exact is far above any difference of offsets, so it cannot match.
  const size: number = shape.reduce((product: number, side: number) => product * side, 1);
  const length = size * elementTypes[type].width;
  if (length !== end - begin) {
    corrupt(`${length} bytes for ${name}, because it is ${type} [${shape.join(', ')}]`, `${end - begin} bytes`);
  }
  return { name, type, shape, begin, end };
}

/** The tensors' ranges must tile the data exactly: no overlap, no gap, nothing missing or left over. */
function checkLayout(entries: readonly Entry[], available: number, corrupt: Corrupt): void {
  let position = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < position) corrupt(`${name} to begin at ${position}, because tensors may not overlap`, `${begin}`);
    if (begin > position) corrupt(`${name} to begin at ${position}, because gaps are not allowed`, `${begin}`);
    position = end;
  }
  if (position !== available)
    corrupt(`${position} bytes of tensor data`, `${available} (truncated or not this format)`);
}
