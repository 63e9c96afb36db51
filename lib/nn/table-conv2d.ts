// TableConv2d: a convolution in which a table says which input channels each output channel sees.
import { fail } from '../tensor/errors.ts';
import { concat, conv2d, type Generator, type Pair, type Tensor, tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkInteger, checkPair } from './check.ts';
import { uniform_ } from './init.ts';
import { Module } from './module.ts';

/**
 * x [batch, inChannels, height, width] -> [batch, table.length, outHeight, outWidth], at stride 1, without padding.
 * `table[o]` lists the input channels that output channel o sees.
 *
 * Only connections that exist have weights: weight [connections, kernelHeight, kernelWidth], in the order of the table.
 * So a missing one stays exactly zero whatever an optimizer does, and parameters count as in LeCun et al. 1998.
 */
export class TableConv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly kernelSize: readonly [number, number];
  /** For each (output, input) channel its row of `weight`, or the row of zeros that follows the last one. */
  readonly #rows: Tensor;

  constructor(
    readonly inChannels: number,
    readonly table: readonly (readonly number[])[],
    kernelSize: Pair,
    { generator }: { generator?: Generator | undefined } = {},
  ) {
    super();
    checkInteger('TableConv2d', 'inChannels', inChannels, 1);
    checkInteger('TableConv2d', 'the length of the table', table.length, 1);
    this.kernelSize = checkPair('TableConv2d', 'kernelSize', kernelSize, 1);
    const connections = table.flat().length;
    const rows = new Int32Array(table.length * inChannels).fill(connections);
    const fanIns: number[] = []; // of each connection: the inputs of its output channel
    for (const [output, inputs] of table.entries()) {
      const known = inputs.every((input) => Number.isInteger(input) && input >= 0 && input < inChannels);
      if (inputs.length === 0 || new Set(inputs).size !== inputs.length || !known) {
        const expected = `row ${output} of the table to list distinct input channels below ${inChannels}`;
        fail('TableConv2d', { expected, got: `[${inputs.join(', ')}]` });
      }
      for (const input of inputs) {
        rows[output * inChannels + input] = fanIns.length;
        fanIns.push(inputs.length * this.kernelSize[0] * this.kernelSize[1]);
      }
    }
    this.#rows = tensor(rows);
    this.weight = zeros([connections, ...this.kernelSize], { requiresGrad: true });
    this.bias = zeros([table.length], { requiresGrad: true });
    // Uniform with the standard deviation 1 / sqrt(fanIn) of LeCun et al. 1998, "Efficient BackProp".
    uniform_(this.weight, -1, 1, { generator });
    const area = this.kernelSize[0] * this.kernelSize[1];
    const values = this.weight.floats;
    for (let i = 0; i < values.length; i++) values[i]! *= Math.sqrt(3 / fanIns[Math.floor(i / area)]!);
    this.weight.touch();
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.denseWeight(), this.bias);
  }

  /** The weight as Conv2d would have it: [outChannels, inChannels, kernelHeight, kernelWidth], zero where unconnected. */
  denseWeight(): Tensor {
    const none = zeros([1, ...this.kernelSize], { dtype: this.weight.dtype });
    const dense = concat([this.weight, none], 0).indexSelect(0, this.#rows);
    return dense.reshape(this.table.length, this.inChannels, ...this.kernelSize);
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return (output[0] ?? 1) * product(output, 2) * this.weight.size;
  }

  override extraRepr(): string {
    const connections = this.weight.shape[0];
    return `${this.inChannels}, ${this.table.length}, kernelSize=(${this.kernelSize.join(', ')}), connections=${connections}`;
  }
}
