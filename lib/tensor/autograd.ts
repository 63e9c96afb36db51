// Gradients: how an operation records its own, and how backward() walks the record.
import { run } from '../kernels/backend.ts';
import { empty, type GradientNode, Tensor } from './core.ts';
import { fail, failShape } from './errors.ts';
import { flatBinary } from './kernel-shapes.ts';
import { type Shape, sameShape, show } from './shape.ts';
import { addGradients, SparseGradient } from './sparse.ts';
import type { Dtype } from './storage.ts';
import { duplicate } from './strided.ts';

/** Tensors an operation keeps for its gradient; optional inputs may be missing. */
export type Saved = readonly (Tensor | undefined)[];

/**
 * The gradients of the inputs, in their order, from the gradient of the output. `needs[i]` says whether input i wants
 * one; others may be null. A gradient is either new memory or (a reshape of) `gradY`, never something saved.
 */
export type Backward<S extends Saved> = (
  gradY: Tensor,
  saved: S,
  needs: readonly boolean[],
) => readonly (Tensor | null | undefined)[];

let enabled = true;
let nextId = 1;
/** Gradients of leaves that were made here, and so may be added to in place. */
const ownGradients = new WeakSet<Tensor>();

/** Whether operations are being recorded for `backward()`. */
export const isGradEnabled = (): boolean => enabled;

/** Runs `fn` without recording gradients, and gives back its result. `fn` must be synchronous. */
export function noGrad<T>(fn: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    const result = fn();
    if (typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function') {
      fail('noGrad', {
        expected: 'a synchronous function',
        because: 'gradients would be recorded again after its first await',
        got: 'one that returns a promise',
      });
    }
    return result;
  } finally {
    enabled = before;
  }
}

/** Whether an operation on these inputs will be recorded: some need gradients and recording is on. */
export function willRecord(inputs: Saved): boolean {
  if (!enabled) return false;
  for (const input of inputs) if (input?.requiresGrad) return true;
  return false;
}

/** The last part of every differentiable operation: records how `y` came from `inputs`, and returns `y`. */
export function differentiable<const S extends Saved>(
  y: Tensor,
  name: string,
  inputs: Saved,
  saved: S,
  backward: Backward<S>,
): Tensor {
  if (willRecord(inputs)) y.node = new Recorded(name, y, inputs, saved, backward);
  return y;
}

/** The gradients of the inputs from those of several outputs; an output that nothing used has none. */
export type BackwardOfAll<S extends Saved> = (
  gradients: Saved,
  saved: S,
  needs: readonly boolean[],
) => readonly (Tensor | null | undefined)[];

/** `differentiable` for an operation with several outputs. */
export function differentiableAll<const S extends Saved>(
  outputs: readonly Tensor[],
  name: string,
  inputs: Saved,
  saved: S,
  backward: BackwardOfAll<S>,
): void {
  const [first] = outputs;
  if (first === undefined || !willRecord(inputs)) return;
  // The operation's own node is older than those of its outputs, so its turn comes when all of their gradients have
  // arrived. What they hand on to it is a tensor of no elements: the sign that one has.
  const arrived: (Tensor | undefined)[] = outputs.map(() => undefined);
  const sign = empty([0], first.dtype);
  const whole = new Recorded(name, sign, inputs, saved, (_sign, kept, needs) => backward(arrived, kept, needs));
  for (const [i, output] of outputs.entries()) {
    const part = new Recorded(name, output, [], [], (gradient) => {
      arrived[i] = gradient;
      return [sign];
    });
    part.edges = [whole];
    output.node = part;
  }
}

class Recorded<S extends Saved> implements GradientNode {
  readonly id = nextId++;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  edges: (GradientNode | Tensor | null)[];
  readonly #needs: readonly boolean[];
  readonly #versions: readonly number[];
  #saved: Saved | null;
  #backward: Backward<S> | null;

  constructor(name: string, y: Tensor, inputs: Saved, saved: S, backward: Backward<S>) {
    this.name = name;
    this.shape = y.shape;
    this.dtype = y.dtype;
    this.edges = inputs.map((input) => (input?.requiresGrad ? (input.node ?? input) : null));
    this.#needs = this.edges.map((target) => target !== null);
    // Kept without history: a result that saves itself would otherwise hold its own node.
    this.#saved = saved.map((tensor) => tensor?.detach());
    this.#versions = saved.map((tensor) => tensor?.version ?? 0);
    this.#backward = backward;
  }

