// The CRF layer: probabilities against all paths, reductions, lengths, constraints, refusals, and learning.
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.ts';
import { Adam } from '../../lib/optim/index.ts';
import {
  crf,
  crfLogPartition,
  crfMarginals,
  fromArray,
  Generator,
  gradcheck,
  randn,
  type Tensor,
  tensor,
} from '../../lib/tensor/index.ts';
import { expectClose, messageOf } from '../tensor/support.ts';

const steps = 3;
const tags = 3;
const lengths = [2, 3, 0, 1];
const batch = lengths.length;

const layer = (options: nn.CRFOptions = {}) => new nn.CRF(tags, { generator: new Generator(4), ...options });
const emissions = randn([steps, batch, tags], { seed: 6 });
const target = tensor([0, 2, 0, 1, 1, 1, 7, -1, -1, 0, 0, 0], { dtype: 'int32', shape: [steps, batch] });

/** Every path of sequence b with its score, added up by hand. */
function everyPath({ startTransitions, endTransitions, transitions }: nn.CRF, b: number) {
  const length = lengths[b]!;
  const at = (x: Tensor, i: number) => x.floats[i]!;
  const all: { path: number[]; score: number }[] = [];
  for (let code = 0; code < tags ** length; code++) {
    const path = Array.from({ length }, (_, t) => Math.floor(code / tags ** t) % tags);
    let score = length === 0 ? 0 : at(startTransitions, path[0]!) + at(endTransitions, path.at(-1)!);
    path.forEach((tag, t) => {
      score += at(emissions, (t * batch + b) * tags + tag);
      if (t > 0) score += at(transitions, path[t - 1]! * tags + tag);
    });
    all.push({ path, score });
  }
  return all;
}
const logSum = (scores: readonly number[]) => Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
const losses = (module: nn.CRF) =>
  lengths.map((length, b) => {
    const all = everyPath(module, b);
    const gold = Array.from({ length }, (_, t) => target.ints[t * batch + b]);
    return logSum(all.map(({ score }) => score)) - all.find(({ path }) => path.join() === gold.join())!.score;
  });

describe('CRF', () => {
  it('has the loss that adding up every path gives, and 0 for a sequence of no steps', () => {
    const module = layer({ reduction: 'none' });
    expectClose(module.forward(emissions, target, lengths).floats, losses(module), 1e-6);
    expect(module.forward(emissions, target, lengths).floats[2]).toBe(0);
  });

  it('joins losses by sequence, by step, or not at all', () => {
    const total = losses(layer()).reduce((sum, loss) => sum + loss, 0);
    const joined = (reduction: 'mean' | 'sum' | 'tokenMean') =>
      layer({ reduction }).forward(emissions, target, lengths).item();
    expect(joined('sum')).toBeCloseTo(total, 5);
    expect(joined('mean')).toBeCloseTo(total / 4, 5);
    expect(joined('tokenMean')).toBeCloseTo(total / 6, 5);
    const nothing = layer({ reduction: 'tokenMean' });
    expect(nothing.forward(emissions, target, [0, 0, 0, 0]).item()).toBe(0);
  });

  it('decodes the best of every path, of each length', () => {
    const module = layer();
    const { paths, scores } = module.decode(emissions, lengths);
    for (const b of lengths.keys()) {
      const best = everyPath(module, b).reduce((one, other) => (other.score > one.score ? other : one));
      expect(paths[b]).toEqual(best.path);
      expect(scores.floats[b]).toBeCloseTo(best.score, 5);
    }
  });

  it('gives the probability of each tag', () => {
    const module = layer();
    const marginals = module.marginals(emissions, lengths).floats;
    for (const b of lengths.keys()) {
      const all = everyPath(module, b);
      const total = logSum(all.map(({ score }) => score));
      for (let t = 0; t < steps; t++) {
        for (let tag = 0; tag < tags; tag++) {
          const want = all.reduce((sum, { path, score }) => sum + (path[t] === tag ? Math.exp(score - total) : 0), 0);
          expect(marginals[(t * batch + b) * tags + tag]).toBeCloseTo(want, 5);
        }
      }
    }
  });

  it('takes batch first', () => {
    const module = layer({ batchFirst: true, reduction: 'none' });
    const [x, y] = [emissions.transpose(0, 1), target.transpose(0, 1)];
    expectClose(module.forward(x, y, lengths).floats, losses(module), 1e-6);
    expect(module.decode(x, lengths).paths).toEqual(layer().decode(emissions, lengths).paths);
    expect(module.marginals(x, lengths).shape).toEqual([batch, steps, tags]);
  });

  it('does not look at what comes after the end', () => {
    const module = layer({ reduction: 'none' });
    const spoiled = emissions.clone();
    for (const [b, length] of lengths.entries()) {
      for (let t = length; t < steps; t++)
        spoiled.floats.fill(Number.NaN, (t * batch + b) * tags, (t * batch + b + 1) * tags);
    }
    spoiled.requiresGrad = true;
    const loss = module.forward(spoiled, target, lengths);
    expect(loss.floats).toEqual(module.forward(emissions, target, lengths).floats);
    loss.sum().backward();
    expect(spoiled.grad?.floats.every(Number.isFinite)).toBe(true);
    expect(module.transitions.grad?.floats.every(Number.isFinite)).toBe(true);
    expect(module.decode(spoiled, lengths).paths).toEqual(module.decode(emissions, lengths).paths);
  });

  it('has the gradients of finite differences in double precision', () => {
    const normal = (shape: readonly number[], seed: number) => randn(shape, { seed, dtype: 'float64' });
    const inputs = [normal([steps, batch, tags], 1), normal([tags, tags], 2), normal([tags], 3), normal([tags], 4)];
    gradcheck((x, transitions, start, end) => crf(x, transitions, target, { start, end, lengths }), inputs);
    gradcheck((x, transitions) => crfLogPartition(x, transitions, { lengths }), inputs.slice(0, 2));
  });

  it('keeps the names of a state dict that pytorch-crf has', () => {
    expect(Object.keys(layer().stateDict())).toEqual(['start_transitions', 'end_transitions', 'transitions']);
  });

  it('learns which tag follows which', () => {
    const module = new nn.CRF(2, { generator: new Generator(1) });
    const optimizer = new Adam(module.parameters(), { lr: 0.1 });
    const nothing = fromArray(new Float32Array(6 * 2), [6, 1, 2]);
    const alternating = tensor([1, 0, 1, 0, 1, 0], { dtype: 'int32', shape: [6, 1] });
    for (let step = 0; step < 60; step++) {
      optimizer.zeroGrad();
      module.forward(nothing, alternating).backward();
      optimizer.step();
    }
    expect(module.decode(nothing).paths).toEqual([[1, 0, 1, 0, 1, 0]]);
    expect(module.forward(nothing, alternating).item()).toBeLessThan(0.1);
  });
});

