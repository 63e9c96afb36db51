// CRF: the last layer of a tagger, which scores whole sequences of tags instead of each tag alone.
import { fail } from '../tensor/errors.ts';
import {
  add,
  crf,
  crfDecode,
  crfMarginals,
  div,
  fromArray,
  type Generator,
  type Indices,
  mean,
  sum,
  Tensor,
  transpose,
  zeros,
} from '../tensor/index.ts';
import { checkInteger } from './check.ts';
import { uniform_ } from './init.ts';
import { Module } from './module.ts';

/** What may never happen: a tag after another, one at the beginning, one at the end. */
export interface ForbiddenTags {
  readonly transitions?: readonly (readonly [from: number, to: number])[];
  readonly start?: readonly number[];
  readonly end?: readonly number[];
}

export interface CRFOptions {
  /** Whether emissions, tags and paths are [batch, steps, ..] instead of [steps, batch, ..] (default false). */
  readonly batchFirst?: boolean;
  /** How the losses of the sequences become one: their mean, their sum, the sum over all steps' number, or each. */
  readonly reduction?: 'mean' | 'sum' | 'tokenMean' | 'none';
  /** These paths have probability 0, in training as in decoding. `forbiddenInBio` says those of BIO tags. */
  readonly forbidden?: ForbiddenTags | null;
  readonly generator?: Generator | undefined;
}

/** Paths of tags, and what they score. */
export interface DecodedTags {
  /** For each sequence its tags, as many as it has steps. */
  readonly paths: number[][];
  /** [batch]: the score of each path; less the log-partition it would be the log of its probability. */
  readonly scores: Tensor;
}

/**
 * A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001): p(tags | x) is proportional to exp of
 * the sum of emissions, of transitions from each tag to the next, and of a score for the first and the last tag. The
 * loss is -log p by the forward algorithm, decoding is Viterbi's (Rabiner 1989). Parameters `transitions` [from, to],
 * `start_transitions` and `end_transitions` begin uniform over ±0.1.
 */
export class CRF extends Module {
  readonly startTransitions: Tensor;
  readonly endTransitions: Tensor;
  readonly transitions: Tensor;
  readonly batchFirst: boolean;
  readonly reduction: 'mean' | 'sum' | 'tokenMean' | 'none';
  readonly #masks: { start: Tensor; end: Tensor; transitions: Tensor } | null;

  constructor(
    readonly numTags: number,
    { batchFirst = false, reduction = 'mean', forbidden = null, generator }: CRFOptions = {},
  ) {
    super();
    checkInteger('CRF', 'numTags', numTags, 1);
    const parameter = (shape: readonly number[]) =>
      uniform_(zeros(shape, { requiresGrad: true }), -0.1, 0.1, { generator });
    this.startTransitions = parameter([numTags]);
    this.endTransitions = parameter([numTags]);
    this.transitions = parameter([numTags, numTags]);
    this.batchFirst = batchFirst;
    this.reduction = reduction;
    this.#masks = forbidden && masksOf(numTags, forbidden);
  }

