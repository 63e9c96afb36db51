// What a model's outputs are worth: accuracy, top-k, and the confusion matrix with precision, recall and F1.
import type { Json } from '../io/json.ts';
import { ShapeError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A number gathered over batches, of what an objective gives as outputs and targets. `state` and `setState` let a training
 * run continue in the middle of an epoch.
 */
export interface Metric<O = Tensor, T = Tensor> {
  readonly name: string;
  reset(): void;
  /** Of those here: `outputs` are scores [batch, classes], `targets` class indices [batch]. */
  update(outputs: O, targets: T): void;
  /** NaN where nothing was measured; a row then leaves it out. */
  readonly value: number;
  state(): Json;
  setState(state: Json): void;
}

/** Checks and names the sides of a batch of scores. */
function sides(operation: string, outputs: Tensor, targets: Tensor): { batch: number; classes: number } {
  const [batch, classes] = outputs.shape;
  if (outputs.rank !== 2 || batch === undefined || classes === undefined || targets.size !== batch) {
    throw new ShapeError(
      `${operation}: expected scores [batch, classes] and targets [batch], ` +
        `but got [${outputs.shape.join(', ')}] and [${targets.shape.join(', ')}]`,
    );
  }
  return { batch, classes };
}

/** Counts hits among samples: the share of them is the metric. */
class Share implements Metric {
  readonly name: string;
  private hits = 0;
  private samples = 0;
  private readonly k: number;

  constructor(name: string, k: number) {
    this.name = name;
    this.k = k;
  }

  reset(): void {
    this.hits = 0;
    this.samples = 0;
  }

  update(outputs: Tensor, targets: Tensor): void {
    const { batch, classes } = sides(this.name, outputs, targets);
    const scores = outputs.floats;
    const truth = targets.ints;
    for (let i = 0; i < batch; i++) {
      const own = scores[i * classes + truth[i]!]!;
      let above = 0;
      for (let c = 0; c < classes; c++) {
        const score = scores[i * classes + c]!;
        // A tie goes to the lower class, as in argmax. NaN is never above, and a NaN of its own is a miss.
        if (score > own || (score === own && c < truth[i]!)) above++;
      }
      if (above < this.k && !Number.isNaN(own)) this.hits++;
    }
    this.samples += batch;
  }

  get value(): number {
    return this.hits / this.samples;
  }

  state(): Json {
    return [this.hits, this.samples];
  }

  setState(state: Json): void {
    const [hits, samples] = Array.isArray(state) ? state : [];
    this.hits = Number(hits);
    this.samples = Number(samples);
  }
}

/** The share of samples whose highest score is the target. */
export const accuracy = (): Metric => new Share('accuracy', 1);

/** The share of samples whose target is among the `k` highest scores. */
export const topK = (k: number): Metric => new Share(`top${k}`, k);

/** Counts of true class (row) against predicted class (column), and what follows from them. Its `value` is macro F1. */
export class ConfusionMatrix implements Metric {
  readonly name = 'f1';
  readonly classes: number;
  /** [classes, classes], row-major; row: true class, column: predicted class. */
  readonly counts: Float64Array;

  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Float64Array(classes * classes);
  }

  reset(): void {
    this.counts.fill(0);
  }

  update(outputs: Tensor, targets: Tensor): void {
    const { batch, classes } = sides('ConfusionMatrix', outputs, targets);
    if (classes !== this.classes) {
      throw new ShapeError(`ConfusionMatrix: expected scores of ${this.classes} classes, but got ${classes}`);
    }
    const scores = outputs.floats;
    const truth = targets.ints;
    for (let i = 0; i < batch; i++) {
      let best = 0;
      for (let c = 1; c < classes; c++) if (scores[i * classes + c]! > scores[i * classes + best]!) best = c;
      this.counts[truth[i]! * classes + best]!++;
    }
  }

  /** How many samples of class `truth` were taken for class `predicted`. */
  count(truth: number, predicted: number): number {
    return this.counts[truth * this.classes + predicted] ?? 0;
  }

  private row(c: number): number {
    return this.counts.subarray(c * this.classes, (c + 1) * this.classes).reduce((sum, n) => sum + n, 0);
  }

  private column(c: number): number {
    let sum = 0;
    for (let truth = 0; truth < this.classes; truth++) sum += this.count(truth, c);
    return sum;
  }

  get samples(): number {
    return this.counts.reduce((sum, n) => sum + n, 0);
  }

  get accuracy(): number {
    let hits = 0;
    for (let c = 0; c < this.classes; c++) hits += this.count(c, c);
    return hits / this.samples;
  }

  /** Of the samples predicted as `c`, the share that are; 0 where none was predicted. */
  precision(c: number): number {
    return this.count(c, c) / Math.max(1, this.column(c));
  }

  /** Of the samples that are `c`, the share found; 0 where there are none. */
  recall(c: number): number {
    return this.count(c, c) / Math.max(1, this.row(c));
  }

  /** Harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn); 0 where the class neither occurs nor is predicted. */
  f1(c: number): number {
    return (2 * this.count(c, c)) / Math.max(1, this.row(c) + this.column(c));
  }

  /** The number of samples that are `c`. */
  support(c: number): number {
    return this.row(c);
  }

  /** Macro F1: the plain mean of the classes' F1. */
  get value(): number {
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += this.f1(c);
    return sum / this.classes;
  }

  state(): Json {
    return [...this.counts];
  }

  setState(state: Json): void {
    if (Array.isArray(state)) this.counts.set(state.map(Number));
  }

  /** A table: one row per true class with its counts, precision, recall and F1. */
  toString(names: readonly string[] = []): string {
    const name = (c: number) => names[c] ?? String(c);
    const classes = Array.from({ length: this.classes }, (_, c) => c);
    const header = ['', ...classes.map(name), 'precision', 'recall', 'F1'];
    const rows = classes.map((c) => [
      name(c),
      ...classes.map((predicted) => String(this.count(c, predicted))),
      ...[this.precision(c), this.recall(c), this.f1(c)].map((share) => share.toFixed(4)),
    ]);
    const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i]?.length ?? 0)));
    return [header, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')).join('\n');
  }
}
