// Lines of a text, each a sequence of its own for a language model: names, for one.
import { fromArray, type Tensor } from '../tensor/index.ts';
import { checkIndices, type Indices, type Samples } from './dataset.ts';

/** Sequences side by side, each filled up with padding. */
export interface LineBatch {
  /** int32 [steps, rows] */
  readonly inputs: Tensor;
  /** int32 [steps, rows]: the token after each input; 0 after the last. */
  readonly targets: Tensor;
  /** Of the targets, without padding. */
  readonly count: number;
}

/** Sequences of two tokens or more, by number; token 0 is padding. */
export class LineSamples implements Samples<LineBatch> {
  readonly length: number;
  /** Targets of each sequence. */
  readonly lengths: Int32Array;
  readonly #lines: readonly Int32Array[];

  constructor(lines: readonly Int32Array[]) {
    this.#lines = lines;
    this.length = lines.length;
    this.lengths = Int32Array.from(lines, (line) => line.length - 1);
  }

  batch(indices: Indices): LineBatch {
    checkIndices('batch', indices, this.length);
    const rows = indices.length;
    const steps = Array.from(indices).reduce((most, index) => Math.max(most, this.lengths[index] ?? 0), 0);
    const inputs = new Int32Array(steps * rows);
    const targets = new Int32Array(steps * rows);
    for (let row = 0; row < rows; row++) {
      const line = this.#lines[indices[row] ?? 0] ?? new Int32Array(0);
      for (let step = 0; step + 1 < line.length; step++) {
        inputs[step * rows + row] = line[step] ?? 0;
        targets[step * rows + row] = line[step + 1] ?? 0;
      }
    }
    const count = Array.from(indices).reduce((sum, index) => sum + (this.lengths[index] ?? 0), 0);
    return { inputs: fromArray(inputs, [steps, rows]), targets: fromArray(targets, [steps, rows]), count };
  }
}
