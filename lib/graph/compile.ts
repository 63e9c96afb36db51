// From functions and models to programs, one for every shape of inputs that comes.
import { describe, fail } from '../tensor/errors.ts';
import { fromArray, noGrad } from '../tensor/index.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Program } from './program.ts';
import { record } from './record.ts';

/** A function of tensors, or what has one: a module. */
export type Function = ((...inputs: Tensor[]) => Tensor) | { forward(...inputs: Tensor[]): Tensor };

export interface CompileOptions {
  /** Programs kept, one for each combination of input shapes; the one that was not used for longest goes. Default 8. */
  readonly limit?: number;
}

/** A function that is recorded at its first call with inputs of new shapes, and replayed from then on. */
export interface Compiled {
  /** Off the event loop. The result has memory of its own. */
  run(...inputs: Tensor[]): Promise<Tensor>;
  /** On the calling thread. */
  runSync(...inputs: Tensor[]): Tensor;
  /** The program for such inputs; recorded with these if there is none yet. */
  program(...inputs: Tensor[]): Program;
}

/**
 * Compiles a model, or a function, for inference: no gradients are recorded. Modules do as in their mode at the recording;
 * after `train()` or `eval()` compile anew. Weights may change between runs.
 */
export function compile(fn: Function, { limit = 8 }: CompileOptions = {}): Compiled {
  if (!Number.isInteger(limit) || limit < 1) fail('compile', { expected: 'limit to be 1 or more', got: String(limit) });
  const call = typeof fn === 'function' ? fn : (...inputs: Tensor[]) => fn.forward(...inputs);
  const programs = new Map<string, Program>();

  function program(...inputs: Tensor[]): Program {
    const key = inputs.map(keyOf).join(' ');
    const found = programs.get(key) ?? recordProgram(call, inputs);
    programs.delete(key);
    programs.set(key, found);
    const [oldest] = programs.keys();
    if (programs.size > limit && oldest !== undefined) programs.delete(oldest);
    return found;
  }

  return {
    program,
    async run(...inputs) {
      const [y] = await program(...inputs).run(inputs);
      return own(y);
    },
    runSync(...inputs) {
      const [y] = program(...inputs).runSync(inputs);
      return own(y);
    },
  };
}

function recordProgram(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Program {
  return new Program(noGrad(() => record(fn, inputs, (y) => [y])));
}

const keyOf = (input: unknown): string =>
  input instanceof Tensor
    ? `${input.dtype}${show(input.shape)}`
    : fail('compile', { expected: 'inputs that are tensors', got: describe(input) });

/** With memory of its own, which the next run does not overwrite. */
const own = (y: Tensor | undefined): Tensor =>
  y === undefined
    ? fail('compile', { expected: 'a function that returns a tensor', got: 'none' })
    : fromArray(y.data.slice(), y.shape);
