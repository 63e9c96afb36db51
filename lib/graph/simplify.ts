// Drops calls whose results nobody reads, and lets a product finish with the activation that follows it.
import { type Call, type Graph, isWhole, type Memory, type Operand, reads, usesOf, writes } from './graph.ts';

/** The same results from fewer calls. */
export function simplify(graph: Graph): Graph {
  return { ...graph, calls: withoutDead(fuseActivations(withoutDead(graph.calls))) };
}

/** Without calls whose results only they, or nobody, reads. */
function withoutDead(calls: readonly Call[]): Call[] {
  const wanted = new Set<Memory>();
  const kept: Call[] = [];
  for (const call of calls.toReversed()) {
    const uses = usesOf(call);
    if (
      !uses.some((use) => writes(use) && (use.operand.memory.kind !== 'temporary' || wanted.has(use.operand.memory)))
    ) {
      continue;
    }
    // A call that writes all of a memory ends the interest in what was there before.
    for (const use of uses) {
      if (use.buffer.spec.mode === 'write' && isWhole(use.operand)) wanted.delete(use.operand.memory);
    }
    for (const use of uses) if (reads(use)) wanted.add(use.operand.memory);
    kept.push(call);
  }
  return kept.reverse();
}

/** Kernels that have a field `activation`, of which 1 is ReLU. */
const products = new Set(['matmul', 'conv2d']);

/** relu(product) as one call, where nobody else reads the product. */
function fuseActivations(calls: readonly Call[]): Call[] {
  const users = usersOf(calls);
  const fused = new Map<Call, Operand>();
  const dropped = new Set<Call>();
  for (const call of calls) {
    const { x, y } = call.operands;
    if (call.kernel !== 'relu' || x === undefined || y === undefined) continue;
    if (x.memory.kind !== 'temporary' || !isWhole(x) || !isWhole(y)) continue;
    const [product, relu, ...others] = users.get(x.memory) ?? [];
    if (product === undefined || relu !== call || others.length > 0 || !products.has(product.kernel)) continue;
    // y must not be in use yet where the product now writes it.
    if (users.get(y.memory)?.[0] !== call || product.shape.activation !== 0) continue;
    if (product.operands.y?.memory !== x.memory || !isWhole(product.operands.y)) continue;
    if (product.shape.accumulate) continue;
    fused.set(product, y);
    dropped.add(call);
  }
  return calls
    .filter((call) => !dropped.has(call))
    .map((call) => {
      const y = fused.get(call);
      return y ? { ...call, shape: { ...call.shape, activation: 1 }, operands: { ...call.operands, y } } : call;
    });
}

/** The calls that use each memory, in order. */
function usersOf(calls: readonly Call[]): Map<Memory, Call[]> {
  const users = new Map<Memory, Call[]>();
  for (const call of calls) {
    for (const memory of new Set(usesOf(call).map(({ operand }) => operand.memory))) {
      users.set(memory, [...(users.get(memory) ?? []), call]);
    }
  }
  return users;
}
