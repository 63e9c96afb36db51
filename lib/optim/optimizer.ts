// Optimizer: what all of them share. Parameter groups, state for each parameter, saving and loading it.
//
// Both penalties are maximum a posteriori estimation: with a mean loss over n examples, minimising
//   loss + weightDecay/2 |w|²   is MAP with a Gaussian prior of variance 1 / (n weightDecay) on each weight (L2), and
//   loss + l1 |w|₁              is MAP with a Laplace prior of scale 1 / (n l1) on each weight (L1), which favours zeros.
// So both enter as gradients, weightDecay w and l1 sign(w). AdamW instead shrinks weights beside the gradient step, which
// is not a prior (Loshchilov & Hutter 2019).
import { everyRun } from '../kernels/recording.ts';
import { fail } from '../tensor/errors.ts';
import { SparseGradient, Tensor, zeros } from '../tensor/index.ts';
import { updateRows } from './sparse.ts';

/** Options of every optimizer; each group of parameters may have its own. */
export interface CommonOptions {
  lr: number;
  /** L2 penalty: a Gaussian prior on the weights. */
  weightDecay: number;
  /** L1 penalty: a Laplace prior on the weights. */
  l1: number;
}

/** Parameters that share options; options may be changed between steps. */
export type ParamGroup<Options extends CommonOptions = CommonOptions> = Options & {
  readonly params: readonly Tensor[];
  /** The rate before any schedule. */
  initialLr: number;
};

/** A group as given: parameters, and the options that differ from the optimizer's. */
export type GroupOptions<Options extends CommonOptions> = Partial<Options> & { readonly params: readonly Tensor[] };

/** Everything needed to go on exactly where another optimizer stopped: named tensors, and values that are plain JSON. */
export interface OptimizerState {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly values: OptimizerValues;
}

export interface OptimizerValues {
  readonly kind: string;
  readonly groups: readonly { readonly params: number; readonly options: Readonly<Record<string, unknown>> }[];
  /** Steps taken, for each parameter. */
  readonly steps: readonly number[];
  /** The names that `tensors` must hold. */
  readonly tensors: readonly string[];
}

/** What an optimizer keeps for one parameter. */
export interface ParamState {
  step: number;
  readonly slots: Map<string, Tensor>;
}

