// What may be recorded without being asked for: networks known to do the same for all batches of one form.
import { programsEnabled } from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { Meaning } from './evaluate.ts';

let known: ReadonlySet<unknown> | undefined;

/**
 * Whether every module of a network is a layer of this library, or of a class that says so by `static recordable = true`:
 * the same kernel calls for inputs of the same shapes, as long as its mode and its properties stay the same (`ModelWatch`).
 */
export function isRecordable(model: nn.Module): boolean {
  known ??= new Set(Object.values(nn));
  return [...model.namedModules().values()].every((module) => {
    const kind = module.constructor;
    const says = Object.hasOwn(kind, 'recordable') && Reflect.get(kind, 'recordable') === true;
    return (says || known?.has(kind)) && !Object.hasOwn(module, 'forward');
  });
}

/** Whether batches are to be measured by programs: where asked for, or where that cannot change what happens. */
export function usesPrograms<B, O, T>(
  model: nn.Module,
  { objective, loss, programs }: Meaning<B, O, T> & { readonly programs?: boolean | undefined },
): boolean {
  if (programs === false || !programsEnabled()) return false;
  const known = objective === undefined && (loss === undefined || (loss instanceof nn.Module && isRecordable(loss)));
  return programs === true || (known && isRecordable(model));
}