  check(): void {
    if (this.#saved === null) {
      fail('backward', {
        expected: `the graph of '${this.name}' ${show(this.shape)}`,
        because: 'backward needs what the forward pass saved',
        got: 'a graph that was freed by an earlier backward(); run the forward pass again',
      });
    }
    this.#saved.forEach((tensor, i) => {
      const before = this.#versions[i];
      if (tensor !== undefined && tensor.version !== before) {
        fail('backward', {
          expected: `version ${before} of a tensor ${show(tensor.shape)} saved by '${this.name}'`,
          because: 'its gradient depends on the value at that time',
          got: `version ${tensor.version}: it was changed in place since; use a clone()`,
        });
      }
    });
  }

  apply(gradY: Tensor): readonly (Tensor | null | undefined)[] {
    this.check();
    if (this.#backward === null || this.#saved === null) return [];
    return this.#backward(gradY, this.#saved as S, this.#needs);
  }

  isFresh(gradient: Tensor, gradY: Tensor): boolean {
    if (gradient.storage === gradY.storage || gradient.node !== null || gradient.requiresGrad) return false;
    return this.#saved === null || !this.#saved.some((tensor) => tensor?.storage === gradient.storage);
  }

  free(): void {
    this.edges = [];
    this.#saved = null;
    this.#backward = null;
  }
}

/**
 * Adds d(root)/d(leaf), weighted by `gradient` (default 1 for a single element), to `grad` of every leaf that requires
 * it, then frees the graph. Throws, before any gradient is touched, for a graph freed before or a saved tensor changed
 * in place.
 */
export function backward(root: Tensor, gradient?: Tensor): void {
  if (!root.requiresGrad) {
    fail('backward', {
      expected: 'a tensor computed from some that require gradients',
      got: `${root.label} without history`,
    });
  }
  const seed = gradient ?? onesFor(root);
  checkGradient('backward', seed, root.shape, root.dtype);
  if (root.node === null) {
    noGrad(() => addToLeaf(root, seed, false));
    return;
  }
  const order = graphOf(root.node);
  for (const node of order) node.check();
  noGrad(() => propagate(order, new Map([[order[0]!, { gradient: seed, fresh: false }]])));
}

function onesFor(root: Tensor): Tensor {
  if (root.size !== 1) {
    fail('backward', {
      expected: 'a gradient, or a tensor of one element',
      because: 'only a single number has a gradient without weights',
      got: root.label,
    });
  }
  const ones = empty(root.shape, root.dtype);
  run('fill', { count: 1, value: 1 }, { y: ones.operand });
  return ones;
}

/** Every node reachable from `root`, latest first: so each comes after all that use its result. */
function graphOf(root: GradientNode): GradientNode[] {
  const order = [root];
  const seen = new Set(order);
  for (let i = 0; i < order.length; i++) {
    for (const target of order[i]!.edges) {
      if (target === null || target instanceof Tensor || seen.has(target)) continue;
      seen.add(target);
      order.push(target);
    }
  }
  return order.sort((a, b) => b.id - a.id);
}

interface Pending {
  readonly gradient: Tensor;
  /** True if nothing else refers to its memory: then it may be added to in place. */
  readonly fresh: boolean;
}

function propagate(order: readonly GradientNode[], pending: Map<GradientNode, Pending>): void {
  for (const node of order) {
    const arrived = pending.get(node);
    pending.delete(node);
    const { edges } = node;
    const gradients = arrived === undefined ? [] : node.apply(arrived.gradient);
    for (let i = 0; i < edges.length; i++) {
      const target = edges[i];
      const gradient = gradients[i];
      if (target === null || target === undefined || gradient === null || gradient === undefined) continue;
      checkGradient(`backward of ${node.name}`, gradient, target.shape, target.dtype);
      const repeated = gradients.some((other, j) => j !== i && other?.storage === gradient.storage);
      const fresh = !repeated && arrived !== undefined && node.isFresh(gradient, arrived.gradient);
      if (target instanceof Tensor) addToLeaf(target, gradient, fresh);
      else pending.set(target, sum(pending.get(target), gradient, fresh));
    }
    node.free();
  }
}

function sum(before: Pending | undefined, gradient: Tensor, fresh: boolean): Pending {
  if (before === undefined) return { gradient, fresh };
  const total = before.fresh ? before.gradient : duplicate(gradient);
  addInto(total, before.fresh ? gradient : before.gradient);
  return { gradient: total, fresh: true };
}

function addToLeaf(leaf: Tensor, gradient: Tensor, fresh: boolean): void {
  const before = leaf.grad;
  if (before instanceof SparseGradient || gradient instanceof SparseGradient) {
    if (before !== null) checkGradient('backward', before, leaf.shape, leaf.dtype);
    leaf.grad = addGradients(before, gradient, before !== null && ownGradients.has(before));
    leaf.grad.touch();
    ownGradients.add(leaf.grad);
    return;
  }
  if (before !== null && ownGradients.has(before)) {
    addInto(before, gradient);
    before.touch();
    return;
  }
  const own = fresh ? gradient : duplicate(gradient);
  if (before !== null) {
    checkGradient('backward', before, leaf.shape, leaf.dtype);
    addInto(own, before);
  }
  ownGradients.add(own);
  leaf.grad = own;
}

function addInto(total: Tensor, more: Tensor): void {
  run('add', flatBinary(total.size, 1, 1), { a: total.operand, b: more.operand, y: total.operand });
}

function checkGradient(operation: string, gradient: Tensor, shape: Shape, dtype: Dtype): void {
  if (gradient.dtype === dtype && sameShape(gradient.shape, shape)) return;
  failShape(operation, { expected: `a gradient of ${dtype} ${show(shape)}`, got: gradient.label });
}
