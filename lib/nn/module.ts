// Module: a layer or a network. Its parameters, buffers and children are simply its properties.
import { inspect } from 'node:util';
import { fail } from '../tensor/errors.ts';
import { Tensor } from '../tensor/index.ts';

/** Named tensors, as `stateDict` gives and `loadStateDict` takes them. */
export type StateDict = Record<string, Tensor>;

/**
 * Base of all layers, losses and networks.
 *
 * What belongs to a module is found by looking at its own enumerable properties, also inside arrays and plain objects:
 * - a Tensor is a parameter, trained or frozen (`requiresGrad` says which), unless `registerBuffer` named the property;
 * - a buffer is state that is saved but never trained, such as the running mean of batch normalisation;
 * - a Module is a child.
 *
 * A tensor or module that must stay out of all this goes into a `#private` field.
 *
 * Names are PyTorch's: `runningMean` of `features[0]` is `features.0.running_mean`, so state dicts can be exchanged.
 */
export abstract class Module {
  /** Whether dropout drops and batch normalisation looks at the batch; set by `train()` and `eval()`. */
  training = true;
  readonly #buffers = new Set<string>();

  abstract forward(...inputs: Tensor[]): Tensor;

  /** Declares own properties to hold buffers: saved with the state, not trained. */
  protected registerBuffer(...properties: string[]): void {
    for (const property of properties) this.#buffers.add(property);
  }

  /** What this module itself holds: [name, tensor or child, whether the tensor is a buffer]. */
  *members(): Iterable<[name: string, member: Tensor | Module, buffer: boolean]> {
    for (const [property, value] of Object.entries(this)) {
      const buffer = this.#buffers.has(property);
      for (const [name, member] of membersOf(value, stateName(property), new Set())) yield [name, member, buffer];
    }
  }

  /** Direct children by name. */
  namedChildren(): Map<string, Module> {
    const children = new Map<string, Module>();
    for (const [name, member] of this.members()) if (member instanceof Module) children.set(name, member);
    return children;
  }

  /** This module (named '') and everything below it, each once, parents first. */
  namedModules(): Map<string, Module> {
    const names = new Map<Module, string>();
    for (const [name, module] of walk(this, '', [])) if (!names.has(module)) names.set(module, name);
    return new Map([...names].map(([module, name]) => [name, module]));
  }

  /** All parameters by name; one that is shared by several modules appears once, under its first name. */
  namedParameters(): Map<string, Tensor> {
    return this.#namedTensors(false);
  }

  /** All buffers by name. */
  namedBuffers(): Map<string, Tensor> {
    return this.#namedTensors(true);
  }

  parameters(): Tensor[] {
    return [...this.namedParameters().values()];
  }

  /** Parameters held by this module itself, not by its children. */
  ownParameters(): Tensor[] {
    const own: Tensor[] = [];
    for (const [, member, buffer] of this.members()) if (member instanceof Tensor && !buffer) own.push(member);
    return own;
  }

  /**
   * Parameters and buffers by name. The tensors share memory with the module: clone them to keep a moment.
   * A shared tensor appears under each of its names, as in PyTorch.
   */
  stateDict(): StateDict {
    return Object.fromEntries([...walkState(this)].map(([name, value]) => [name, value.detach()]));
  }

  /**
   * Copies values into this module's parameters and buffers. Nothing is changed unless everything fits.
   * @throws FoveaError that lists all missing, unexpected and differing entries. With `strict: false` missing and
   * unexpected ones are only returned; a differing shape or kind of number is an error in any case.
   */
  loadStateDict(
    state: Readonly<StateDict>,
    { strict = true }: { strict?: boolean } = {},
  ): { missing: string[]; unexpected: string[] } {
    const own = new Map([...walkState(this)].map(([name, value]) => [name, value]));
    const missing = [...own.keys()].filter((name) => !Object.hasOwn(state, name));
    const unexpected = Object.keys(state).filter((name) => !own.has(name));
    const pairs = Object.entries(state).flatMap(([name, from]) => {
      const to = own.get(name);
      return to ? [{ name, from, to }] : [];
    });
    const problems: string[] = [];
    if (strict && missing.length > 0) problems.push(`missing: ${missing.join(', ')}`);
    if (strict && unexpected.length > 0) problems.push(`unexpected: ${unexpected.join(', ')}`);
    const differing = pairs.filter(({ from, to }) => kindOf(from) !== kindOf(to));
    if (differing.length > 0) {
      const lines = differing.map(({ name, from, to }) => `${name} is ${kindOf(to)} here and ${kindOf(from)} there`);
      problems.push(`differing: ${lines.join(', ')}`);
    }
    if (problems.length > 0) {
      const expected = `a state with the ${own.size} entries of ${this.constructor.name}`;
      fail('loadStateDict', { expected, got: problems.join('; ') });
    }
    for (const { from, to } of pairs) {
      to.data.set(from.data);
      to.touch();
    }
    return { missing, unexpected };
  }

