// Gives every temporary memory a place in one arena, so that those which are in use at the same time do not overlap.
import { type Graph, isWhole, type Memory, usesOf, writes } from './graph.ts';

/** Where memories lie in an arena of so many elements of four bytes. */
export interface Plan {
  readonly offsets: ReadonlyMap<Memory, number>;
  readonly length: number;
  /** No arena can be smaller: the most elements in use at any call. */
  readonly least: number;
}

/** Elements that places are multiples of: a cache line. */
const line = 16;

/** A place, in use from one call to another. Memories share one where a call replaces its operand. */
interface Slot {
  readonly length: number;
  first: number;
  last: number;
  offset: number;
}

/** Plans all memories of `kept`, from before the first call on, and the temporary ones. */
export function plan({ calls }: Graph, kept: readonly Memory[] = []): Plan {
  const slots = new Map<Memory, Slot>();
  for (const memory of kept) slots.set(memory, { length: memory.length, first: -1, last: calls.length, offset: 0 });
  for (const [at, call] of calls.entries()) {
    for (const { operand } of usesOf(call)) {
      const { memory } = operand;
      if (memory.kind !== 'temporary') continue;
      const slot = slots.get(memory);
      if (slot === undefined) slots.set(memory, { length: memory.length, first: at, last: at, offset: 0 });
      else slot.last = Math.max(slot.last, at);
    }
  }
  shareReplaced(calls, slots);
  const distinct = [...new Set(slots.values())];
  return {
    length: place(distinct),
    least: leastOf(distinct, calls.length),
    offsets: new Map([...slots].map(([memory, { offset }]) => [memory, offset])),
  };
}

/** A result may take the place of an operand that the list lets it replace and that nobody reads later. */
function shareReplaced(calls: Graph['calls'], slots: Map<Memory, Slot>): void {
  for (const [at, call] of calls.entries()) {
    const uses = usesOf(call);
    for (const written of uses.filter((use) => writes(use) && use.buffer.inPlace.length > 0)) {
      const own = slots.get(written.operand.memory);
      if (own === undefined || own.first !== at || !isWhole(written.operand)) continue;
      const replaced = uses.find(({ buffer, operand }) => {
        const slot = slots.get(operand.memory);
        const same = operand.length === written.operand.length && isWhole(operand);
        if (!written.buffer.inPlace.includes(buffer.name) || !same || slot?.last !== at || slot === own) return false;
        // Other operands that must not be replaced may lie in the same memory.
        return uses.every(
          (other) => slots.get(other.operand.memory) !== slot || written.buffer.inPlace.includes(other.buffer.name),
        );
      });
      const slot = replaced && slots.get(replaced.operand.memory);
      if (slot === undefined) continue;
      slot.last = own.last;
      for (const [memory, other] of slots) if (other === own) slots.set(memory, slot);
    }
  }
}

const roundUp = (length: number): number => Math.ceil(length / line) * line;

/** The largest first, each at the lowest place that is free while it is in use (Pisarchyk & Lee 2020, greedy by size). */
function place(slots: Slot[]): number {
  const placed: Slot[] = [];
  let end = 0;
  for (const slot of slots.sort((a, b) => b.length - a.length)) {
    const others = placed
      .filter(({ first, last }) => first <= slot.last && slot.first <= last)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of others) {
      if (offset + roundUp(slot.length) <= other.offset) break;
      offset = Math.max(offset, other.offset + roundUp(other.length));
    }
    slot.offset = offset;
    placed.push(slot);
    end = Math.max(end, offset + roundUp(slot.length));
  }
  return end;
}

function leastOf(slots: readonly Slot[], calls: number): number {
  const changes = new Array<number>(calls + 3).fill(0);
  for (const { first, last, length } of slots) {
    changes[first + 1]! += length;
    changes[last + 2]! -= length;
  }
  let used = 0;
  let most = 0;
  for (const change of changes) {
    used += change;
    most = Math.max(most, used);
  }
  return most;
}
