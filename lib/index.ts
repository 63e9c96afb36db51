// Public names of fovea: tensors at the top level, everything else by area.
export * as data from './data/index.ts';
export { type Compiled, type CompileOptions, compile, type Form, Program, record } from './graph/index.ts';
export * as io from './io/index.ts';
export { type BackendInfo, backendInfo } from './kernels/backend.ts';
export * as models from './models/index.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export * from './tensor/index.ts';
export * as training from './training/index.ts';
