// Chooses a way to write a digit.
import type { Random } from '../random.ts';
import { eight, five, nine, seven, six } from './five-to-nine.ts';
import type { Stroke, Writing } from './stroke.ts';
import { four, one, three, two, zero } from './zero-to-four.ts';

const writings: readonly (readonly Writing[])[] = [zero, one, two, three, four, five, six, seven, eight, nine];

/** One digit as somebody might write it. */
export function writeDigit(digit: number, random: Random): readonly Stroke[] {
  const ways = writings[digit] ?? [];
  let rest = random.uniform() * ways.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, draw } of ways) {
    rest -= weight;
    if (rest < 0) return draw((low, high) => random.uniform(low, high));
  }
  return [];
}
