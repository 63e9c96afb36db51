// The part of ONNX's protobuf messages that a conformance case is made of (field numbers: onnx/onnx.proto3, IR version 3 on).
import protobuf from 'protobufjs';

const schema = `
syntax = "proto3";
package onnx;
message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  repeated float float_data = 4;
  repeated int32 int32_data = 5;
  repeated int64 int64_data = 7;
  string name = 8;
  bytes raw_data = 9;
}
message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  bytes s = 4;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  int32 type = 20;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
}
message ValueInfoProto { string name = 1; }
message GraphProto {
  repeated NodeProto node = 1;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message ModelProto { GraphProto graph = 7; }
`;

const { root } = protobuf.parse(schema, { keepCase: true });

export interface Value {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Node {
  readonly op: string;
  /** '' where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** A number, a text, or a list of them. */
  readonly attributes: ReadonlyMap<string, unknown>;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

interface RawAttribute {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly floats: number[];
  readonly ints: number[];
  readonly strings: Uint8Array[];
}

interface RawGraph {
  readonly node: { op_type: string; input: string[]; output: string[]; attribute: RawAttribute[] }[];
  readonly input: { name: string }[];
  readonly output: { name: string }[];
}

interface RawTensor {
  readonly dims: number[];
  readonly data_type: number;
  readonly float_data: number[];
  readonly int32_data: number[];
  readonly int64_data: number[];
  readonly raw_data: Uint8Array;
}

function decode<T>(type: string, bytes: Uint8Array): T {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, defaults: true, arrays: true }) as T;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

/** By AttributeProto.AttributeType. */
function attributeValue({ name, type, f, i, s, floats, ints, strings }: RawAttribute): unknown {
  const byType: Readonly<Record<number, unknown>> = {
    1: f,
    2: i,
    3: text(s),
    6: floats,
    7: ints,
    8: strings.map(text),
  };
  if (type in byType) return byType[type];
  throw new Error(`attribute ${name} has type ${type}`);
}

export function readModel(bytes: Uint8Array): Graph {
  const { graph } = decode<{ graph: RawGraph }>('onnx.ModelProto', bytes);
  return {
    nodes: graph.node.map(({ op_type, input, output, attribute }) => ({
      op: op_type,
      inputs: input,
      outputs: output,
      attributes: new Map(attribute.map((each) => [each.name, attributeValue(each)])),
    })),
    inputs: graph.input.map(({ name }) => name),
    outputs: graph.output.map(({ name }) => name),
  };
}

/** By TensorProto.DataType: 1 is float, 6 int32, 7 int64. */
export function readTensor(bytes: Uint8Array): Value {
  const { dims, data_type, float_data, int32_data, int64_data, raw_data } = decode<RawTensor>(
    'onnx.TensorProto',
    bytes,
  );
  const raw = Uint8Array.from(raw_data).buffer;
  if (data_type === 1)
    return { dims, data: raw.byteLength > 0 ? new Float32Array(raw) : Float32Array.from(float_data) };
  if (data_type === 6) return { dims, data: raw.byteLength > 0 ? new Int32Array(raw) : Int32Array.from(int32_data) };
  if (data_type === 7) {
    const long = raw.byteLength > 0 ? Array.from(new BigInt64Array(raw), Number) : int64_data;
    return { dims, data: Int32Array.from(long) };
  }
  throw new Error(`tensor of type ${data_type}`);
}
