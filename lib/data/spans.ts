// Spans in sequences of tags: B-PER I-PER O is one person of two words. Read as the conlleval script of CoNLL-2000 does.

export interface Span {
  readonly type: string;
  /** First word. */
  readonly begin: number;
  /** After the last word. */
  readonly end: number;
}

/**
 * The spans that tags mark, in order. BIO (each span begins with B-), IOB1 (B- only after a span of its type) and IOBES (a
 * span ends with E-, or is a single S-) need no telling apart: a word goes on with the span before it where it has I- or E-
 * and that one's last word had B- or I- of the same type; else it begins a span. So tags that no scheme allows, such as
 * O I-PER or B-PER I-LOC, have a meaning too. `O` is outside; a tag without a prefix is a span for itself.
 */
export function spans(tags: readonly string[]): Span[] {
  const found: { type: string; begin: number; end: number }[] = [];
  let open: (typeof found)[number] | undefined;
  for (const [i, tag] of tags.entries()) {
    const { prefix, type } = partsOf(tag);
    if (prefix === 'O') {
      open = undefined;
      continue;
    }
    if (open?.type === type && (prefix === 'I' || prefix === 'E')) {
      open.end = i + 1;
    } else {
      open = { type, begin: i, end: i + 1 };
      found.push(open);
    }
    if (prefix === 'E' || prefix === 'S') open = undefined;
  }
  return found;
}

/** Whether a set of tags marks spans: it has O or B-, I-, E- or S- before each name, and O is not alone. */
export function marksSpans(tags: Iterable<string>): boolean {
  const prefixes = new Set([...tags].map((tag) => /^(?:O$|[BIES]-(?=.))/.exec(tag)?.[0]));
  return !prefixes.has(undefined) && prefixes.size > (prefixes.has('O') ? 1 : 0);
}

function partsOf(tag: string): { prefix: string; type: string } {
  if (tag === 'O') return { prefix: 'O', type: '' };
  const [, prefix = 'S', type = tag] = /^([BIES])-(.*)$/.exec(tag) ?? [];
  return { prefix, type };
}
