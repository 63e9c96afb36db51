// Safetensors: round trips, conversion of types, deterministic bytes, and every way a file can be wrong.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { duplicateKey, parse, stringify } from '../../lib/io/json.ts';
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from '../../lib/io/safetensors.ts';
import { DataError, fromArray, type Tensor, tensor } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-safetensors-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A file by hand: header text, then data. */
function file(header: string | object, data: ArrayBufferView | number = 0): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const tail =
    typeof data === 'number' ? Buffer.alloc(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(Buffer.concat([length, json, tail]));
}

const one = (dtype: string, shape: number[], data: ArrayBufferView) =>
  decodeSafetensors(file({ x: { dtype, shape, data_offsets: [0, data.byteLength] } }, data)).tensors.x as Tensor;

const sample = () => ({
  'features.0.weight': tensor([
    [1.5, -2],
    [3, 1e-30],
  ]),
  steps: tensor([7], { dtype: 'int32', shape: [] }),
  empty: fromArray(new Float32Array(0), [0, 3]),
  precise: fromArray(Float64Array.of(0.1, 2)),
});

describe('writing and reading', () => {
  test('refuses what the format cannot hold', () => {
    const wrong = (tensors: unknown, metadata: unknown = {}) =>
      encodeSafetensors(tensors as Record<string, Tensor>, metadata as Record<string, string>);
    expect(() => wrong({ a: 5 })).toThrow('writeSafetensors: expected a to be a tensor, but got 5');
    expect(() => wrong({}, { epochs: 3 })).toThrow(
      'writeSafetensors: expected metadata epochs to be a string, but got 3',
    );
    expect(() => wrong({ __metadata__: tensor([1]) })).toThrow('no tensor named __metadata__');
  });

  test('keeps names, shapes, dtypes, bits and metadata', () => {
    const bits = Float32Array.of(Number.NaN, -0, Number.POSITIVE_INFINITY, 2 ** -149, 0.1, -3.4e38);
    const { tensors, metadata } = decodeSafetensors(
      encodeSafetensors({ ...sample(), bits: fromArray(bits, [2, 3]) }, { note: 'ü "quoted"\n', empty: '' }),
    );
    expect(Object.keys(tensors).sort()).toEqual(['bits', 'empty', 'features.0.weight', 'precise', 'steps']);
    expect(tensors.bits?.shape).toEqual([2, 3]);
    expect(new Uint8Array(Float32Array.from(tensors.bits?.floats ?? []).buffer)).toEqual(new Uint8Array(bits.buffer));
    expect(tensors.steps?.dtype).toBe('int32');
    expect(tensors.steps?.shape).toEqual([]);
    expect(tensors.empty?.shape).toEqual([0, 3]);
    expect(tensors.precise?.dtype).toBe('float32');
    expect([...(tensors.precise?.data ?? [])]).toEqual([Math.fround(0.1), 2]);
    expect({ ...metadata }).toEqual({ note: 'ü "quoted"\n', empty: '' });
  });

  test('the bytes do not depend on the order of names, and the data lie at a multiple of 8', () => {
    const forward = encodeSafetensors(sample(), { a: '1', b: '2' });
    const backward = encodeSafetensors(Object.fromEntries(Object.entries(sample()).reverse()), { b: '2', a: '1' });
    expect(forward).toEqual(backward);
    expect(Number(new DataView(forward.buffer).getBigUint64(0, true)) % 8).toBe(0);
    for (const { data } of Object.values(decodeSafetensors(forward).tensors)) expect(data.buffer).not.toBeNull();
    const { tensors } = decodeSafetensors(forward);
    expect(tensors['features.0.weight']?.data.buffer).toBe(forward.buffer); // a view, not a copy
  });

  test('reads bytes that lie unaligned', () => {
    const whole = encodeSafetensors(sample());
    const shifted = new Uint8Array(whole.length + 3);
    shifted.set(whole, 3);
    expect(decodeSafetensors(shifted.subarray(3)).tensors['features.0.weight']?.toArray()).toEqual([
      [1.5, -2],
      [3, Math.fround(1e-30)],
    ]);
  });

  test('a tensor may have any name, __proto__ and numbers too', () => {
    const names = ['__proto__', 'constructor', '10', '2', '"', '\\', 'a"b:{', '\u{1f600}', ''];
    const record: Record<string, Tensor> = Object.create(null);
    for (const [i, name] of names.entries()) record[name] = fromArray(Float32Array.of(i));
    const { tensors } = decodeSafetensors(encodeSafetensors(record));
    expect(Object.keys(tensors).length).toBe(names.length);
    for (const [i, name] of names.entries()) expect(tensors[name]?.item()).toBe(i);
    expect({}).not.toHaveProperty('item');
  });

  test('any tensors survive (property)', () => {
    const value = fc.tuple(fc.string(), fc.array(fc.float(), { maxLength: 9 }));
    fc.assert(
      fc.property(fc.uniqueArray(value, { selector: ([name]) => name, maxLength: 6 }), (entries) => {
        const record: Record<string, Tensor> = Object.create(null);
        for (const [name, values] of entries)
          if (name !== '__metadata__') record[name] = tensor(Float32Array.from(values));
        const { tensors } = decodeSafetensors(encodeSafetensors(record));
        for (const [name, { data }] of Object.entries(record)) expect(tensors[name]?.data).toEqual(data);
        expect(Object.keys(tensors).length).toBe(Object.keys(record).length);
      }),
      { numRuns: 300 },
    );
  });

  test('through a file, leaving no temporary file behind', async () => {
    const path = join(directory, 'round.safetensors');
    await writeSafetensors(path, sample(), { a: 'b' });
    await writeSafetensors(path, sample(), { a: 'c' });
    expect({ ...readSafetensors(path).metadata }).toEqual({ a: 'c' });
    expect(new Uint8Array(readFileSync(path))).toEqual(encodeSafetensors(sample(), { a: 'c' }));
    expect(readdirSync(directory)).toEqual(['round.safetensors']);
  });
});

