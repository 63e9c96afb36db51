// gru and its gradient through time. Gates r, z; h' = (1 - z) n + z h, with the reset after or before the product of n.
import { type Kernel, scratch } from './kernel.ts';
import {
  biasGradient,
  clearPadding,
  gather,
  inputGradients,
  inputSums,
  productMemory,
  productWith,
  readStates,
  rowsOf,
  statesBefore,
  weightGradient,
  writeStates,
} from './recurrent-sequence.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const gateMemory = productMemory();
const candidateMemory = productMemory();
const sumsOf = scratch();
const states = scratch();
const resetStates = scratch();
const products = scratch();

export const gru: Kernel<'gru'> = (shape, buffers) => {
  const { x, weightIh, weightHh, biasIh, biasHh, h0, lengths, y, hN, saved } = buffers;
  const { steps, batch, hiddenSize: hidden, yStride, yOffset, resetAfter } = shape;
  const wide = 3 * hidden;
  const rows = rowsOf(shape, lengths);
  const sums = sumsOf(rows.total * wide);
  inputSums(shape, rows, wide, x, weightIh, biasIh, biasHh, resetAfter ? 2 * hidden : wide, sums);
  const gates = { data: weightHh, offset: 0, step: hidden, depthStep: 1 };
  const candidate = { ...gates, offset: 2 * hidden * hidden };
  const multiplyGates = productWith(gates, 2 * hidden, hidden, ...gateMemory(2 * hidden, hidden, batch));
  const multiplyCandidate = productWith(candidate, hidden, hidden, ...candidateMemory(hidden, hidden, batch));
  const h = states(batch * hidden);
  const reset = resetStates(batch * hidden);
  const product = products(batch * hidden);
  readStates(rows, hidden, h0, h);
  for (let step = 0; step < steps; step++) {
    const alive = rows.alive[step];
    const first = rows.first[step];
    multiplyGates(alive, h, 0, hidden, sums, first * wide, wide);
    for (let j = 0; j < alive; j++) {
      const sum = (first + j) * wide;
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        sums[sum + u] = sigmoid(sums[sum + u]);
        sums[sum + hidden + u] = sigmoid(sums[sum + hidden + u]);
        reset[at] = sums[sum + u] * h[at];
        product[at] = resetAfter && biasHh !== undefined ? biasHh[2 * hidden + u] : 0;
      }
    }
    multiplyCandidate(alive, resetAfter ? h : reset, 0, hidden, product, 0, hidden);
    for (let j = 0; j < alive; j++) {
      const sum = (first + j) * wide;
      const place = rows.place[first + j];
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const r = sums[sum + u];
        const z = sums[sum + hidden + u];
        const n = Math.tanh(sums[sum + 2 * hidden + u] + (resetAfter ? r : 1) * product[at]);
        h[at] = n + z * (h[at] - n);
        y[place * yStride + yOffset + u] = h[at];
        if (saved === undefined) continue;
        const kept = place * 4 * hidden + u;
        saved[kept] = r;
        saved[kept + hidden] = z;
        saved[kept + 2 * hidden] = n;
        saved[kept + 3 * hidden] = resetAfter ? product[at] : reset[at];
      }
    }
  }
  clearPadding(rows, steps, y, yOffset, yStride, hidden);
  if (saved !== undefined) clearPadding(rows, steps, saved, 0, 4 * hidden, 4 * hidden);
  writeStates(rows, hidden, h, hN);
};

const gatesOf = scratch();
const hiddenGatesOf = scratch();
const candidatesOf = scratch();
const beforeOf = scratch();
const gradStates = scratch();
const gradResets = scratch();

