// lstm and its gradient through time. Gates i, f, g, o; c' = f c + i g, h' = o tanh(c'), or Whr times that.
import type { Floats } from '../call.ts';
import { type Kernel, scratch } from './kernel.ts';
import {
  clearPadding,
  inputSums,
  productMemory,
  productWith,
  readStates,
  rowsOf,
  sumGradients,
  weightGradient,
  writeStates,
} from './recurrent-sequence.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const forwardMemory = productMemory();
const sumsOf = scratch();
const projectionMemory = productMemory();
const states = scratch();
const cells = scratch();
const outputs = scratch();

export const lstm: Kernel<'lstm'> = (shape, buffers) => {
  const { x, weightIh, weightHh, biasIh, biasHh, weightHr, peepholes, h0, c0, lengths, y, hN, cN, saved } = buffers;
  const { steps, batch, hiddenSize: hidden, projSize, stateSize, yStride, yOffset } = shape;
  const wide = 4 * hidden;
  const rows = rowsOf(shape, lengths);
  const sums = sumsOf(rows.total * wide);
  inputSums(shape, rows, wide, x, weightIh, biasIh, biasHh, wide, sums);
  const recurrent = { data: weightHh, offset: 0, step: stateSize, depthStep: 1 };
  const multiplyState = productWith(recurrent, wide, stateSize, ...forwardMemory(wide, stateSize, batch));
  const projection = projSize > 0 ? { data: weightHr!, offset: 0, step: hidden, depthStep: 1 } : undefined;
  const project = projection && productWith(projection, projSize, hidden, ...projectionMemory(projSize, hidden, batch));
  const h = states(batch * stateSize);
  const c = cells(batch * hidden);
  const unprojected = project ? outputs(batch * hidden) : h;
  readStates(rows, stateSize, h0, h);
  readStates(rows, hidden, c0, c);
  for (let step = 0; step < steps; step++) {
    const alive = rows.alive[step];
    const first = rows.first[step];
    multiplyState(alive, h, 0, stateSize, sums, first * wide, wide);
    for (let j = 0; j < alive; j++) {
      const sum = (first + j) * wide;
      const place = rows.place[first + j];
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const i = sigmoid(sums[sum + u] + (peepholes === undefined ? 0 : peepholes[u] * c[at]));
        const f = sigmoid(sums[sum + hidden + u] + (peepholes === undefined ? 0 : peepholes[hidden + u] * c[at]));
        const g = Math.tanh(sums[sum + 2 * hidden + u]);
        const next = f * c[at] + i * g;
        const o = sigmoid(
          sums[sum + 3 * hidden + u] + (peepholes === undefined ? 0 : peepholes[2 * hidden + u] * next),
        );
        c[at] = next;
        unprojected[at] = o * Math.tanh(next);
        if (saved === undefined) continue;
        const kept = place * 5 * hidden + u;
        saved[kept] = i;
        saved[kept + hidden] = f;
        saved[kept + 2 * hidden] = g;
        saved[kept + 3 * hidden] = o;
        saved[kept + 4 * hidden] = next;
      }
    }
    if (project) project(alive, unprojected, 0, hidden, h.fill(0, 0, alive * stateSize), 0, stateSize);
    for (let j = 0; j < alive; j++) {
      const to = rows.place[first + j] * yStride + yOffset;
      for (let i = 0; i < stateSize; i++) y[to + i] = h[j * stateSize + i];
    }
  }
  clearPadding(rows, steps, y, yOffset, yStride, stateSize);
  if (saved !== undefined) clearPadding(rows, steps, saved, 0, 5 * hidden, 5 * hidden);
  writeStates(rows, stateSize, h, hN);
  writeStates(rows, hidden, c, cN);
};

const backwardMemory = productMemory();
const backwardProjectionMemory = productMemory();
const gatesOf = scratch();
const gradStates = scratch();
const gradCells = scratch();
const gradOutputs = scratch();
const allOutputs = scratch();
const allGradStates = scratch();

/** Of i, f and o, in this order. */
function peepholeGradients(
  total: number,
  hidden: number,
  gates: Float64Array,
  cellsBefore: (row: number) => { readonly data: Floats | undefined; readonly at: number },
  cellsAfter: (row: number) => { readonly data: Floats; readonly at: number },
  gradPeepholes: Floats,
): void {
  const sums = new Float64Array(3 * hidden);
  for (let row = 0; row < total; row++) {
    const before = cellsBefore(row);
    const after = cellsAfter(row);
    for (let u = 0, gate = row * 4 * hidden; u < hidden; u++, gate++) {
      const c = before.data === undefined ? 0 : before.data[before.at + u];
      sums[u] += gates[gate] * c;
      sums[hidden + u] += gates[gate + hidden] * c;
      sums[2 * hidden + u] += gates[gate + 3 * hidden] * after.data[after.at + u];
    }
  }
  gradPeepholes.set(sums);
}

