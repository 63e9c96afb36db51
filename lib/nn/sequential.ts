// Sequential, and the layers that only rearrange: Flatten, ConstantPad2d, Identity.
import { fail } from '../tensor/errors.ts';
import { pad, type Tensor } from '../tensor/index.ts';
import { checkInteger, checkNumber } from './check.ts';
import { Module } from './module.ts';

/** Modules one after the other; given as a list they are named 0, 1, …, given as a record by its keys. */
export class Sequential extends Module {
  readonly #layers: ReadonlyMap<string, Module>;

  constructor(layers: Readonly<Record<string, Module>>);
  constructor(...layers: Module[]);
  constructor(...layers: (Module | Readonly<Record<string, Module>>)[]) {
    super();
    const [first] = layers;
    const record = layers.length === 1 && first !== undefined && !(first instanceof Module) ? first : layers;
    this.#layers = new Map(
      Object.entries(record).map(([name, layer]: [string, unknown]) => {
        if (layer instanceof Module) return [name, layer];
        return fail('Sequential', { expected: 'modules', got: `${typeof layer} as layer ${name}` });
      }),
    );
  }

  override *members(): Iterable<[string, Module, boolean]> {
    for (const [name, layer] of this.#layers) yield [name, layer, false];
  }

  get length(): number {
    return this.#layers.size;
  }

  /** The layer of that position or name. @throws FoveaError if there is none. */
  at(layer: number | string): Module {
    const found = typeof layer === 'number' ? [...this.#layers.values()].at(layer) : this.#layers.get(layer);
    const names = [...this.#layers.keys()].join(', ');
    return found ?? fail('Sequential', { expected: `one of the layers ${names}`, got: String(layer) });
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.#layers.values();
  }

  override forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.#layers.values()) y = layer.forward(y);
    return y;
  }
}

/** Makes one dimension of those from `start` to `end`, by default all but the batch. */
export class Flatten extends Module {
  constructor(
    readonly start = 1,
    readonly end = -1,
  ) {
    super();
    checkInteger('Flatten', 'start', start, -8);
    checkInteger('Flatten', 'end', end, -8);
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }
}

/** Puts `size` rows and columns of one value around pictures: [batch, channels, height + 2 size, width + 2 size]. */
export class ConstantPad2d extends Module {
  constructor(
    readonly size: number,
    readonly value: number,
  ) {
    super();
    checkInteger('ConstantPad2d', 'size', size, 0);
    checkNumber('ConstantPad2d', 'value', value, -Infinity);
  }

  override forward(x: Tensor): Tensor {
    const { size, value } = this;
    return pad(
      x,
      [
        [0, 0],
        [0, 0],
        [size, size],
        [size, size],
      ],
      value,
    );
  }

  override extraRepr(): string {
    return `${this.size}, value=${this.value}`;
  }
}

/** Gives back what it gets. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
