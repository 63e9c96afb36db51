// Embedding: a learned row of numbers for each of a fixed set of indices.
import { fail } from '../tensor/errors.ts';
import { clone, embedding, type Generator, type Tensor, zeros } from '../tensor/index.ts';
import { checkInteger } from './check.ts';
import { normal_ } from './init.ts';
import { Module } from './module.ts';

export interface EmbeddingOptions {
  /** The row of this index begins as zeros and gets no gradient; from the end if negative. */
  readonly paddingIdx?: number | null;
  /**
   * Whether the gradient holds only the rows that were used (`SparseGradient`), so that a step costs the same however
   * large the table is. SGD without momentum, Adam and Adagrad take it, all without penalties.
   */
  readonly sparse?: boolean;
  readonly generator?: Generator | undefined;
}

/** indices [...] int32, each below `numEmbeddings` -> [..., embeddingDim]. The weight starts normal with std 1. */
export class Embedding extends Module {
  /** [numEmbeddings, embeddingDim] */
  readonly weight: Tensor;
  readonly paddingIdx: number | null;
  readonly sparse: boolean;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    { paddingIdx = null, sparse = false, generator }: EmbeddingOptions = {},
  ) {
    super();
    checkInteger('Embedding', 'numEmbeddings', numEmbeddings, 1);
    checkInteger('Embedding', 'embeddingDim', embeddingDim, 1);
    this.paddingIdx = checkPadding(paddingIdx, numEmbeddings);
    this.sparse = sparse;
    this.weight = zeros([numEmbeddings, embeddingDim], { requiresGrad: true });
    normal_(this.weight, 0, 1, { generator });
    if (this.paddingIdx !== null) this.weight.floats.fill(0, ...this.#row(this.paddingIdx));
  }

  /**
   * A layer with these vectors [numEmbeddings, embeddingDim], which are copied; `freeze` (default true) keeps them as
   * they are. The row of `paddingIdx` is taken as it is too.
   */
  static fromPretrained(
    vectors: Tensor,
    { freeze = true, ...options }: Omit<EmbeddingOptions, 'generator'> & { readonly freeze?: boolean } = {},
  ): Embedding {
    const [count = 0, width = 0] = vectors.shape;
    if (vectors.rank !== 2 || vectors.dtype === 'int32') {
      fail('Embedding.fromPretrained', { expected: 'float vectors [numEmbeddings, embeddingDim]', got: vectors.label });
    }
    const layer = new Embedding(count, width, options);
    Reflect.set(layer, 'weight', clone(vectors.detach()));
    layer.weight.requiresGrad = !freeze;
    return layer;
  }

  override forward(indices: Tensor): Tensor {
    const { paddingIdx, sparse } = this;
    return embedding(this.weight, indices, { paddingIdx, sparse });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? '' : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${this.sparse ? ', sparse' : ''}`;
  }

  #row(index: number): [start: number, end: number] {
    return [index * this.embeddingDim, (index + 1) * this.embeddingDim];
  }
}

function checkPadding(paddingIdx: number | null, count: number): number | null {
  if (paddingIdx === null) return null;
  if (Number.isInteger(paddingIdx) && paddingIdx >= -count && paddingIdx < count) {
    return paddingIdx < 0 ? count + paddingIdx : paddingIdx;
  }
  return fail('Embedding', { expected: `paddingIdx from ${-count} to ${count - 1}`, got: String(paddingIdx) });
}
