// What was tried on rows that miss their goal, by the begin of their title; the longest that fits counts.
import { type Row, title } from './row.ts';

const notes: Readonly<Record<string, string>> = {};

/** The note for a row; '' where there is none. */
export function tried(row: Row): string {
  const fitting = Object.keys(notes).filter((begin) => title(row).startsWith(begin));
  return notes[fitting.sort((a, b) => b.length - a.length)[0] ?? ''] ?? '';
}
