// THE TABLE: every case of every kernel, run on every backend and instruction set.
import type { AnyCase } from '../case.ts';
import { cases as activation } from './activation.ts';
import { cases as conv2d } from './conv2d.ts';
import { cases as crf } from './crf.ts';
import { cases as elementwise } from './elementwise.ts';
import { cases as gather } from './gather.ts';
import { cases as gemm } from './gemm.ts';
import { cases as movement } from './movement.ts';
import { cases as normalize } from './normalize.ts';
import { cases as pool2d } from './pool2d.ts';
import { cases as random } from './random.ts';
import { cases as recurrent } from './recurrent.ts';
import { cases as reduce } from './reduce.ts';
import { cases as softmax } from './softmax.ts';
import { cases as update } from './update.ts';
import { cases as winograd } from './winograd.ts';

export const cases: readonly AnyCase[] = [
  ...elementwise,
  ...activation,
  ...reduce,
  ...gemm,
  ...conv2d,
  ...winograd,
  ...pool2d,
  ...softmax,
  ...normalize,
  ...recurrent,
  ...crf,
  ...random,
  ...movement,
  ...gather,
  ...update,
];
