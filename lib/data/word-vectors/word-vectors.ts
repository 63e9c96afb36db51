// Words as vectors: similarity by cosine, nearest neighbours, analogies, and a table of them for a vocabulary.
import { describe, fail } from '../../tensor/errors.ts';
import { linear, noGrad, randn, type Tensor, tensor } from '../../tensor/index.ts';

/** A word and the cosine of the angle between its vector and what was looked for. */
export interface Neighbour {
  readonly word: string;
  readonly similarity: number;
}

export interface TableOptions {
  /** Whether an unknown word is looked up in lower case too (default true). */
  readonly lowerCase?: boolean;
  /** Seed of the vectors of unknown words: normal, with the standard deviation of the known ones. Default 0. */
  readonly seed?: number;
}

/** The vectors of a vocabulary, and which of its words have one. */
export interface WordTable {
  /** [words, width] */
  readonly vectors: Tensor;
  readonly known: readonly boolean[];
}

/** An analogy: a is to b as c is to the answer. */
export type Question = readonly [a: string, b: string, c: string];

/** The most questions whose products with all words are in memory at once. */
const block = 256;

/** Words with a vector each. */
export class WordVectors {
  readonly words: readonly string[];
  /** [words, width] */
  readonly vectors: Tensor;
  readonly #indices: ReadonlyMap<string, number>;
  #units: Tensor | undefined;

  /** Throws FoveaError unless there is a vector [width] for each word, and each word is there once. */
  constructor(words: readonly string[], vectors: Tensor) {
    if (vectors.rank !== 2 || vectors.dtype === 'int32' || vectors.shape[0] !== words.length) {
      fail('WordVectors', { expected: `float vectors [${words.length}, width]`, got: vectors.label });
    }
    this.words = words;
    this.vectors = vectors;
    this.#indices = new Map([...words.entries()].map(([i, word]) => [word, i]));
    if (this.#indices.size !== words.length) {
      const twice = words.find((word, i) => this.#indices.get(word) !== i);
      fail('WordVectors', { expected: 'each word once', got: `${describe(twice)} twice` });
    }
  }

  get length(): number {
    return this.words.length;
  }

  get width(): number {
    return this.vectors.shape[1]!;
  }

  has(word: string): boolean {
    return this.#indices.has(word);
  }

  /** Its vector, without a copy. @throws FoveaError for an unknown word. */
  vector(word: string): Float32Array | Float64Array {
    return rowOf(this.vectors, this.#index('vector', word));
  }

  /** The cosine of the angle between two words' vectors, from -1 to 1; 0 if one of them is zero. */
  similarity(one: string, other: string): number {
    const index = (word: string) => this.#index('similarity', word);
    return dot(rowOf(this.#unit, index(one)), rowOf(this.#unit, index(other)));
  }

  /** The words nearest to a word, or to a vector [width], nearest first; not the word itself. */
  neighbours(of: string | ArrayLike<number>, count = 10): Neighbour[] {
    const itself = typeof of === 'string' ? this.#index('neighbours', of) : -1;
    const query = itself < 0 ? Float32Array.from(of as ArrayLike<number>) : rowOf(this.#unit, itself);
    if (query.length !== this.width) {
      fail('neighbours', { expected: `a word, or a vector of ${this.width} numbers`, got: `${query.length} numbers` });
    }
    return this.#nearest([unit(query)], [[itself]], count)[0]!;
  }

  /**
   * The words that are to c as b is to a: of the largest cosine with b - a + c, all of length 1, without the three
   * (3CosAdd, Levy and Goldberg 2014).
   */
  analogy(a: string, b: string, c: string, count = 1): Neighbour[] {
    return this.analogies([[a, b, c]], count)[0]!;
  }

  /** `analogy` for many questions, as a few large matrix products. */
  analogies(questions: readonly Question[], count = 1): Neighbour[][] {
    const found: Neighbour[][] = [];
    for (let from = 0; from < questions.length; from += block) {
      const three = questions.slice(from, from + block).map((words) => words.map((w) => this.#index('analogy', w)));
      const queries = three.map((indices) => {
        const [a, b, c] = indices.map((index) => rowOf(this.#unit, index));
        return unit(b!.map((value, i) => value - a![i]! + c![i]!));
      });
      found.push(...this.#nearest(queries, three, count));
    }
    return found;
  }

  /** The vectors of a vocabulary's words, for `Embedding.fromPretrained`; unknown words get random ones. */
  tableFor(vocabulary: readonly string[], { lowerCase = true, seed = 0 }: TableOptions = {}): WordTable {
    const { width } = this;
    const indices = vocabulary.map(
      (word) => this.#indices.get(word) ?? (lowerCase ? this.#indices.get(word.toLowerCase()) : undefined),
    );
    const vectors = randn([vocabulary.length, width], { seed });
    const { floats } = vectors;
    const scale = deviation(this.vectors.floats);
    for (let i = 0; i < floats.length; i++) floats[i]! *= scale;
    for (const [i, index] of indices.entries()) {
      if (index !== undefined) floats.set(rowOf(this.vectors, index), i * width);
    }
    return { vectors, known: indices.map((index) => index !== undefined) };
  }

  #index(operation: string, word: string): number {
    const index = this.#indices.get(word);
    const expected = `one of the ${this.length} words that have a vector`;
    return index ?? fail(operation, { expected, got: describe(word) });
  }

  /** All vectors at length 1; a zero vector stays. */
  get #unit(): Tensor {
    if (this.#units === undefined) {
      const units = this.vectors.clone();
      for (let i = 0; i < this.length; i++) {
        const row = rowOf(units, i);
        row.set(unit(row));
      }
      this.#units = units;
    }
    return this.#units;
  }

  /** For each query of length 1 the words of the largest products with it, but those excluded. */
  #nearest(
    queries: readonly (Float32Array | Float64Array)[],
    excluded: readonly (readonly number[])[],
    count: number,
  ): Neighbour[][] {
    if (queries.length === 0) return [];
    const { dtype } = this.vectors;
    const asked = tensor(
      queries.map((query) => [...query]),
      { dtype },
    );
    const products = noGrad(() => linear(asked, this.#unit)).floats;
    return queries.map((_, q) => {
      const scores = products.subarray(q * this.length, (q + 1) * this.length);
      for (const index of excluded[q]!) if (index >= 0) scores[index] = Number.NEGATIVE_INFINITY;
      return largest(scores, count).map((index) => ({ word: this.words[index]!, similarity: scores[index]! }));
    });
  }
}

const rowOf = (matrix: Tensor, index: number) => {
  const width = matrix.shape[1]!;
  return matrix.floats.subarray(index * width, (index + 1) * width);
};

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function unit<A extends Float32Array | Float64Array>(vector: A): A {
  const length = Math.sqrt(dot(vector, vector));
  return (length === 0 ? vector : vector.map((value) => value / length)) as A;
}

/** The standard deviation around 0. */
const deviation = (values: ArrayLike<number>): number => Math.sqrt(dot(values, values) / Math.max(1, values.length));

/** The places of the largest scores above -Infinity, largest first, the first of equals first. */
function largest(scores: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score === Number.NEGATIVE_INFINITY) continue;
    if (best.length === count && !(score > scores[best.at(-1)!]!)) continue;
    let at = best.length;
    while (at > 0 && score > scores[best[at - 1]!]!) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
