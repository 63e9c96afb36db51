// The reference backend: every kernel of the list in plain TypeScript. It is what each kernel means, what the native
// kernels are compared with, and what runs where there is no binary.
import type { KernelName } from './list.ts';
import * as activation from './reference/activation.ts';
import * as conv2d from './reference/conv2d.ts';
import * as conv2dBackward from './reference/conv2d-backward.ts';
import * as crf from './reference/crf.ts';
import * as elementwise from './reference/elementwise.ts';
import * as gather from './reference/gather.ts';
import * as gemm from './reference/gemm.ts';
import type { Kernel } from './reference/kernel.ts';
import * as movement from './reference/movement.ts';
import * as normalize from './reference/normalize.ts';
import * as pool2d from './reference/pool2d.ts';
import * as random from './reference/random.ts';
import { gru, gruBackward } from './reference/recurrent-gru.ts';
import { lstm, lstmBackward } from './reference/recurrent-lstm.ts';
import { rnn, rnnBackward } from './reference/recurrent-rnn.ts';
import * as reduce from './reference/reduce.ts';
import * as softmax from './reference/softmax.ts';
import * as update from './reference/update.ts';

export const reference: { readonly [K in KernelName]: Kernel<K> } = {
  ...elementwise,
  ...activation,
  ...reduce,
  matmul: gemm.matmul,
  conv2d: conv2d.conv2d,
  ...conv2dBackward,
  ...pool2d,
  ...softmax,
  ...normalize,
  rnn,
  gru,
  lstm,
  rnnBackward,
  gruBackward,
  lstmBackward,
  ...crf,
  uniform: random.uniform,
  normal: random.normal,
  dropout: random.dropout,
  ...movement,
  ...gather,
  ...update,
};
