// Writes an ONNX model of one operation, or of a chain of them: the few messages of its protocol buffers that this takes.
// Field numbers are those of onnx.proto (github.com/onnx/onnx); the encoding is protobuf.dev/programming-guides/encoding.

type Attribute = number | string | readonly number[];

export interface Operation {
  readonly type: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Inputs in the operation's order, by name; '' is one left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The shape of a graph's input; an output's is found by whoever runs it. */
export interface Input {
  readonly name: string;
  readonly dims: readonly number[];
}

const float = 1;
const opset = 17;
const irVersion = 8;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);

const bytes = (field: number, content: Uint8Array | string): Buffer => {
  const data = Buffer.from(content as Uint8Array);
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
};

const message = (field: number, ...parts: readonly Buffer[]): Buffer => bytes(field, Buffer.concat(parts));

/** AttributeProto: name 1, i 3, s 4, ints 8, type 20 (2 an integer, 3 a string, 7 integers). */
function attribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') return message(5, bytes(1, name), integer(3, value), integer(20, 2));
  if (typeof value === 'string') return message(5, bytes(1, name), bytes(4, value), integer(20, 3));
  return message(5, bytes(1, name), ...value.map((it) => integer(8, it)), integer(20, 7));
}

/** ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } } }. */
function value(field: number, name: string, dims: readonly number[] | undefined): Buffer {
  const shape = dims === undefined ? [] : [message(2, ...dims.map((dim) => message(1, integer(1, dim))))];
  return message(field, bytes(1, name), message(2, message(1, integer(1, float), ...shape)));
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
function constant({ name, dims, values }: Constant): Buffer {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(5, ...dims.map((dim) => integer(1, dim)), integer(2, float), bytes(8, name), bytes(9, raw));
}

const node = ({ type, attributes = {}, inputs, outputs }: Operation): Buffer =>
  message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, type),
    ...Object.entries(attributes).map(([name, it]) => attribute(name, it)),
  );

/** ModelProto: ir_version 1, graph 7 { node 1, name 2, initializer 5, input 11, output 12 }, opset_import 8 { version 2 }. */
export function encode(operation: Operation, inputs: readonly Input[], constants: readonly Constant[] = []): Buffer {
  return encodeChain([operation], inputs, constants);
}

/** The same of several operations; the outputs of the last are those of the model. */
export function encodeChain(
  operations: readonly Operation[],
  inputs: readonly Input[],
  constants: readonly Constant[] = [],
): Buffer {
  const graph = message(
    7,
    ...operations.map(node),
    bytes(2, 'one'),
    ...constants.map(constant),
    ...inputs.map(({ name, dims }) => value(11, name, dims)),
    ...(operations.at(-1)?.outputs ?? []).map((name) => value(12, name, undefined)),
  );
  return Buffer.concat([integer(1, irVersion), graph, message(8, integer(2, opset))]);
}