export const gruBackward: Kernel<'gruBackward'> = (shape, buffers) => {
  const { x, weightIh, weightHh, h0, lengths, y, saved, gradY, gradHN } = buffers;
  const { steps, batch, hiddenSize: hidden, yStride, yOffset, resetAfter } = shape;
  const wide = 3 * hidden;
  const rows = rowsOf(shape, lengths);
  // Gradients of the gates' sums: all three as x enters them, r and z alone, and n as h or r h enters it.
  const gates = gatesOf(rows.total * wide);
  const hiddenGates = hiddenGatesOf(rows.total * 2 * hidden);
  const candidates = candidatesOf(rows.total * hidden);
  const before = beforeOf(rows.total * hidden);
  statesBefore(shape, rows, hidden, h0, y, before);
  const ofGates = { data: weightHh, offset: 0, step: 1, depthStep: hidden };
  const ofCandidate = { ...ofGates, offset: 2 * hidden * hidden };
  const multiplyGates = productWith(ofGates, hidden, 2 * hidden, ...gateMemory(hidden, 2 * hidden, batch));
  const multiplyCandidate = productWith(ofCandidate, hidden, hidden, ...candidateMemory(hidden, hidden, batch));
  const dhs = gradStates(batch * hidden);
  const resets = gradResets(batch * hidden);
  readStates(rows, hidden, gradHN, dhs);
  for (let step = steps - 1; step >= 0; step--) {
    const alive = rows.alive[step];
    const first = rows.first[step];
    for (let j = 0; j < alive; j++) {
      const place = rows.place[first + j];
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const kept = place * 4 * hidden + u;
        const r = saved[kept];
        const z = saved[kept + hidden];
        const n = saved[kept + 2 * hidden];
        const row = (first + j) * hidden + u;
        const dh = dhs[at] + (gradY === undefined ? 0 : gradY[place * yStride + yOffset + u]);
        const dn = dh * (1 - z) * (1 - n * n);
        const dz = dh * (before[row] - n) * z * (1 - z);
        dhs[at] = dh * z;
        resets[at] = 0;
        candidates[row] = resetAfter ? dn * r : dn;
        gates[(first + j) * wide + hidden + u] = dz;
        gates[(first + j) * wide + 2 * hidden + u] = dn;
        hiddenGates[(first + j) * 2 * hidden + hidden + u] = dz;
      }
    }
    multiplyCandidate(alive, candidates, first * hidden, hidden, resetAfter ? dhs : resets, 0, hidden);
    for (let j = 0; j < alive; j++) {
      const place = rows.place[first + j];
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const kept = place * 4 * hidden + u;
        const r = saved[kept];
        const row = (first + j) * hidden + u;
        const dn = gates[(first + j) * wide + 2 * hidden + u];
        const dr = (resetAfter ? dn * saved[kept + 3 * hidden] : resets[at] * before[row]) * r * (1 - r);
        if (!resetAfter) dhs[at] += resets[at] * r;
        gates[(first + j) * wide + u] = dr;
        hiddenGates[(first + j) * 2 * hidden + u] = dr;
      }
    }
    multiplyGates(alive, hiddenGates, first * 2 * hidden, 2 * hidden, dhs, 0, hidden);
  }
  writeStates(rows, hidden, dhs, buffers.gradH0);
  weightGradient(rows.total, hiddenGates, 2 * hidden, before, hidden, buffers.gradWeightHh);
  // Reset before: the factor of Whn was r h, which was saved.
  if (!resetAfter) gather(rows, saved, 3 * hidden, 4 * hidden, hidden, before);
  weightGradient(rows.total, candidates, hidden, before, hidden, buffers.gradWeightHh, 2 * hidden * hidden);
  inputGradients(shape, rows, gates, wide, x, weightIh, buffers.gradWeightIh, buffers.gradX);
  biasGradient(rows.total, gates, wide, buffers.gradBiasIh);
  if (buffers.gradBiasHh === undefined) return;
  biasGradient(rows.total, hiddenGates, 2 * hidden, buffers.gradBiasHh.subarray(0, 2 * hidden));
  biasGradient(rows.total, candidates, hidden, buffers.gradBiasHh.subarray(2 * hidden));
};
