// From functions and models to programs, one for every shape of inputs that comes.
import { describe, fail } from '../tensor/errors.ts';
import { noGrad } from '../tensor/index.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Program } from './program.ts';
import { recordCalls } from './record.ts';

/** A function of tensors, or what has one: a module. */
export type Function = ((...inputs: Tensor[]) => Tensor) | { forward(...inputs: Tensor[]): Tensor };

export interface CompileOptions {
  /** Programs kept, one for each combination of input shapes; the one that was not used for longest goes. Default 8. */
  readonly limit?: number;
}

/** A function that is recorded at its first call with inputs of new shapes, and replayed from then on. */
export interface Compiled {
  /** Off the event loop. */
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
      return single(y);
    },
    runSync(...inputs) {
      const [y] = program(...inputs).runSync(inputs);
      return single(y);
    },
  };
}

/**
 * Records `fn(...inputs)` as a program, whatever it does by kernels: gradients, changes of tensors in place, steps of
 * optimizers. It is done once at the recording. `fn` returns what a run is to give: a tensor, or several.
 */
export function record(fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[], inputs: readonly Tensor[]): Program {
  return new Program(
    recordCalls(fn, inputs, (result) => (result instanceof Tensor ? [result] : result)),
    { weightsChange: true },
  );
}

function recordProgram(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Program {
  return new Program(noGrad(() => recordCalls(fn, inputs, (y) => [y])));
}

const keyOf = (input: unknown): string =>
  input instanceof Tensor
    ? `${input.dtype}${show(input.shape)}`
    : fail('compile', { expected: 'inputs that are tensors', got: describe(input) });

const single = (y: Tensor | undefined): Tensor =>
  y ?? fail('compile', { expected: 'a function that returns a tensor', got: 'none' });
