// The recurrent kernels of THE LIST: a cell over a whole sequence in one direction, and its gradient.
//
// reverse 1 starts at each sequence's own end. lengths: steps of each sequence (steps, if absent); later ones count for
// nothing, y and gradX are 0 there. y is columns from yOffset on of rows of yStride, so that two directions can share it:
// hiddenSize, or stateSize, of them. Absent states are 0. Weights, biases and gates as in PyTorch. `saved` is what the
// gradient needs. accumulate: adds into gradX.
import { type KernelSpec, lengths, maybe, maybeUnless, over, packs, read, update, write } from './spec.ts';

const sequence = ['steps', 'batch', 'inputSize', 'hiddenSize', 'reverse'] as const;
const placeOfY = ['yStride', 'yOffset'] as const;
/** projSize is 0 where h is not projected; stateSize, the length of h, is hiddenSize then, and else projSize. */
const projected = [...sequence, 'projSize', 'stateSize', ...placeOfY] as const;

const x = read('steps batch inputSize');
const state = maybe(read('batch hiddenSize'));
const gradState = maybe(write('batch hiddenSize'));
const weightHr = maybeUnless('projSize', read('projSize hiddenSize'));
const peepholes = maybe(read('3 hiddenSize'));

/** Weights of a cell: a row for each gate of each unit, a column for each number of x, and of h. */
const weights = <R extends string, H extends string>(rows: R, state: H) =>
  ({ weightIh: read(`${rows} inputSize` as const), weightHh: read(`${rows} ${state}` as const) }) as const;

const parameters = <R extends string, H extends string>(rows: R, state: H) =>
  ({
    weightIh: packs(read(`${rows} inputSize` as const)),
    weightHh: packs(read(`${rows} ${state}` as const)),
    biasIh: maybe(read(rows)),
    biasHh: maybe(read(rows)),
  }) as const;

const outputs = <H extends string>(state: H) =>
  ({ y: update('steps batch yStride'), hN: maybe(over(`batch ${state}` as const, 'h0')) }) as const;

const y = read('steps batch yStride');
const gradY = maybe(y);

const gradients = <R extends string, H extends string>(rows: R, state: H) =>
  ({
    gradX: maybe(update('steps batch inputSize')),
    gradWeightIh: write(`${rows} inputSize` as const),
    gradWeightHh: write(`${rows} ${state}` as const),
  }) as const;

export const recurrentKernels = {
  // h' = tanh or ReLU (Wih x + bih + Whh h + bhh)
  rnn: {
    shape: [...sequence, 'relu', ...placeOfY],
    constants: [],
    buffers: { x, ...parameters('hiddenSize', 'hiddenSize'), h0: state, lengths, ...outputs('hiddenSize') },
  },
  // gates r, z, n: h' = (1 - z) n + z h, n = tanh(Win x + bin + r (Whn h + bhn)) or, resetAfter 0, tanh(… + Whn (r h) + bhn)
  gru: {
    shape: [...sequence, 'resetAfter', ...placeOfY],
    constants: [],
    buffers: {
      x,
      ...parameters('3 hiddenSize', 'hiddenSize'),
      h0: state,
      lengths,
      ...outputs('hiddenSize'),
      saved: maybe(write('steps batch 4 hiddenSize')),
    },
  },
  // gates i, f, g, o: c' = f c + i g, h' = o tanh(c') or Whr (o tanh(c')); peepholes, of i, f and o in this order: i and f
  // see c, o sees c'
  lstm: {
    shape: projected,
    constants: [],
    buffers: {
      x,
      ...parameters('4 hiddenSize', 'stateSize'),
      weightHr: packs(weightHr),
      peepholes,
      h0: maybe(read('batch stateSize')),
      c0: state,
      lengths,
      ...outputs('stateSize'),
      cN: maybe(over('batch hiddenSize', 'c0')),
      saved: maybe(write('steps batch 5 hiddenSize')),
    },
  },
  // gradBias is that of biasIh and of biasHh
  rnnBackward: {
    shape: [...sequence, 'relu', ...placeOfY, 'accumulate'],
    constants: [],
    buffers: {
      x,
      ...weights('hiddenSize', 'hiddenSize'),
      h0: state,
      lengths,
      y,
      gradY,
      gradHN: state,
      ...gradients('hiddenSize', 'hiddenSize'),
      gradBias: maybe(write('hiddenSize')),
      gradH0: gradState,
    },
  },
  gruBackward: {
    shape: [...sequence, 'resetAfter', ...placeOfY, 'accumulate'],
    constants: [],
    buffers: {
      x,
      ...weights('3 hiddenSize', 'hiddenSize'),
      h0: state,
      lengths,
      y,
      saved: read('steps batch 4 hiddenSize'),
      gradY,
      gradHN: state,
      ...gradients('3 hiddenSize', 'hiddenSize'),
      gradBiasIh: maybe(write('3 hiddenSize')),
      gradBiasHh: maybe(write('3 hiddenSize')),
      gradH0: gradState,
    },
  },
  lstmBackward: {
    shape: [...projected, 'accumulate'],
    constants: [],
    buffers: {
      x,
      ...weights('4 hiddenSize', 'stateSize'),
      weightHr,
      peepholes,
      h0: maybe(read('batch stateSize')),
      c0: state,
      lengths,
      y,
      saved: read('steps batch 5 hiddenSize'),
      gradY,
      gradHN: maybe(read('batch stateSize')),
      gradCN: state,
      ...gradients('4 hiddenSize', 'stateSize'),
      gradWeightHr: maybeUnless('projSize', write('projSize hiddenSize')),
      gradBias: maybe(write('4 hiddenSize')),
      gradPeepholes: maybe(write('3 hiddenSize')),
      gradH0: maybe(write('batch stateSize')),
      gradC0: gradState,
    },
  },
} as const satisfies Readonly<Record<string, KernelSpec>>;
