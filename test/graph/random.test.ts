// Random graphs: programs of them give what eager calls give, and no two memories in use lie in the same place.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Call, type Memory, usesOf } from '../../lib/graph/graph.ts';
import { record } from '../../lib/graph/index.ts';
import { plan } from '../../lib/graph/plan.ts';
import { recordCalls } from '../../lib/graph/record.ts';
import { simplify } from '../../lib/graph/simplify.ts';
import { concat, conv2d, noGrad, ones, randn, type Tensor } from '../../lib/tensor/index.ts';

const [rows, columns] = [3, 4];
const weight = randn([columns, columns], { seed: 1, std: 0.5 });
const kernels = randn([rows, rows, 3, 3], { seed: 2, std: 0.3 });

/** What a node of a graph may do with one or two results [3, 4] of earlier ones. */
const operations: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => a.add(b),
  (a, b) => a.mul(b),
  (a, b) => a.sub(b.mean(0, true)),
  (a) => a.relu(),
  (a) => a.tanh(),
  (a) => a.sigmoid().mul(2),
  (a) => a.matmul(weight),
  (a) => a.matmul(weight).relu(),
  (a, b) => a.matmul(b.transpose(0, 1)).matmul(b).tanh(),
  (a) => a.softmax(-1),
  (a) => a.reshape(columns, rows).transpose(0, 1),
  (a) => concat([a.slice(1, 2, 4), a.slice(1, 0, 2)], 1),
  (a) => a.add(ones([columns])),
  (a) =>
    conv2d(a.reshape(1, rows, 2, 2), kernels, null, { padding: 1 })
      .relu()
      .reshape(rows, columns),
  (a) => a.indexSelect(0, Int32Array.of(2, 0, 0)),
  (a, b) => a.maximum(b).clone(),
];

interface Node {
  readonly operation: number;
  readonly a: number;
  readonly b: number;
}
const node = fc.record({ operation: fc.nat(15), a: fc.nat(), b: fc.nat() });
const graph = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 12 }),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  gradients: fc.boolean(),
});

/** The function that a description means; with gradients, it also gives that of its first input. */
function functionOf({
  nodes,
  outputs,
  gradients,
}: {
  nodes: readonly Node[];
  outputs: readonly number[];
  gradients: boolean;
}) {
  return (x: Tensor, other: Tensor): Tensor[] => {
    const leaf = x.detach();
    leaf.requiresGrad = gradients;
    const values = [leaf, other];
    for (const { operation, a, b } of nodes) {
      values.push(operations[operation]!(values[a % values.length]!, values[b % values.length]!));
    }
    const results = outputs.map((i) => values[2 + (i % nodes.length)]!);
    if (!gradients) return results;
    results.reduce((sum, y) => sum.add(y.square().mean()), leaf.sum()).backward();
    return [...results.map((y) => y.detach()), leaf.grad!];
  };
}

const inputs = (seed: number) =>
  [randn([rows, columns], { seed }), randn([rows, columns], { seed: seed + 1 })] as const;
const runs = Number(process.env.FOVEA_RANDOM_GRAPHS ?? 400);

describe('random graphs', () => {
  test(`${runs} of them: the same numbers as eagerly, bit for bit`, async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (description) => {
        const fn = functionOf(description);
        const program = record(fn, inputs(1));
        for (const seed of [1, 11]) {
          const given = inputs(seed);
          const expected = fn(...given).map((y) => y.toArray());
          const got = seed === 1 ? program.runSync(given) : await program.run(given);
          expect(got.map((y) => y.toArray())).toEqual(expected);
        }
      }),
      { numRuns: runs, seed: 7 },
    );
  });

  test('memories in use at the same time lie apart, and the arena is no smaller than they are', () => {
    fc.assert(
      fc.property(graph, (description) => {
        const recorded = recordCalls(functionOf(description), inputs(1), (results) => results);
        const simple = simplify(recorded.graph);
        const planned = plan(simple);
        expect(planned.length).toBeGreaterThanOrEqual(planned.least);
        checkPlaces(simple.calls, planned.offsets);
      }),
      { numRuns: runs, seed: 8 },
    );
  });
});

/** Runs the calls on paper: whoever reads a place must find there what was written for it. */
function checkPlaces(calls: readonly Call[], offsets: ReadonlyMap<Memory, number>): void {
  const owner = new Map<number, Memory>();
  for (const call of calls) {
    const uses = usesOf(call).filter(({ operand }) => operand.memory.kind === 'temporary');
    for (const { buffer, operand } of uses) {
      const at = offsets.get(operand.memory)! + operand.offset;
      for (let i = at; buffer.spec.mode === 'read' && i < at + operand.length; i++) {
        expect(owner.get(i)).toBe(operand.memory);
      }
    }
    for (const { buffer, operand } of uses) {
      const at = offsets.get(operand.memory)! + operand.offset;
      for (let i = at; buffer.spec.mode !== 'read' && i < at + operand.length; i++) owner.set(i, operand.memory);
    }
  }
}

test('the functions of these graphs are worth testing', () => {
  const [x, y] = inputs(3);
  for (const operation of operations) {
    expect(noGrad(() => operation(x, y)).shape).toEqual([rows, columns]);
  }
});
