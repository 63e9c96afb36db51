// JSON for files: duplicate keys are refused when reading, and non-finite numbers survive the round trip.

/** What JSON can hold; non-finite numbers included, see {@link stringify}. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The first key that occurs twice in one object of this valid JSON text. `JSON.parse` would keep the last silently. */
export function duplicateKey(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') objects.push(new Set());
    else if (text[at] === '}') objects.pop();
    else if (text[at] === '"') {
      const begin = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      let after = at + 1;
      while (' \t\n\r'.includes(text[after] ?? ':')) after++;
      if (text[after] !== ':') continue;
      const key = String(JSON.parse(text.slice(begin, at + 1)));
      const keys = objects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

/** Whether a parsed value is an object with keys, neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NUMBER = '$number';

/**
 * JSON text with sorted keys, so that equal values give equal bytes. NaN, Infinity and -0, which JSON cannot hold, become
 * `{"$number": "NaN"}`; {@link parse} turns them back.
 */
export function stringify(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, item: unknown) => {
    if (typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0))) {
      return { [NUMBER]: Object.is(item, -0) ? '-0' : String(item) };
    }
    return isRecord(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item;
  });
}

/** Reads what {@link stringify} wrote. Throws SyntaxError for text that is not JSON. */
export function parse(text: string): Json {
  return JSON.parse(text, (_key, item: unknown) => {
    if (isRecord(item) && Object.hasOwn(item, NUMBER)) return Number(item[NUMBER]);
    return item;
  });
}