/** `step()` moves parameters down their gradients; how, a subclass says in `update`. */
export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  readonly #defaults: Options;
  readonly #states = new Map<Tensor, ParamState>();
  #revision = 0;

  constructor(params: readonly Tensor[] | readonly GroupOptions<Options>[], defaults: Options) {
    this.#defaults = defaults;
    const single = params.flatMap((one) => (one instanceof Tensor ? one : []));
    if (single.length > 0) this.#add(single, defaults);
    for (const one of params) if (!(one instanceof Tensor)) this.addParamGroup(one);
    this.#checkSome();
  }

  /** Name in messages and saved states. */
  abstract get kind(): string;

  /** Throws unless the options of a group make sense. */
  protected abstract check(group: ParamGroup<Options>): void;

  /** Changes one parameter in place, by one kernel call. */
  protected abstract update(param: Tensor, grad: Tensor, state: ParamState, group: ParamGroup<Options>): void;

  /**
   * Why a step on the rows of a sparse gradient alone would not be this optimizer's step, '' if it is (or, of Adam, what
   * PyTorch calls so). A step that changes rows without a gradient is not.
   */
  protected refusesSparse(_group: ParamGroup<Options>): string {
    return 'it changes parameters without a gradient too';
  }

  #checkSparse(grad: SparseGradient, group: ParamGroup<Options>): void {
    const because = group.weightDecay > 0 || group.l1 > 0 ? 'a penalty changes all' : this.refusesSparse(group);
    if (because !== '') fail(this.kind, { expected: 'a dense gradient', because, got: String(grad) });
  }

  /** Adds parameters with their own options. @throws FoveaError if one is no leaf or is already here. */
  addParamGroup({ params, ...options }: GroupOptions<Options>): void {
    this.#add(params, { ...this.#defaults, ...options });
  }

  /** Moves every parameter that requires gradients and has one. */
  step(): void {
    for (const group of this.paramGroups) {
      everyRun(() => this.check(group));
      for (const param of group.params) {
        const { grad } = param;
        const state = this.#states.get(param);
        if (!param.requiresGrad || grad === null || state === undefined) continue;
        if (grad.size !== param.size) {
          const expected = `a gradient [${param.shape.join(', ')}] of its parameter`;
          fail(this.kind, { expected, got: `[${grad.shape.join(', ')}]` });
        }
        if (grad instanceof SparseGradient) this.#checkSparse(grad, group);
        everyRun(() => state.step++);
        if (grad instanceof SparseGradient) {
          updateRows(param, grad, state, (rows, gradient, rowState) => this.update(rows, gradient, rowState, group));
        } else {
          this.update(param, grad, state, group);
        }
        param.touch();
      }
    }
  }

  /** @internal Another number once parameters or the memory of its state are others. */
  get revision(): number {
    return this.#revision;
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const param of this.#states.keys()) param.grad = null;
  }

  /** The tensors share memory with this optimizer: clone them to keep a moment. */
  stateDict(): OptimizerState {
    const tensors: Record<string, Tensor> = {};
    const steps: number[] = [];
    for (const [index, state] of [...this.#states.values()].entries()) {
      steps.push(state.step);
      for (const [slot, value] of state.slots) tensors[`${index}.${slot}`] = value.detach();
    }
    const groups = this.paramGroups.map(({ params, ...options }) => ({
      params: params.length,
      options: { ...options },
    }));
    return { tensors, values: { kind: this.kind, groups, steps, tensors: Object.keys(tensors) } };
  }

  /** Takes over a state, copying its tensors. @throws FoveaError, changing nothing, if it is not of such an optimizer. */
  loadStateDict({ tensors, values }: OptimizerState): void {
    const shape = (kind: string, sizes: readonly number[]) => `${kind} with groups of ${sizes.join(', ')} parameters`;
    const own = shape(
      this.kind,
      this.paramGroups.map(({ params }) => params.length),
    );
    const given = shape(
      values.kind,
      values.groups.map(({ params }) => params),
    );
    if (own !== given) fail('loadStateDict', { expected: `the state of ${own}`, got: `that of ${given}` });
    const params = [...this.#states.keys()];
    if (values.steps.length !== params.length) {
      fail('loadStateDict', {
        expected: `steps of ${params.length} parameters`,
        got: `those of ${values.steps.length}`,
      });
    }
    const problems = values.tensors.filter((name) => !Object.hasOwn(tensors, name)).map((name) => `no ${name}`);
    const states = params.map((_, i): ParamState => ({ step: Number(values.steps[i] ?? 0), slots: new Map() }));
    for (const name of values.tensors) {
      const value = tensors[name];
      const [index, slot] = name.split('.');
      const param = params[Number(index)];
      if (value === undefined) continue;
      if (param === undefined || slot === undefined) problems.push(`${name}, which is of no parameter`);
      else if (`${param.dtype} ${param.shape}` !== `${value.dtype} ${value.shape}`) {
        problems.push(`${name} [${value.shape.join(', ')}] for a parameter [${param.shape.join(', ')}]`);
      } else states[Number(index)]?.slots.set(slot, value.clone());
    }
    const expected = 'a tensor of its shape for all that is kept for a parameter';
    if (problems.length > 0) fail('loadStateDict', { expected, got: problems.join(', ') });
    const groups = this.paramGroups.map((group, i) => ({ ...group, ...alike(group, values.groups[i]?.options ?? {}) }));
    for (const group of groups) this.check(group);
    this.paramGroups.splice(0, Infinity, ...groups);
    this.#revision++;
    for (const [i, param] of params.entries()) this.#states.set(param, states[i] ?? { step: 0, slots: new Map() });
  }

  #add(params: readonly Tensor[], options: Options): void {
    const group = { ...options, params: [...params], initialLr: options.lr };
    this.check(group);
    const seen = new Set(this.#states.keys());
    for (const param of params) {
      const shape = `[${param.shape.join(', ')}]`;
      if (!param.isLeaf) fail(this.kind, { expected: 'leaf tensors', got: `one of shape ${shape} that was computed` });
      if (seen.has(param)) {
        fail(this.kind, { expected: 'every parameter once', got: `one of shape ${shape} a second time` });
      }
      seen.add(param);
    }
    for (const param of params) this.#states.set(param, { step: 0, slots: new Map() });
    this.paramGroups.push(group);
    this.#revision++;
  }

  #checkSome(): void {
    if (this.#states.size === 0) fail(this.kind, { expected: 'at least one parameter', got: 'none' });
  }

  /** Throws unless a number of a group is finite and low <= value <= high. */
  protected checkNumber(name: string, value: number, low: number, high = Infinity): void {
    if (Number.isFinite(value) && value >= low && value <= high) return;
    const range = high === Infinity ? `a finite number of at least ${low}` : `a number from ${low} to ${high}`;
    fail(this.kind, { expected: `${name} to be ${range}`, got: String(value) });
  }
}

/** Of the options read from a file those that a group has. @throws FoveaError if one is of another type. */
function alike<Group extends object>(group: Group, options: Readonly<Record<string, unknown>>): Partial<Group> {
  const known = Object.entries(options).filter(([key]) => key !== 'params' && Object.hasOwn(group, key));
  for (const [key, value] of known) {
    const own: unknown = Reflect.get(group, key);
    if (typeof value === typeof own && Array.isArray(value) === Array.isArray(own)) continue;
    fail('loadStateDict', { expected: `option ${key} to be like ${String(own)}`, got: String(value) });
  }
  return Object.fromEntries(known) as Partial<Group>;
}

/** The memory of a slot, made as zeros when first asked for. */
export function slot(state: ParamState, name: string, param: Tensor): Float32Array | Float64Array {
  let value = state.slots.get(name);
  if (value === undefined) {
    value = zeros(param.shape, { dtype: param.dtype });
    state.slots.set(name, value);
  }
  return value.operand;
}

/** Settings for an update kernel, in the precision of the parameter, found anew for every step. */
export function settingsFor(param: Tensor, find: () => readonly number[]): Float32Array | Float64Array {
  const { length } = find();
  const settings = param.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  everyRun(() => settings.set(find()));
  return settings;
}
