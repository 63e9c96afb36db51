// The complete Tensor: its state from core.ts, with every operation attached as a method. Import it from here.
import { attachMethods } from './attach.ts';

attachMethods();

export { empty, Tensor } from './core.ts';
export type { TensorMethods } from './methods.ts';
export type { Shape } from './shape.ts';
export type { Data, Dtype } from './storage.ts';
