// What a tagger is worth: accuracy of known and unknown words, precision, recall and F1 of spans, and of intents.
import { marksSpans, type SentenceBatch, type SentenceEncoder, spans, type TaggedSentence } from '../data/index.ts';
import type { Json } from '../io/json.ts';
import type { Metric } from './metrics.ts';

/** What a model says of a sentence: numbers of tags, one for each word, and of an intent. */
export interface TagNumbers {
  readonly tags: readonly number[];
  readonly intent: number | undefined;
}

/** Hits among all. */
export class Share {
  hits = 0;
  all = 0;

  count(hit: boolean): void {
    this.all++;
    if (hit) this.hits++;
  }

  /** NaN where there are none. */
  get share(): number {
    return this.hits / this.all;
  }
}

/** Spans found among those predicted and those there are. */
export class SpanCounts {
  correct = 0;
  predicted = 0;
  actual = 0;

  /** Of the spans predicted, the share that are right in type, begin and end; 0 where none was predicted. */
  get precision(): number {
    return this.correct / Math.max(1, this.predicted);
  }

  /** Of the spans there are, the share found; 0 where there are none. */
  get recall(): number {
    return this.correct / Math.max(1, this.actual);
  }

  /** Harmonic mean of precision and recall; 0 where there are no spans at all. */
  get f1(): number {
    return (2 * this.correct) / Math.max(1, this.predicted + this.actual);
  }
}

/** Precision, recall and F1 of spans by type, as the conlleval script of CoNLL-2000 defines them. */
export class SpanScore {
  readonly total = new SpanCounts();
  readonly types = new Map<string, SpanCounts>();

  add(actual: readonly string[], predicted: readonly string[]): void {
    const truth = spans(actual);
    const key = ({ type, begin, end }: (typeof truth)[number]) => `${begin} ${end} ${type}`;
    const known = new Set(truth.map(key));
    for (const span of truth) for (const counts of this.#of(span.type)) counts.actual++;
    for (const span of spans(predicted)) {
      for (const counts of this.#of(span.type)) {
        counts.predicted++;
        if (known.has(key(span))) counts.correct++;
      }
    }
  }

  #of(type: string): readonly SpanCounts[] {
    const own = this.types.get(type) ?? new SpanCounts();
    this.types.set(type, own);
    return [this.total, own];
  }
}

/** Everything there is to say of a tagger on some sentences. Its `value` is the accuracy of tags. */
export class TaggingScore implements Metric<readonly TagNumbers[], SentenceBatch> {
  readonly name: string = 'accuracy';
  readonly #encoder: SentenceEncoder;
  words = new Share();
  /** Of these, the words that did not occur in training. */
  unknown = new Share();
  /** All tags right, and the intent. */
  sentences = new Share();
  intents = new Share();
  /** Undefined where tags mark no spans. */
  spans: SpanScore | undefined;
  /** How often each tag was taken for each: by the true one, then by the predicted one. */
  confusion = new Map<string, Map<string, number>>();

  constructor(encoder: SentenceEncoder) {
    this.#encoder = encoder;
    this.reset();
  }

  reset(): void {
    for (const share of ['words', 'unknown', 'sentences', 'intents'] as const) this[share] = new Share();
    this.spans = marksSpans(this.#encoder.tags.words) ? new SpanScore() : undefined;
    this.confusion = new Map();
  }

  update(predictions: readonly TagNumbers[], { sentences }: Pick<SentenceBatch, 'sentences'>): void {
    for (const [i, sentence] of sentences.entries()) this.#add(sentence, predictions[i]!);
  }

  #add({ words, tags, intent }: TaggedSentence, prediction: TagNumbers): void {
    const predicted = prediction.tags.map((tag) => this.#encoder.tags.word(tag) ?? '');
    for (const [i, word] of words.entries()) {
      const [tag = '', guess = ''] = [tags[i], predicted[i]];
      this.words.count(tag === guess);
      if (!this.#encoder.words.has(word)) this.unknown.count(tag === guess);
      const row = this.confusion.get(tag) ?? new Map<string, number>();
      this.confusion.set(tag, row.set(guess, (row.get(guess) ?? 0) + 1));
    }
    const kind = prediction.intent === undefined ? undefined : this.#encoder.intents.word(prediction.intent);
    const asked = intent !== undefined && kind !== undefined;
    if (asked) this.intents.count(intent === kind);
    this.sentences.count(tags.every((tag, i) => tag === predicted[i]) && (!asked || intent === kind));
    this.spans?.add(tags, predicted);
  }

  get value(): number {
    return this.words.share;
  }

  /** The most frequent mistakes, most frequent first. */
  mistakes(limit: number): { actual: string; predicted: string; count: number }[] {
    return [...this.confusion]
      .flatMap(([actual, row]) => [...row].map(([predicted, count]) => ({ actual, predicted, count })))
      .filter(({ actual, predicted }) => actual !== predicted)
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }

  /** Taggers say what they think only outside training: in the middle of an epoch there is nothing to keep. */
  state(): Json {
    return null;
  }

  setState(): void {
    this.reset();
  }
}

/** F1 of spans. */
class SpanF1 extends TaggingScore {
  override readonly name = 'f1';

  override get value(): number {
    return this.words.all === 0 ? Number.NaN : (this.spans?.total.f1 ?? Number.NaN);
  }
}

/** Accuracy of intents. */
class IntentAccuracy extends TaggingScore {
  override readonly name = 'intent';

  override get value(): number {
    return this.intents.share;
  }
}

/** For `fit` and `evaluate`: accuracy of tags, and where there are such, F1 of spans and accuracy of intents. */
export function taggingMetrics(encoder: SentenceEncoder): TaggingScore[] {
  const score = new TaggingScore(encoder);
  return [
    score,
    ...(score.spans ? [new SpanF1(encoder)] : []),
    ...(encoder.intents.size > 0 ? [new IntentAccuracy(encoder)] : []),
  ];
}
