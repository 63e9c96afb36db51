// lstmBackward: the gradient through time. Going back, dh = Whhᵀ dgates of the step after + gradY,
// then
//   do = dh tanh(c'), dc += dh o (1 - tanh²(c')), di = dc g, df = dc c, dg = dc i, each times the
// derivative of its gate, and dc f goes on to the step before. Projected, Whrᵀ dh takes the place
// of dh in the gates.
#pragma once

#include "recurrent-backward.h"
#include "recurrent-lstm.h"

namespace fovea {
namespace {

// A row of gradients: those of the gates' sums; where h is projected, then dh and what it came
// from.
struct LstmBackwardLayout {
  int64_t stateAt, unprojectedAt, rowLength;
  Panels panels;
  Projection projection;

  explicit LstmBackwardLayout(const RecurrentSizes& s)
      : stateAt(4 * s.hiddenSize),
        unprojectedAt(stateAt + s.projSize),
        rowLength(unprojectedAt + (s.projSize > 0 ? s.hiddenSize : 0)),
        panels(backwardPanels(s, 4)),
        projection(Projection::backward(s)) {}
  BackwardMemory memory(const RecurrentSizes& s, int threads, char* workspace) const {
    return {s,
            rowLength,
            4,
            s.projSize > 0 ? 2 : 1,
            panels.length() + projection.panels.length(),
            threads,
            Arena(workspace)};
  }
};

inline size_t lstmBackwardWorkspace(const LstmBackwardShape& shape, int threads) {
  const RecurrentSizes s(shape);
  return LstmBackwardLayout(s).memory(s, threads, nullptr).bytes;
}

// Rows of cell states, one for each row of a step; null where all are 0.
struct CellRows {
  const float* start;
  int64_t apart;
  Places places;
  const float* operator[](int64_t j) const { return start ? start + places[j] * apart : nullptr; }
};
struct LstmCells {
  const RecurrentSizes& s;
  const Rows& rows;
  const float *c0, *saved;
  CellRows after(int64_t step) const {
    return {saved + 4 * s.hiddenSize, 5 * s.hiddenSize, rows.placesOf(step)};
  }
  CellRows before(int64_t step) const {
    return step > 0 ? after(step - 1) : CellRows{c0, s.hiddenSize, rows.sequences()};
  }
};

inline void peepholeGradients(const RecurrentSizes& s, const Context& context, const Rows& rows,
                              const LstmCells& cells, const float* gates, int64_t gateRow,
                              float* gradPeepholes) {
  const int64_t hidden = s.hiddenSize;
  context.parallelRange(hidden, Vec::width, [&](int64_t unit, int64_t end) {
    const int n = static_cast<int>(end - unit);
    Vec i = broadcast(0), f = i, o = i;
    for (int64_t step = 0; step < s.steps; ++step) {
      const CellRows before = cells.before(step), after = cells.after(step);
      for (int64_t j = 0; j < rows.alive(step); ++j) {
        const float* gate = gates + (rows.first(step) + j) * gateRow + unit;
        const Vec c = loadOrZero(before[j], unit, n);
        i = fma(loadUpTo(gate, n), c, i);
        f = fma(loadUpTo(gate + hidden, n), c, f);
        o = fma(loadUpTo(gate + 3 * hidden, n), loadUpTo(after[j] + unit, n), o);
      }
    }
    storeUpTo(gradPeepholes + unit, i, n);
    storeUpTo(gradPeepholes + hidden + unit, f, n);
    storeUpTo(gradPeepholes + 2 * hidden + unit, o, n);
  });
}

void lstmBackward(const LstmBackwardShape& shape, const Context& context, const float* x,
                  const float* weightIh, const float* weightHh, const float* weightHr,
                  const float* peepholes, const float* h0, const float* c0, const int32_t* lengths,
                  const float* y, const float* saved, const float* gradY, const float* gradHN,
                  const float* gradCN, float* gradX, float* gradWeightIh, float* gradWeightHh,
                  float* gradWeightHr, float* gradBias, float* gradPeepholes, float* gradH0,
                  float* gradC0) {
  const RecurrentSizes s(shape);
  const int64_t hidden = s.hiddenSize, wide = 4 * hidden, row = unitRow(s);
  const int64_t state = s.stateSize();
  const bool projects = s.projSize > 0;
  const bool accumulate = shape.accumulate != 0;
  if (s.batch == 0 || hidden == 0) {
    clearGradients(s, wide, accumulate, gradWeightIh, gradWeightHh, gradX);
    if (gradBias) fillZero(gradBias, wide);
    if (gradPeepholes) fillZero(gradPeepholes, 3 * hidden);
    if (projects) fillZero(gradWeightHr, s.projSize * hidden);
    return;
  }
  const LstmBackwardLayout layout(s);
  const Panels& panels = layout.panels;
  BackwardMemory memory = layout.memory(s, context.threads, context.workspace);
  memory.prepare(s, lengths);
  const Rows& rows = memory.rows;
  const LstmCells cells{s, rows, c0, saved};
  packTransposed(panels, context, weightHh, memory.weights);
  float* const projectionWeights = memory.weights + panels.length();
  layout.projection.packBackward(context, weightHr, projectionWeights);
  readStates(s, rows, gradCN, hidden, memory.carry, row);

  const Vec one = broadcast(1);
  const StepTasks tasks(s.batch * panels.k * state, s.batch, panels.count());
  const int64_t parts = projects ? 2 : 1;
  const int64_t steps = parts * s.steps + (gradH0 ? 1 : 0);  // the last gives the gradient of h0
  const int64_t yStride = s.yStride, yOffset = s.yOffset, gateRow = memory.gateRow;
  const int64_t stateAt = layout.stateAt, unprojectedAt = layout.unprojectedAt;
  float* const carries = memory.carry;
  const Places sequences = rows.sequences();
  context.parallelSteps(steps, tasks.count(), [&](int64_t back, int64_t task, int) {
    const int64_t step = s.steps - 1 - back / parts, after = rows.alive(step + 1);
    const int64_t alive = step < 0 ? s.batch : rows.alive(step);
    const Places places = step < 0 ? Places{nullptr, 0} : rows.placesOf(step);
    const int64_t first = step < 0 ? 0 : rows.first(step);
    const float* gradients = after > 0 ? memory.gates + rows.first(step + 1) * gateRow : nullptr;
    float* gateGradients = memory.gates + first * gateRow;
    const CellRows cellsBefore = step < 0 ? CellRows{nullptr, 0, {}} : cells.before(step);
    // Captured by value: a vector store may change whatever has an address.
    const auto fetchGates = [=](int64_t j, int64_t unit, Lines& lines) {
      lines.add(saved + places[j] * 5 * hidden + unit, 5, hidden);
      lines.add(gateGradients + j * gateRow + unit, 4, hidden);
      if (const float* c = cellsBefore[j]) lines.add(c + unit);
    };
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (step < 0) return;
      if (!projects) fetchGates(j, unit, lines);
      if (gradY) lines.add(gradY + places[j] * yStride + yOffset + unit);
    };
    // dh: the gradient of o tanh(c').
    const auto throughGates = [=](int64_t j, int64_t unit, Vec dh) {
      const int n = lanesLeft(hidden - unit);
      const float* kept = saved + places[j] * 5 * hidden + unit;
      const Vec i = loadUpTo(kept, n), f = loadUpTo(kept + hidden, n);
      const Vec g = loadUpTo(kept + 2 * hidden, n), o = loadUpTo(kept + 3 * hidden, n);
      const Vec squashed = gateTanh(loadUpTo(kept + 4 * hidden, n));
      float* carry = carries + j * row + unit;
      const Vec dO = dh * squashed * (o * (one - o));
      Vec dc = fma(dh * o, fnma(squashed, squashed, one), loadUpTo(carry, n));
      if (peepholes) dc = fma(loadUpTo(peepholes + 2 * hidden + unit, n), dO, dc);
      const Vec dI = dc * g * (i * (one - i));
      const Vec dF = dc * loadOrZero(cellsBefore[j], unit, n) * (f * (one - f));
      const Vec dG = dc * i * fnma(g, g, one);
      Vec earlier = dc * f;
      if (peepholes) {
        earlier = fma(loadUpTo(peepholes + unit, n), dI, earlier);
        earlier = fma(loadUpTo(peepholes + hidden + unit, n), dF, earlier);
      }
      storeUpTo(carry, earlier, n);
      float* gate = gateGradients + j * gateRow + unit;
      storeUpTo(gate, dI, n);
      storeUpTo(gate + hidden, dF, n);
      storeUpTo(gate + 2 * hidden, dG, n);
      storeUpTo(gate + 3 * hidden, dO, n);
      if (projects) storeUpTo(gate + unprojectedAt, o * squashed, n);
    };
    const auto finish = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(state - unit);
      const int64_t sequence = sequences[j] * state + unit;
      Vec dh = load(tile);
      if (gradHN && j >= after) dh = dh + loadUpTo(gradHN + sequence, n);
      if (step < 0) return storeUpTo(gradH0 + sequence, dh, n);
      if (gradY) dh = dh + loadUpTo(gradY + places[j] * yStride + yOffset + unit, n);
      if (!projects) return throughGates(j, unit, dh);
      storeUpTo(gateGradients + j * gateRow + stateAt + unit, dh, n);
    };
    if (back % parts == 1) {
      layout.projection.run(
          projectionWeights, gateGradients + stateAt, gateRow, alive, tasks.count(), task,
          fetchGates,
          [=](int64_t j, int64_t unit, const float* tile) { throughGates(j, unit, load(tile)); });
      return;
    }
    multiplyPart({panels, memory.weights, gradients, gateRow, after, alive}, tasks, task, fetch,
                 finish);
  });

  constexpr unsigned byX = 1, byH = 2, byUnprojected = 4;
  const GateBlock blocks[] = {{0, wide, 0, byX | byH}, {stateAt, s.projSize, 0, byUnprojected}};
  const Entered entered[] = {
      {{x, s.inputSize, rows.places(), nullptr, 0}, s.inputSize, gradWeightIh, gradBias},
      {memory.statesBefore(s, h0, y), state, gradWeightHh, nullptr},
      {{memory.gates + unprojectedAt, gateRow, nullptr, nullptr, 0},
       hidden,
       gradWeightHr,
       nullptr}};
  memory.finish(s, context, blocks, projects ? 2 : 1, entered, weightIh, lengths, accumulate,
                gradX);
  if (gradPeepholes) {
    peepholeGradients(s, context, rows, cells, memory.gates, gateRow, gradPeepholes);
  }
  for (int64_t j = 0; gradC0 && j < s.batch; ++j) {
    writeState(carries + j * row, hidden, sequences[j], gradC0);
  }
}
FOVEA_WORKSPACE(lstmBackward, LstmBackwardShape, lstmBackwardWorkspace)

}  // namespace
}  // namespace fovea