describe('types that become float32 or int32', () => {
  test('half precision: normal, subnormal, infinite, NaN and signed zero', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00, 0x8000, 0x7e00, 0x3555);
    const values = [...one('F16', [11], bits).data];
    const finite = [1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14];
    expect(values).toEqual([...finite, Infinity, -Infinity, -0, Number.NaN, 0.333251953125]);
  });

  test('bfloat16', () => {
    const values = [...one('BF16', [5], Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001, 0x8000)).data];
    expect(values).toEqual([1, -3.140625, Infinity, 2 ** -133, -0]);
  });

  test('integers and booleans', () => {
    expect(one('I64', [2], BigInt64Array.of(-5n, 2147483647n)).data).toEqual(Int32Array.of(-5, 2147483647));
    expect(one('U64', [1], BigUint64Array.of(9n)).data).toEqual(Int32Array.of(9));
    expect(one('U32', [1], Uint32Array.of(2147483647)).data).toEqual(Int32Array.of(2147483647));
    expect(one('I16', [2], Int16Array.of(-3, 4)).data).toEqual(Int32Array.of(-3, 4));
    expect(one('U16', [1], Uint16Array.of(65535)).data).toEqual(Int32Array.of(65535));
    expect(one('I8', [1], Int8Array.of(-128)).data).toEqual(Int32Array.of(-128));
    expect(one('U8', [2], Uint8Array.of(0, 255)).data).toEqual(Int32Array.of(0, 255));
    expect(one('BOOL', [2], Uint8Array.of(1, 0)).data).toEqual(Int32Array.of(1, 0));
    expect(one('F64', [2], Float64Array.of(0.1, -1e300)).data).toEqual(Float32Array.of(0.1, -Infinity));
  });

  test.each([
    ['I64', BigInt64Array.of(1n, 2n ** 31n), '2147483648'],
    ['I64', BigInt64Array.of(-(2n ** 31n) - 1n), '-2147483649'],
    ['U64', BigUint64Array.of(2n ** 63n), '9223372036854775808'],
    ['U32', Uint32Array.of(2 ** 31), '2147483648'],
  ])('%s that does not fit int32 is refused', (dtype, data, value) => {
    expect(() => one(dtype, [data.length], data)).toThrow(
      `bytes: expected values of x that fit int32, but got ${value}`,
    );
  });
});

