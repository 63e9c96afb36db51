// Whether training, measuring and predicting use programs by themselves.
import { fail } from '../tensor/errors.ts';

/** False where FOVEA_PROGRAMS=off: then everything runs eagerly, call by call. */
export function programsEnabled(): boolean {
  const value = process.env.FOVEA_PROGRAMS ?? '';
  if (value === '' || value === 'on') return true;
  return value === 'off' ? false : fail('FOVEA_PROGRAMS', { expected: 'on or off', got: `'${value}'` });
}
