// Summaries: counted by hand.
import { describe, expect, it } from 'vitest';
import { LeNet5, LeNet5Classic } from '../../lib/models/index.ts';
import {
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  Embedding,
  LayerNorm,
  Linear,
  LSTM,
  Module,
  ReLU,
  Sequential,
  summary,
} from '../../lib/nn/index.ts';
import { type Tensor, zeros } from '../../lib/tensor/index.ts';

describe('summary', () => {
  it('of LeNet-5 is what one counts by hand', () => {
    const { rows, totals } = summary(new LeNet5(), [1, 28, 28]);
    const counted = rows.map(({ name, outputShape, parameters, multiplyAdds }) => [
      name,
      outputShape,
      parameters,
      multiplyAdds,
    ]);
    expect(counted).toEqual([
      ['conv1', [1, 6, 28, 28], 156, 117_600], // 6 (25 + 1); 4,704 outputs of 25
      ['relu1', [1, 6, 28, 28], 0, 0],
      ['pool1', [1, 6, 14, 14], 0, 0],
      ['conv2', [1, 16, 10, 10], 2_416, 240_000], // 16 (150 + 1); 1,600 outputs of 150
      ['relu2', [1, 16, 10, 10], 0, 0],
      ['pool2', [1, 16, 5, 5], 0, 0],
      ['flatten', [1, 400], 0, 0],
      ['fc1', [1, 120], 48_120, 48_000],
      ['relu3', [1, 120], 0, 0],
      ['fc2', [1, 84], 10_164, 10_080],
      ['relu4', [1, 84], 0, 0],
      ['fc3', [1, 10], 850, 840],
    ]);
    expect(totals.parameters).toBe(61_706);
    expect(totals.multiplyAdds).toBe(416_520);
    const outputs = 4_704 * 2 + 1_176 + 1_600 * 2 + 400 * 2 + 120 * 2 + 84 * 2 + 10;
    expect(totals.bytes).toBe(4 * (61_706 + outputs));
  });

  it('of LeNet-5 of 1998 has the 60,000 parameters of the paper and a linear output layer', () => {
    const { rows, totals } = summary(new LeNet5Classic(), [1, 28, 28]);
    const parameters = Object.fromEntries(
      rows.filter((row) => row.parameters > 0).map((row) => [row.name, row.parameters]),
    );
    expect(parameters).toEqual({ c1: 156, s2: 12, c3: 1_516, s4: 32, c5: 48_120, f6: 10_164, output: 850 });
    expect(totals.parameters - 850).toBe(60_000);
    expect(rows.find(({ name }) => name === 'c3')).toMatchObject({
      outputShape: [1, 16, 10, 10],
      multiplyAdds: 150_000,
    });
  });

  it('counts the work of sequences, groups and normalisation', () => {
    const work = (model: Module, shape: number[]) => summary(model, shape).totals.multiplyAdds;
    expect(work(new Conv1d(4, 6, 3, { groups: 2 }), [4, 10])).toBe(6 * 8 * 2 * 3);
    expect(work(new Conv2d(4, 4, 3, { groups: 4, stride: 2 }), [4, 9, 9])).toBe(4 * 16 * 9);
    expect(work(new BatchNorm2d(3), [3, 4, 4])).toBe(48);
    expect(work(new LayerNorm(5), [2, 5])).toBe(10);
  });

  it('leaves modes, statistics and methods as they were', () => {
    const norm = new BatchNorm2d(1);
    const model = new Sequential(norm, new Dropout(), new ReLU().eval());
    summary(model, [1, 2, 2]);
    expect([...model.namedModules().values()].map(({ training }) => training)).toEqual([true, true, true, false]);
    expect(norm.numBatchesTracked!.item()).toBe(0);
    expect(Object.hasOwn(norm, 'forward')).toBe(false);
  });

  it('also puts everything back when the model fails', () => {
    const layer = new Linear(3, 1);
    expect(() => summary(layer, [2])).toThrow('linear');
    expect([Object.hasOwn(layer, 'forward'), layer.training]).toEqual([false, true]);
  });

  it('counts a layer that is called twice once in parameters and twice in work', () => {
    const layer = new Linear(3, 3);
    const { rows, totals } = summary(new Sequential(layer, layer), [3]);
    expect(rows.map((row) => [row.parameters, row.multiplyAdds])).toEqual([
      [12, 9],
      [0, 9],
    ]);
    expect(totals.parameters).toBe(12);
  });

  it('sees nested modules, parameters beside children, and layers that are not called', () => {
    class Odd extends Module {
      readonly inner = new Sequential({ conv: new Conv2d(1, 1, 1, { bias: false }) });
      readonly unused = new Linear(2, 2);
      readonly scale = new Conv2d(1, 1, 1).weight;
      override forward(x: Tensor): Tensor {
        return this.inner.forward(x).mul(this.scale);
      }
    }
    const model = new Odd();
    model.unused.weight.requiresGrad = false;
    const result = summary(model, [1, 4, 4]);
    expect(result.rows.map((row) => [row.name, row.type, row.outputShape, row.parameters])).toEqual([
      ['inner.conv', 'Conv2d', [1, 1, 4, 4], 1],
      ['', 'Odd', [1, 1, 4, 4], 1],
      ['unused', 'Linear', undefined, 6],
    ]);
    expect(result.totals).toMatchObject({ parameters: 8, trainable: 4 });
    expect(String(result)).toContain('of the parameters 4 are frozen');
  });

  it('runs what it is given, and notes recurrent layers by forward and by unroll', () => {
    class Reader extends Module {
      readonly embedding = new Embedding(10, 4);
      readonly lower = new LSTM(4, 3, { bidirectional: true });
      readonly upper = new LSTM(6, 2);
      override forward(tokens: Tensor): Tensor {
        const { output } = this.lower.unroll(this.embedding.forward(tokens), { lengths: [5] });
        return this.upper.forward(output);
      }
    }
    const model = new Reader();
    const { rows, totals } = summary(model, () => model.forward(zeros([5, 1], { dtype: 'int32' })));
    expect(rows.map((row) => [row.name, row.outputShape, row.parameters, row.multiplyAdds])).toEqual([
      ['embedding', [5, 1, 4], 40, 0],
      ['lower', [5, 1, 6], 2 * (12 * (4 + 3) + 24), 5 * 2 * 12 * (4 + 3)],
      ['upper', [5, 1, 2], 8 * (6 + 2) + 16, 5 * 8 * (6 + 2)],
    ]);
    expect(totals.parameters).toBe(40 + 216 + 80);
    expect([Object.hasOwn(model.lower, 'unroll'), Object.hasOwn(model.upper, 'forward')]).toEqual([false, false]);
  });

  it('prints an aligned table with totals', () => {
    expect(String(summary(new Sequential(new Linear(1000, 20), new ReLU()), [1000]))).toBe(
      [
        'layer  type    output shape  parameters  multiply-adds   bytes',
        '--------------------------------------------------------------',
        '0      Linear  [1, 20]           20,020         20,000  80,160',
        '1      ReLU    [1, 20]                0              0      80',
        '--------------------------------------------------------------',
        'total                            20,020         20,000  80,240',
      ].join('\n'),
    );
  });
});
