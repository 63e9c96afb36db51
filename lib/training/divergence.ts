// When numbers stop being finite: which layer was the first, found only once it has happened.
import { Module } from '../nn/index.ts';
import { FoveaError, gradientValues, noGrad, Tensor } from '../tensor/index.ts';

/** Training met NaN or infinity. The step that did so changed no weight and was not saved. */
export class DivergenceError extends FoveaError {
  override readonly name: string = 'DivergenceError';

  constructor(
    message: string,
    /** From 1. */
    readonly epoch: number,
    /** From 1, in its epoch. */
    readonly step: number,
    /** Where it was seen first, such as `gradient of lstm.weight_hh_l0` or `output of fc1 (Linear)`. */
    readonly layer: string,
    /** The last good checkpoint. */
    readonly checkpoint: string | undefined,
  ) {
    super(message);
  }
}

/** The first number of a tensor that is not finite. */
export function nonFinite({ dtype, data }: Tensor): number | undefined {
  if (dtype === 'int32') return undefined;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return data[i];
  return undefined;
}

/** The parameter nearest to the loss whose gradient is not finite: from there it spread to the layers before. */
export function firstBadGradient(model: Module): string | undefined {
  const bad = [...model.namedParameters()].filter(
    ([, { grad }]) => grad && nonFinite(gradientValues(grad)) !== undefined,
  );
  const last = bad.at(-1);
  return last && `gradient of ${last[0]}`;
}

/**
 * Where `measure`, run once more, first meets a number that is not finite: in a parameter, in what a module is given or in
 * what one of its methods gives back; else in the loss.
 */
export function firstBadOutput(model: Module, measure: () => unknown): string {
  for (const [name, parameter] of model.namedParameters()) if (nonFinite(parameter) !== undefined) return name;
  let found: string | undefined;
  const restore: (() => void)[] = [];
  for (const [name, module] of model.namedModules()) {
    const title = `${name || 'the model'} (${module.constructor.name})`;
    for (const key of methodsOf(module)) {
      const method: unknown = Reflect.get(module, key);
      if (typeof method !== 'function') continue;
      const watched = (...inputs: unknown[]): unknown => {
        if (inputs.some(holdsNonFinite)) found ??= `input of ${title}`;
        const result: unknown = Reflect.apply(method, module, inputs);
        if (holdsNonFinite(result)) found ??= `output of ${title}`;
        return result;
      };
      Object.defineProperty(module, key, { value: watched, configurable: true });
      restore.push(() => Reflect.deleteProperty(module, key));
    }
  }
  try {
    noGrad(measure);
  } finally {
    for (const undo of restore) undo();
  }
  return found ?? 'the loss';
}

/** Names of the methods that a module has beyond those of every module, `forward` for one. */
function methodsOf(module: Module): Set<string> {
  const names = new Set<string>();
  for (let type: unknown = Object.getPrototypeOf(module); type instanceof Module; type = Object.getPrototypeOf(type)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return names;
}

/** Looks into arrays and plain objects. */
function holdsNonFinite(value: unknown): boolean {
  if (value instanceof Tensor) return nonFinite(value) !== undefined;
  if (Array.isArray(value)) return value.some(holdsNonFinite);
  if (typeof value !== 'object' || value?.constructor !== Object) return false;
  return Object.values(value).some(holdsNonFinite);
}
