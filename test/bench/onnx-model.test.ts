// The encoder of ONNX models, held to bytes worked out by hand from onnx.proto.
import { expect, test } from 'vitest';
import { encode } from '../../bench/compare/onnx-model.ts';

test('a model of one Relu is the bytes of its messages', () => {
  const model = encode({ type: 'Relu', inputs: ['x'], outputs: ['y'] }, [{ name: 'x', dims: [1, 300] }]);
  const node = '0a0c 0a0178 120179 220452656c75';
  const name = '1203 6f6e65';
  const input = '5a14 0a0178 120f 0a0d 0801 1209 0a02 0801 0a03 08ac02';
  const output = '6209 0a0179 1204 0a02 0801';
  const whole = `0808 3a34 ${node} ${name} ${input} ${output} 4202 1011`;
  expect(model.toString('hex')).toBe(whole.replaceAll(' ', ''));
});

test('attributes and constants carry their type and values', () => {
  const operation = { type: 'Conv', attributes: { group: -1, kind: 'a', pads: [1, 2] }, inputs: ['w'], outputs: [] };
  const values = Float32Array.of(1, -2);
  const model = encode(operation, [], [{ name: 'w', dims: [2], values }]).toString('hex');
  const parts = [
    '2a15 0a05 67726f7570 18ffffffffffffffffff01 a00102', // group: i -1, type 2
    '2a0c 0a04 6b696e64 220161 a00103', // kind: s 'a', type 3
    '2a0d 0a04 70616473 4001 4002 a00107', // pads: ints 1 and 2, type 7
    '2a11 0802 1001 420177 4a08 0000803f 000000c0', // w: dims 2, float, name, bytes
  ];
  for (const part of parts) expect(model).toContain(part.replaceAll(' ', ''));
});