  /**
   * The loss of tags [steps, batch] (or batch first) at emissions [steps, batch, numTags]; lengths: [batch].
   * @throws FoveaError, naming sequence and step, for a tag out of range or a path that is forbidden.
   */
  override forward(emissions: Tensor, tags: Tensor, lengths: Indices | null = null): Tensor {
    const scores = this.#ordered(emissions);
    const target = this.batchFirst ? transpose(tags, 0, 1) : tags;
    const losses = crf(scores, this.#scores.transitions, target, { ...this.#scores, lengths });
    if (this.#masks) this.#checkAllowed(losses, target, lengths);
    if (this.reduction === 'none') return losses;
    if (this.reduction === 'mean') return mean(losses);
    return this.reduction === 'sum' ? sum(losses) : div(sum(losses), Math.max(1, tokens(scores, lengths)));
  }

  /** The best path of each sequence. */
  decode(emissions: Tensor, lengths: Indices | null = null): DecodedTags {
    const { paths, scores } = crfDecode(this.#ordered(emissions), this.#scores.transitions, {
      ...this.#scores,
      lengths,
    });
    const [steps = 0, batch = 0] = paths.shape;
    const sequences = Array.from({ length: batch }, (_, b) =>
      Array.from({ length: steps }, (_, t) => paths.ints[t * batch + b] ?? -1).filter((tag) => tag >= 0),
    );
    return { paths: sequences, scores };
  }

  /** How probable each tag is at each step, of the shape of the emissions; 0 after the end. */
  marginals(emissions: Tensor, lengths: Indices | null = null): Tensor {
    const { transitions, ...options } = this.#scores;
    const y = crfMarginals(this.#ordered(emissions), transitions, { ...options, lengths });
    return this.batchFirst ? transpose(y, 0, 1) : y;
  }

  override extraRepr(): string {
    return `${this.numTags}${this.batchFirst ? ', batchFirst' : ''}`;
  }

  #ordered(emissions: Tensor): Tensor {
    return this.batchFirst ? transpose(emissions, 0, 1) : emissions;
  }

  /** The parameters, -Infinity where something is forbidden. */
  get #scores(): { start: Tensor; end: Tensor; transitions: Tensor } {
    const { startTransitions: start, endTransitions: end, transitions } = this;
    if (this.#masks === null) return { start, end, transitions };
    return {
      start: add(start, this.#masks.start),
      end: add(end, this.#masks.end),
      transitions: add(transitions, this.#masks.transitions),
    };
  }

  #checkAllowed(losses: Tensor, target: Tensor, lengths: Indices | null): void {
    const b = losses.floats.indexOf(Infinity);
    if (b < 0) return;
    const { start, end, transitions } = this.#masks!;
    const batch = losses.size;
    const length = valueAt(lengths, b) ?? target.shape[0]!;
    const tags = Array.from({ length }, (_, t) => target.ints[t * batch + b]!);
    const wrong = (what: string) =>
      fail('CRF', { expected: `tags that are not forbidden, in sequence ${b}`, got: what });
    if (start.floats[tags[0]!] !== 0) wrong(`${tags[0]} at the beginning`);
    if (end.floats[tags.at(-1)!] !== 0) wrong(`${tags.at(-1)} at the end`);
    for (let t = 1; t < length; t++) {
      if (transitions.floats[tags[t - 1]! * this.numTags + tags[t]!] !== 0) {
        wrong(`${tags[t]} after ${tags[t - 1]} at step ${t}`);
      }
    }
  }
}

const valueAt = (lengths: Indices | null, b: number): number | undefined =>
  lengths === null ? undefined : (lengths instanceof Tensor ? lengths.ints : lengths)[b];

function tokens(emissions: Tensor, lengths: Indices | null): number {
  const [steps = 0, batch = 0] = emissions.shape;
  if (lengths === null) return steps * batch;
  let total = 0;
  for (const length of lengths instanceof Tensor ? lengths.ints : lengths) total += length;
  return total;
}

/** 0 where something may be, -Infinity where not. */
function masksOf(numTags: number, { transitions = [], start = [], end = [] }: ForbiddenTags) {
  const mask = (shape: readonly number[], places: readonly number[]) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (const place of places) values[place] = -Infinity;
    return fromArray(values, shape);
  };
  for (const tag of [...start, ...end, ...transitions.flat()]) {
    if (!Number.isInteger(tag) || tag < 0 || tag >= numTags) {
      fail('CRF', { expected: `forbidden tags from 0 to ${numTags - 1}`, got: String(tag) });
    }
  }
  const places = transitions.map(([from, to]) => from * numTags + to);
  return { start: mask([numTags], start), end: mask([numTags], end), transitions: mask([numTags, numTags], places) };
}

/** What is forbidden between BIO labels (Ramshaw and Marcus 1995): `I-x` anywhere but after `B-x` or `I-x`. */
export function forbiddenInBio(labels: readonly string[]): ForbiddenTags {
  const inside = [...labels.entries()].filter(([, label]) => label.startsWith('I-'));
  const transitions = inside.flatMap(([to, label]) => {
    const kind = label.slice(2);
    const allowed = [`B-${kind}`, `I-${kind}`];
    return [...labels.keys()].filter((from) => !allowed.includes(labels[from]!)).map((from) => [from, to] as const);
  });
  return { transitions, start: inside.map(([tag]) => tag) };
}
