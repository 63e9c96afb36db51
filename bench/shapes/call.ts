// What a call costs before it does anything: kernels on one number, by their number of buffers.
import { conv2d } from './conv2d.ts';
import { gemm } from './gemm.ts';
import { pointwise } from './pointwise.ts';
import type { Call, Row } from './row.ts';

const sizes = /^(m|n|k|d3|aLength|bLength|count|batch|inChannels|groupChannels|outChannels)$/;
const windows = /^(height|width|kernelHeight|kernelWidth|outHeight|outWidth)$/;
const paddings = /^pad(Top|Left)$/;

/** A call with every size made one. */
function shrunk(call: Call): Call {
  const entries = Object.entries(call).map(([field, value]) => {
    if (sizes.test(field) || windows.test(field)) return [field, 1];
    return [field, paddings.test(field) || field === 'packed' ? 0 : value];
  });
  return Object.fromEntries(entries) as Call;
}

const samples: Readonly<Record<string, Row | undefined>> = {
  'relu of 1, two buffers': pointwise.find((row) => row.call.op === 'relu'),
  'add of 1, three buffers': pointwise.find((row) => row.call.op === 'add'),
  'product of 1x1x1, three buffers': gemm[0],
  'convolution of 1x1x1x1, four buffers': conv2d.find((row) => row.call.op === 'conv2d'),
  'adam of 1, five buffers': pointwise.find((row) => row.call.op === 'adam'),
};

export const call: readonly Row[] = Object.entries(samples).map(([name, row]) => ({
  family: 'call',
  name,
  call: shrunk(row!.call),
  flops: 0,
  reads: 4,
  writes: 4,
}));
