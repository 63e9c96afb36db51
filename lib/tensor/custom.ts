// Differentiable operations written by users.
import { type Backward, differentiable, isGradEnabled, noGrad } from './autograd.ts';
import { Tensor } from './core.ts';
import { describe, FoveaError, fail } from './errors.ts';
import { duplicate } from './strided.ts';

/** What the two halves of a custom operation share during one call. */
export interface CustomContext {
  /** Keeps tensors for the gradient, guarded against changes in place. */
  save(...tensors: Tensor[]): void;
  /** The saved tensors, in the backward half. */
  readonly saved: readonly Tensor[];
  /** For every argument whether its gradient is wanted. */
  readonly needs: readonly boolean[];
}

/** A differentiable operation in two halves. `A` are the arguments: tensors and anything else. */
export interface CustomOp<A extends readonly unknown[]> {
  readonly name: string;
  /** The result; nothing in it is recorded. */
  readonly forward: (context: CustomContext, ...args: A) => Tensor;
  /** One gradient for each argument, in the shape of that argument; null for those that are no tensors. */
  readonly backward: (context: CustomContext, gradY: Tensor) => readonly (Tensor | null)[];
}

/**
 * Makes an operation of your own.
 * @example const cube = customOp({
 *   name: 'cube',
 *   forward: (context, x: Tensor) => { context.save(x); return x.mul(x).mul(x); },
 *   backward: ({ saved: [x] }, gradY) => [gradY.mul(x!.square().mul(3))],
 * });
 */
export function customOp<A extends readonly unknown[]>(op: CustomOp<A>): (...args: A) => Tensor {
  return (...args) => {
    const inputs = args.map((arg) => (arg instanceof Tensor ? arg : undefined));
    const needs = inputs.map((input) => isGradEnabled() && (input?.requiresGrad ?? false));
    const kept: Tensor[] = [];
    return differentiable(goForward(op, args, needs, kept), op.name, inputs, kept, backwardOf(op, needs));
  };
}

function goForward<A extends readonly unknown[]>(op: CustomOp<A>, args: A, needs: boolean[], kept: Tensor[]): Tensor {
  const context: CustomContext = { save: (...tensors) => void kept.push(...tensors), saved: [], needs };
  const result = noGrad(() => op.forward(context, ...args));
  if (!(result instanceof Tensor)) fail(op.name, { expected: 'forward to return a tensor', got: describe(result) });
  return result.detach(); // a tensor of its own, even if forward returned an input
}

/** Apart from the call, so that it holds on to nothing but what was saved. */
function backwardOf<A extends readonly unknown[]>(op: CustomOp<A>, needs: readonly boolean[]): Backward<Tensor[]> {
  return (gradY, saved) => {
    const gradients: unknown = op.backward({ save: refuseToSave, saved, needs }, gradY);
    if (!Array.isArray(gradients) || gradients.length !== needs.length) {
      const got = Array.isArray(gradients) ? `${gradients.length}` : describe(gradients);
      fail(op.name, { expected: `backward to return ${needs.length} gradients, one for each argument`, got });
    }
    return gradients.map((gradient: unknown, i) => {
      if (gradient === null || !needs[i]) return null;
      if (!(gradient instanceof Tensor)) {
        fail(op.name, { expected: `gradient ${i} to be a tensor or null`, got: describe(gradient) });
      }
      return duplicate(gradient); // the caller may keep or share what it returned
    });
  };
}

function refuseToSave(): never {
  throw new FoveaError('customOp: save() belongs in forward; backward cannot save');
}