export const lstmBackward: Kernel<'lstmBackward'> = (shape, buffers) => {
  const { weightHh, weightHr, peepholes, c0, lengths, saved, gradY, gradHN, gradCN } = buffers;
  const { steps, batch, hiddenSize: hidden, projSize, stateSize, yStride, yOffset } = shape;
  const wide = 4 * hidden;
  const rows = rowsOf(shape, lengths);
  const gates = gatesOf(rows.total * wide);
  const recurrent = { data: weightHh, offset: 0, step: 1, depthStep: stateSize };
  const multiplyGates = productWith(recurrent, stateSize, wide, ...backwardMemory(stateSize, wide, batch));
  const projection = projSize > 0 ? { data: weightHr!, offset: 0, step: 1, depthStep: hidden } : undefined;
  const memory = backwardProjectionMemory(hidden, projSize, batch);
  const project = projection && productWith(projection, hidden, projSize, ...memory);
  const dhs = gradStates(batch * stateSize);
  const dcs = gradCells(batch * hidden);
  // Of o tanh(c'), as h is if it is not projected.
  const gradUnprojected = project ? gradOutputs(batch * hidden) : dhs;
  const unprojected = project && allOutputs(rows.total * hidden);
  const allDhs = project && allGradStates(rows.total * projSize);
  readStates(rows, stateSize, gradHN, dhs);
  readStates(rows, hidden, gradCN, dcs);
  const cellAfter = (row: number) => ({ data: saved, at: (rows.place[row] * 5 + 4) * hidden });
  const before = new Int32Array(rows.total); // the row of the step before; in the first step -1 - the sequence
  for (let step = 0; step < steps; step++) {
    for (let j = 0; j < rows.alive[step]; j++)
      before[rows.first[step] + j] = step === 0 ? -1 - rows.sequence[j] : rows.first[step - 1] + j;
  }
  const cellBefore = (row: number) =>
    before[row] < 0 ? { data: c0, at: (-1 - before[row]) * hidden } : cellAfter(before[row]);
  for (let step = steps - 1; step >= 0; step--) {
    const alive = rows.alive[step];
    const first = rows.first[step];
    for (let j = 0; gradY !== undefined && j < alive; j++) {
      const from = rows.place[first + j] * yStride + yOffset;
      for (let i = 0; i < stateSize; i++) dhs[j * stateSize + i] += gradY[from + i];
    }
    if (project) {
      for (let i = 0; i < alive * projSize; i++) allDhs![first * projSize + i] = dhs[i];
      project(alive, dhs, 0, projSize, gradUnprojected.fill(0, 0, alive * hidden), 0, hidden);
    }
    for (let j = 0; j < alive; j++) {
      const row = first + j;
      const place = rows.place[row];
      const earlier = cellBefore(row);
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const kept = place * 5 * hidden + u;
        const i = saved[kept];
        const f = saved[kept + hidden];
        const g = saved[kept + 2 * hidden];
        const o = saved[kept + 3 * hidden];
        const squashed = Math.tanh(saved[kept + 4 * hidden]);
        const c = earlier.data === undefined ? 0 : earlier.data[earlier.at + u];
        const dh = gradUnprojected[at];
        const dO = dh * squashed * o * (1 - o);
        let dc = dcs[at] + dh * o * (1 - squashed * squashed);
        if (peepholes !== undefined) dc += peepholes[2 * hidden + u] * dO;
        const dI = dc * g * i * (1 - i);
        const dF = dc * c * f * (1 - f);
        dcs[at] = dc * f;
        if (peepholes !== undefined) dcs[at] += peepholes[u] * dI + peepholes[hidden + u] * dF;
        const gate = row * wide + u;
        gates[gate] = dI;
        gates[gate + hidden] = dF;
        gates[gate + 2 * hidden] = dc * i * (1 - g * g);
        gates[gate + 3 * hidden] = dO;
        if (unprojected) unprojected[row * hidden + u] = o * squashed;
      }
    }
    multiplyGates(alive, gates, first * wide, wide, dhs.fill(0, 0, alive * stateSize), 0, stateSize);
  }
  writeStates(rows, stateSize, dhs, buffers.gradH0);
  writeStates(rows, hidden, dcs, buffers.gradC0);
  sumGradients(shape, rows, gates, wide, stateSize, buffers);
  if (project) weightGradient(rows.total, allDhs!, projSize, unprojected!, hidden, buffers.gradWeightHr!);
  if (buffers.gradPeepholes !== undefined)
    peepholeGradients(rows.total, hidden, gates, cellBefore, cellAfter, buffers.gradPeepholes);
};
