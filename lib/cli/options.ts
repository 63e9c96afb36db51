// Reading numbers and words from the command line.
import { InvalidArgumentError } from 'commander';

/** A whole number of at least `low`, and exact. */
export const integer = (low: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < low) {
    throw new InvalidArgumentError(`Expected an integer from ${low} to 2^53 - 1.`);
  }
  return value;
};

/** A number above `low`, and below `high` where given. */
export const number =
  (low: number, high = Infinity) =>
  (text: string) => {
    const value = Number(text);
    if (text.trim() === '' || !(value > low && value < high)) {
      throw new InvalidArgumentError(`Expected a number above ${low}${high < Infinity ? ` and below ${high}` : ''}.`);
    }
    return value;
  };

/** One of these words. */
export const choice =
  <Word extends string>(...words: readonly Word[]) =>
  (text: string) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new InvalidArgumentError(`Expected one of ${words.join(', ')}.`);
    return found;
  };

/** A number from `low` to `high`, both included. */
export const numberFrom =
  (low: number, high = Infinity) =>
  (text: string) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high) {
      throw new InvalidArgumentError(
        `Expected a number ${high < Infinity ? `from ${low} to ${high}` : `of at least ${low}`}.`,
      );
    }
    return value;
  };

/** An example at the end of a command's help. */
export const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;

/** 12345 -> 12,345 */
export const count = (value: number) => value.toLocaleString('en-US');

/** 0.98765 -> 98.77 % */
export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