  /** Training mode for this module and all below it. */
  train(mode = true): this {
    for (const module of this.namedModules().values()) module.training = mode;
    return this;
  }

  /** Evaluation mode for this module and all below it. */
  eval(): this {
    return this.train(false);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Calls `fn` on every module below this one and then on this one, e.g. to initialise weights. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.namedChildren().values()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Multiplications with an addition that one forward call does on these shapes; what does none says 0. */
  multiplyAdds(_inputs: readonly (readonly number[])[], _output: readonly number[]): number {
    return 0;
  }

  /** What `toString` prints between the brackets. */
  extraRepr(): string {
    return '';
  }

  toString(): string {
    const lines = [...this.namedChildren()].map(([name, child]) => `(${name}): ${child}`.replaceAll('\n', '\n  '));
    const extra = this.extraRepr();
    if (lines.length === 0) return `${this.constructor.name}(${extra})`;
    if (extra) lines.unshift(extra);
    return `${this.constructor.name}(\n  ${lines.join('\n  ')}\n)`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #namedTensors(buffers: boolean): Map<string, Tensor> {
    const names = new Map<Tensor, string>();
    for (const [name, tensor, buffer] of walkState(this)) {
      if (buffer === buffers && !names.has(tensor)) names.set(tensor, name);
    }
    return new Map([...names].map(([tensor, name]) => [name, tensor]));
  }
}

/** Every module at and below `module`, once per name, parents first. */
function* walk(module: Module, name: string, ancestors: readonly Module[]): Iterable<[string, Module]> {
  if (ancestors.includes(module)) {
    fail('Module', { expected: 'a tree of modules', got: `${module.constructor.name} inside itself, as ${name}` });
  }
  yield [name, module];
  for (const [child, member] of module.namedChildren()) {
    yield* walk(member, join(name, child), [...ancestors, module]);
  }
}

/** Every tensor at and below `module`, once per name, in PyTorch's order. */
function* walkState(root: Module): Iterable<[string, Tensor, boolean]> {
  for (const [path, module] of walk(root, '', [])) {
    const tensors = [...module.members()].filter(([, member]) => member instanceof Tensor);
    tensors.sort(([, , a], [, , b]) => Number(a) - Number(b)); // parameters, then buffers
    for (const [name, member, buffer] of tensors)
      if (member instanceof Tensor) yield [join(path, name), member, buffer];
  }
}

/** Tensors and modules in a property's value, found through arrays and plain objects. */
function* membersOf(value: unknown, name: string, seen: Set<object>): Iterable<[string, Tensor | Module]> {
  if (value instanceof Tensor || value instanceof Module) {
    yield [name, value];
  } else if (isContainer(value) && !seen.has(value)) {
    seen.add(value);
    for (const [key, item] of Object.entries(value)) yield* membersOf(item, join(name, key), seen);
  }
}

function isContainer(value: unknown): value is object {
  return Array.isArray(value) || (typeof value === 'object' && value?.constructor === Object);
}

/** PyTorch's name of a property: camelCase becomes snake_case, anything else stays. */
function stateName(property: string): string {
  if (!/^[a-z][a-zA-Z0-9]*$/.test(property)) return property;
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Shape and kind of number; float32 and float64 may be loaded into each other. */
function kindOf(tensor: Tensor): string {
  return `${tensor.dtype.startsWith('float') ? 'float' : tensor.dtype} [${tensor.shape.join(', ')}]`;
}