describe('files that are wrong', () => {
  const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const cases: [name: string, bytes: Uint8Array, message: string][] = [
    ['nothing', new Uint8Array(0), '8 bytes of header length, but got 0 bytes'],
    ['7 bytes', new Uint8Array(7), 'but got 7 bytes'],
    ['a header longer than the file', file('{}').fill(0xff, 0, 8), 'header length of 18446744073709551615'],
    ['a header that is no JSON', file('{"x":'), 'a header of JSON in UTF-8'],
    ['a header that is no UTF-8', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff]), 'a header of JSON in UTF-8'],
    ['a byte order mark', file('\ufeff{}'), 'a header of JSON in UTF-8'],
    ['a header that is an array', file('[]'), 'a JSON object as header'],
    [
      'a name twice',
      file(`{"x":${JSON.stringify(good)},"x":${JSON.stringify(good)}}`, 8),
      'each name once, but got "x" twice',
    ],
    [
      'a name twice, once escaped',
      file(`{"x":${JSON.stringify(good)},"\\u0078":${JSON.stringify(good)}}`, 8),
      '"x" twice',
    ],
    ['a field twice', file('{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8), '"dtype" twice'],
    ['a tensor that is a number', file({ x: 1 }), 'x to be an object'],
    ['no dtype', file({ x: { ...good, dtype: undefined } }, 8), 'dtype of x to be one of F32,'],
    ['an unknown dtype', file({ x: { ...good, dtype: 'F8_E4M3' } }, 8), '"F8_E4M3"'],
    ['a dtype named like a method', file({ x: { ...good, dtype: 'toString' } }, 8), '"toString"'],
    ['a negative side', file({ x: { ...good, shape: [-2, -1] } }, 8), 'shape of x to be integers of 0 or more'],
    ['a side of 1.5', file({ x: { ...good, shape: [1.5] } }, 8), 'shape of x'],
    ['a shape of strings', file({ x: { ...good, shape: ['2'] } }, 8), 'shape of x'],
    ['a shape too large', file({ x: { ...good, shape: [2 ** 40, 2 ** 40] } }, 8), 'because it is F32 [1099511627776,'],
    [
      'a shape that overflows to infinity',
      file({ x: { ...good, shape: Array(30).fill(2 ** 50) } }, 8),
      'Infinity bytes',
    ],
    [
      'bytes that do not fit the shape',
      file({ x: { ...good, shape: [3] } }, 8),
      '12 bytes for x, because it is F32 [3]',
    ],
    ['offsets backwards', file({ x: { ...good, data_offsets: [8, 0] } }, 8), 'data_offsets of x to be [begin, end]'],
    ['three offsets', file({ x: { ...good, data_offsets: [0, 8, 8] } }, 8), 'data_offsets of x'],
    ['a missing offset', file({ x: { ...good, data_offsets: [0] } }, 8), 'data_offsets of x'],
    [
      'an overlap',
      file({ x: good, y: { ...good, data_offsets: [4, 12] } }, 12),
      'y to begin at 8, because tensors may not overlap',
    ],
    ['a gap', file({ x: good, y: { ...good, data_offsets: [12, 20] } }, 20), 'y to begin at 8, because gaps'],
    ['a gap at the start', file({ x: { ...good, data_offsets: [4, 12] } }, 12), 'x to begin at 0, because gaps'],
    ['data missing', file({ x: good }, 7), '8 bytes of tensor data, but got 7'],
    ['data left over', file({ x: good }, 9), '8 bytes of tensor data, but got 9'],
    ['metadata that is no object', file({ __metadata__: 'a' }), '__metadata__ to be an object of strings'],
    ['metadata that is no string', file({ __metadata__: { a: 1 } }), '__metadata__.a to be a string'],
  ];

  test.each(cases)('%s', (_name, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'm.safetensors')).toThrow(DataError);
    expect(() => decodeSafetensors(bytes, 'm.safetensors')).toThrow(/^readSafetensors: m\.safetensors: expected /);
    expect(() => decodeSafetensors(bytes, 'm.safetensors')).toThrow(message);
  });

  test('every truncation and every extension of a good file is refused', async () => {
    const path = join(directory, 'cut.safetensors');
    await writeSafetensors(path, sample());
    const { size } = statSync(path);
    for (let length = size - 1; length >= 0; length--) {
      truncateSync(path, length);
      expect(() => readSafetensors(path)).toThrow(DataError);
    }
    writeFileSync(path, Buffer.concat([encodeSafetensors(sample()), Buffer.alloc(1)]));
    expect(() => readSafetensors(path)).toThrow(path);
  });

  test('random damage gives a DataError or a file that is still consistent, never anything else (property)', () => {
    const whole = encodeSafetensors(sample(), { key: 'value' });
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { size, data } of Object.values(decodeSafetensors(bytes).tensors)) expect(data.length).toBe(size);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          refused++;
        }
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  test('a header of a deep array, or of one huge string, is refused without harm', () => {
    expect(() => decodeSafetensors(file('['.repeat(1e6)))).toThrow(DataError);
    expect(() => decodeSafetensors(file(`{"x":"${'\\"'.repeat(5e6)}"}`))).toThrow('x to be an object');
  });

  test('a missing file and a directory', () => {
    expect(() => readSafetensors(join(directory, 'none'))).toThrow(/expected to read .*none, but got: no such file/);
    expect(() => readSafetensors(directory)).toThrow('it is a directory');
  });
});

describe('JSON', () => {
  test('the same key in different objects, or in a string, is not twice', () => {
    expect(duplicateKey('{"a":{"a":1},"b":{"a":[{"a":1},{"a":1}]},"c":"\\"a\\":{"}')).toBeUndefined();
    expect(duplicateKey('{"a":{"b":1},"c":[{"d" : 1, "d"\n:2}]}')).toBe('d');
  });

  test('numbers that JSON lacks survive, keys are sorted', () => {
    const value = { z: [Number.NaN, Infinity, -Infinity, -0, 0.1], a: { c: 1, b: null } };
    expect(parse(stringify(value))).toEqual(value);
    expect(Object.is((parse(stringify([-0])) as number[])[0], -0)).toBe(true);
    expect(stringify({ b: 1, a: 2 })).toBe('{"a":2,"b":1}');
  });
});
