// Steps of an optimizer as a program: one call for all parameters.
import { Program, recordCalls } from '../graph/index.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Tensor } from '../tensor/index.ts';

/** Parameters up to which a step is done on the calling thread: it takes less time than to change threads. */
const fewParameters = 1 << 18;

/** What a recorded step is good for: the same options but for the learning rate, the same memory. */
type Circumstances = readonly unknown[];

/** Takes the steps of an optimizer: recorded as soon as two follow each other in the same circumstances. */
export class Updates {
  #program: Program | undefined;
  #recordedIn: Circumstances = [];
  #lastIn: Circumstances = [];

  constructor(
    private readonly optimizer: Optimizer,
    private readonly programs: boolean,
  ) {}

  async step(): Promise<void> {
    const params = this.optimizer.paramGroups.flatMap((group) => group.params);
    const now = this.programs ? this.#circumstances(params) : undefined;
    if (now === undefined) return this.optimizer.step();
    if (this.#program !== undefined && same(now, this.#recordedIn)) {
      const few = params.reduce((sum, { size }) => sum + size, 0) <= fewParameters;
      if (few) this.#program.runSync([]);
      else await this.#program.run([]);
      return;
    }
    if (same(now, this.#lastIn)) {
      // Recording takes the step.
      const recorded = recordCalls(
        () => this.optimizer.step(),
        [],
        () => [],
      );
      this.#program = new Program(recorded, { weightsChange: true });
      this.#recordedIn = now;
    } else this.optimizer.step();
    this.#lastIn = now;
  }

  /** Undefined where a step cannot be recorded. */
  #circumstances(params: readonly Tensor[]): Circumstances | undefined {
    const options = this.optimizer.paramGroups.map(({ params: _, lr: _lr, initialLr: _initial, ...rest }) => rest);
    const memory: unknown[] = [];
    for (const { grad, requiresGrad, dtype } of params) {
      if (grad !== null && (dtype === 'float64' || 'indices' in grad)) return undefined;
      memory.push(requiresGrad && grad !== null ? grad.storage.data : null);
    }
    return [this.optimizer.revision, JSON.stringify(options), ...memory];
  }
}

const same = (a: Circumstances, b: Circumstances): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i]);
