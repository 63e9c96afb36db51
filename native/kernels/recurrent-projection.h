// The second part of each step of an lstm whose state is a projection, h = Whr (o tanh(c')) (Sak,
// Senior and Beaufays 2014), and of each step of its gradient.
#pragma once

#include "recurrent-forward.h"

namespace fovea {
namespace {

// Panels of Whr, which a step multiplies by; of no units where nothing is projected.
struct Projection {
  Panels panels;
  StepTasks tasks;

  // Forward [batch, hiddenSize] to projSize, backward to hiddenSize.
  static Projection forward(const RecurrentSizes& s) { return {s, s.hiddenSize, s.projSize}; }
  static Projection backward(const RecurrentSizes& s) {
    return {s, s.projSize, s.projSize > 0 ? s.hiddenSize : 0};
  }
  void packForward(const Context& context, const float* weightHr, float* packed) const {
    packGates(panels, context, weightHr, 0, panels.k, packed);
  }
  void packBackward(const Context& context, const float* weightHr, float* packed) const {
    packTransposed(panels, context, weightHr, packed);
  }

  // The share of one of the `count` tasks that the step has. Its first part may have another number
  // of them, and which thread is at work on what follows from it: so these are spread evenly.
  template <class Fetch, class Output>
  void run(const float* packed, const float* from, int64_t row, int64_t alive, int64_t count,
           int64_t task, const Fetch& fetch, const Output& output) const {
    const Split own{tasks.count(), count};
    for (int64_t i = own.begin(task); i < own.end(task); ++i) {
      multiplyPart({panels, packed, from, row, alive, alive}, tasks, i, fetch, output);
    }
  }

 private:
  Projection(const RecurrentSizes& s, int64_t k, int64_t units)
      : panels(s.batch, k, 1, units), tasks(s.batch * k * units, s.batch, panels.count()) {}
};

}  // namespace
}  // namespace fovea
