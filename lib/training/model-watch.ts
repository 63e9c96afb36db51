// Notices when a network is no longer the one that was recorded: other layers, weights or settings.
import type { Module } from '../nn/index.ts';

/** A module, and what its properties were, arrays element by element. */
interface Seen {
  readonly module: Module;
  readonly values: readonly unknown[];
}

export class ModelWatch {
  #seen: Seen[] = [];
  #revision = 0;

  constructor(private readonly model: Module) {}

  /** Another number when a property of a module has changed since the last call, its mode apart. */
  get revision(): number {
    if (this.#seen.length === 0 || this.#seen.some(hasChanged)) {
      this.#seen = [...this.model.namedModules().values()].map((module) => ({ module, values: valuesOf(module) }));
      this.#revision++;
    }
    return this.#revision;
  }

  /** Which modules are in training mode. */
  get modes(): string {
    let modes = '';
    for (const { module } of this.#seen) modes += module.training ? 't' : 'e';
    return modes;
  }
}

function valuesOf(module: Module): unknown[] {
  return Object.entries(module).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'training') return [];
    return Array.isArray(value) ? [value.length, ...value] : [value];
  });
}

/** Without making arrays, because it comes with every step. */
function hasChanged({ module, values }: Seen): boolean {
  let next = 0;
  for (const name in module) {
    if (name === 'training') continue;
    const value: unknown = module[name as keyof Module];
    if (!Array.isArray(value)) {
      if (value !== values[next++]) return true;
      continue;
    }
    if (value.length !== values[next++]) return true;
    for (const element of value) if (element !== values[next++]) return true;
  }
  return next !== values.length;
}
