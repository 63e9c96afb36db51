// What a network is made of: its layers with their output shapes, parameters, work and memory.
import { noGrad, Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import type { Module } from './module.ts';
import { Recurrent } from './recurrent.ts';

/** One call of a layer, or a layer that was not called. */
export interface SummaryRow {
  /** As in the state dict; '' for the model itself. */
  readonly name: string;
  readonly type: string;
  /** With a batch of 1; undefined where the layer was not called. */
  readonly outputShape: readonly number[] | undefined;
  /** Numbers in its own parameters; a parameter that an earlier row counted counts 0. */
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Of its parameters, buffers and output. */
  readonly bytes: number;
}

export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly totals: {
    readonly parameters: number;
    readonly trainable: number;
    readonly multiplyAdds: number;
    readonly bytes: number;
  };
  toString(): string;
}

/**
 * Runs the model once and notes every call of a layer that holds parameters or has no children.
 * @param input the shape of one example, e.g. [channels, height, width], of which the model gets a batch of one, all zeros;
 * or a function that calls the model, for one that takes something else: `() => tagger.scores(batch)`.
 *
 * Multiply-adds are those of convolutions, linear and recurrent layers and normalisation; comparisons, additions and
 * activations are not counted, nor are ops that a model calls without a layer.
 */
export function summary(model: Module, input: readonly number[] | (() => unknown)): Summary {
  const run = typeof input === 'function' ? input : () => model.forward(zeros([1, ...input]));
  const names = new Map([...model.namedModules()].map(([name, module]) => [module, name]));
  const calls: Call[] = [];
  const modes = [...names.keys()].map((module) => [module, module.training] as const);
  const restore = [...names.keys()].map((module) => record(module, calls));
  try {
    model.eval();
    noGrad(run);
  } finally {
    for (const undo of restore) undo();
    for (const [module, training] of modes) module.training = training;
  }
  const called = new Set(calls.map(({ module }) => module));
  const unused = [...names.keys()].filter((module) => !called.has(module) && module.ownParameters().length > 0);

  const counted = new Set<Tensor>();
  const rows = [...calls, ...unused.map((module) => ({ module, inputs: [], output: undefined }))].map(
    ({ module, inputs, output }): SummaryRow => {
      const tensors: Tensor[] = [];
      for (const [, member] of module.members()) {
        if (member instanceof Tensor && !counted.has(member)) tensors.push(member);
      }
      for (const one of tensors) counted.add(one);
      const parameters = new Set(module.ownParameters());
      return {
        name: names.get(module) ?? '',
        type: module.constructor.name,
        outputShape: output,
        parameters: total(tensors.filter((one) => parameters.has(one)).map((one) => one.size)),
        multiplyAdds: output ? module.multiplyAdds(inputs, output) : 0,
        bytes: 4 * (total(tensors.map((one) => one.size)) + (output ? product(output) : 0)),
      };
    },
  );
  const totals = {
    parameters: total(model.parameters().map((one) => one.size)),
    trainable: total(model.parameters().map((one) => (one.requiresGrad ? one.size : 0))),
    multiplyAdds: total(rows.map((row) => row.multiplyAdds)),
    bytes: total(rows.map((row) => row.bytes)),
  };
  return { rows, totals, toString: () => table(rows, totals) };
}

interface Call {
  readonly module: Module;
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[] | undefined;
}

/** Puts a noting method in front of a layer's own; returns what takes it away again. */
function record(module: Module, calls: Call[]): () => void {
  const leaf = module.namedChildren().size === 0;
  if (!leaf && module.ownParameters().length === 0) return () => {};
  // Whoever wants the state of a recurrent layer calls unroll; its forward does so too.
  const name = module instanceof Recurrent ? 'unroll' : 'forward';
  const own = Object.getOwnPropertyDescriptor(module, name);
  const method: unknown = Reflect.get(module, name);
  if (typeof method !== 'function') return () => {};
  Object.defineProperty(module, name, {
    configurable: true,
    value: (...inputs: unknown[]): unknown => {
      const said: unknown = Reflect.apply(method, module, inputs);
      const output: unknown = said instanceof Tensor ? said : Object(said).output;
      const shapes = inputs.flatMap((input) => (input instanceof Tensor ? [input.shape] : []));
      calls.push({ module, inputs: shapes, output: output instanceof Tensor ? output.shape : undefined });
      return said;
    },
  });
  return () => {
    if (own) Object.defineProperty(module, name, own);
    else Reflect.deleteProperty(module, name);
  };
}

/** An aligned table, numbers to the right, with a line of totals. */
function table(rows: readonly SummaryRow[], totals: Summary['totals']): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const lines = [
    ['layer', 'type', 'output shape', 'parameters', 'multiply-adds', 'bytes'],
    ...rows.map((row) => [
      row.name,
      row.type,
      row.outputShape ? `[${row.outputShape.join(', ')}]` : 'not called',
      number(row.parameters),
      number(row.multiplyAdds),
      number(row.bytes),
    ]),
    ['total', '', '', number(totals.parameters), number(totals.multiplyAdds), number(totals.bytes)],
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const printed = lines.map((line) =>
    line
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(total(widths) + 2 * (widths.length - 1));
  printed.splice(1, 0, rule);
  printed.splice(-1, 0, rule);
  const frozen = totals.parameters - totals.trainable;
  if (frozen > 0) printed.push(`of the parameters ${number(frozen)} are frozen`);
  return printed.join('\n');
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);
