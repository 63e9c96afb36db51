// Public names of files: safetensors and checkpoints.
export { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
export type { Json } from './json.ts';
export type { ModelInfo, Preprocessing } from './model-info.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from './safetensors.ts';