describe('forbidden tags', () => {
  const labels = ['O', 'B-x', 'I-x', 'B-y', 'I-y'];
  const forbidden = nn.forbiddenInBio(labels);
  const module = new nn.CRF(5, { forbidden, generator: new Generator(2) });

  it('are those that BIO has not', () => {
    expect(forbidden.start).toEqual([2, 4]);
    const pairs = (forbidden.transitions ?? []).map(([from, to]) => `${labels[from]} ${labels[to]}`);
    expect(pairs.sort()).toEqual(['B-x I-y', 'B-y I-x', 'I-x I-y', 'I-y I-x', 'O I-x', 'O I-y']);
  });

  it('are never decoded, and have no probability', () => {
    const eager = tensor([0, 0, 9, 0, 0, 0, 0, 9, 0, 0, 9, 0, 0, 0, 8], { shape: [3, 1, 5] });
    expect(module.decode(eager).paths).toEqual([[1, 2, 0]]);
    const marginals = module.marginals(eager).floats;
    expect(marginals[2]).toBe(0);
    expectClose([Array.from(marginals).reduce((total, one) => total + one, 0)], [3], 1e-5);
  });

  it('do not count against the others: probabilities of allowed paths add up to 1', () => {
    const x = randn([2, 1, 5], { seed: 1 });
    let total = 0;
    for (let first = 0; first < 5; first++) {
      for (let second = 0; second < 5; second++) {
        const path = tensor([first, second], { dtype: 'int32', shape: [2, 1] });
        const allowed =
          ![2, 4].includes(first) && !forbidden.transitions?.some(([i, j]) => i === first && j === second);
        if (allowed) total += Math.exp(-module.forward(x, path).item());
      }
    }
    expect(total).toBeCloseTo(1, 5);
  });

  it('are refused in a target, by sequence and step', () => {
    const x = randn([3, 2, 5], { seed: 1 });
    const path = tensor([0, 0, 1, 1, 2, 4], { dtype: 'int32', shape: [3, 2] });
    expect(messageOf(() => module.forward(x, path))).toContain(
      'expected tags that are not forbidden, in sequence 1, but got 4 after 1 at step 2',
    );
    const begins = tensor([0, 2], { dtype: 'int32', shape: [1, 2] });
    expect(messageOf(() => module.forward(randn([1, 2, 5]), begins))).toContain('2 at the beginning');
    expect(() => module.forward(x, path, [3, 2])).not.toThrow();
  });
});

describe('refusals', () => {
  const module = layer();
  it.each([
    ['a tag that is none', () => module.forward(emissions, target), '7 at step 1 of sequence 2'],
    ['too few tags', () => module.forward(emissions, tensor([1], { dtype: 'int32' })), 'target tags [3, 4]'],
    ['too few lengths', () => module.forward(emissions, target, [1, 1]), 'expected 4 lengths'],
    [
      'a length beyond the steps',
      () => module.decode(emissions, [4, 1, 1, 1]),
      'lengths from 0 to 3, because emissions have 3 steps, but got 4 of sequence 0',
    ],
    ['a length below 0', () => module.forward(emissions, target, [1, 1, -1, 1]), 'but got -1 of sequence 2'],
    ['other emissions', () => module.decode(randn([3, 4])), 'expected emissions [steps, batch, tags]'],
    ['another number of tags', () => module.decode(randn([3, 4, 5])), 'expected transitions of shape [5, 5]'],
    [
      'start of another length',
      () => crfMarginals(emissions, module.transitions, { start: randn([2]) }),
      'start of shape [3]',
    ],
    ['no tags', () => new nn.CRF(0), 'numTags to be an integer of at least 1'],
    [
      'a forbidden tag that is none',
      () => layer({ forbidden: { start: [3] } }),
      'forbidden tags from 0 to 2, but got 3',
    ],
  ])('%s', (_, call, message) => expect(messageOf(call)).toContain(message));
});
