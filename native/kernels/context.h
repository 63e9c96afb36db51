// What a kernel is given besides its shape and buffers: threads to spread work over, and workspace.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea {

// Calls body(closure, task, thread) for every task in [0, tasks), on at most `threads` threads;
// thread < threads. Returns when all are done. Tasks run in any order. Implemented in threads.cpp.
using TaskBody = void (*)(const void* closure, int64_t task, int thread);
void runParallel(int threads, int64_t tasks, TaskBody body, const void* closure);

// Calls body(closure, step, task, thread) for every task in [0, tasks) of step 0, then of step 1,
// and so on: a step begins when the one before is done. A task stays with the thread that had it in
// the step before, where it can, so that what it read is still in that thread's cache, and the
// order of tasks turns round from step to step for the same reason. Implemented in steps.cpp.
using StepBody = void (*)(const void* closure, int64_t step, int64_t task, int thread);
void runSteps(int threads, int64_t steps, int64_t tasks, StepBody body, const void* closure);

struct Context {
  int threads;      // the most threads that parallel uses: per-thread workspace is [threads][...]
  char* workspace;  // as many bytes as the kernel asked for, aligned to 64

  // The packed form of the operands that `packs` marks in the list, or null. Where it is given,
  // those operands may be null. Its values come from outside: none of them may be used as an index.
  const float* packed = nullptr;

  // body(task, thread) for each task; independent tasks that do not depend on `threads`, so results
  // do not either. A task should be worth some 20 microseconds: waking a thread costs a few.
  template <class Body>
  void parallel(int64_t tasks, const Body& body) const {
    if (tasks <= 1 || threads <= 1) {
      for (int64_t task = 0; task < tasks; ++task) body(task, 0);
      return;
    }
    runParallel(
        threads, tasks,
        [](const void* closure, int64_t task, int thread) {
          (*static_cast<const Body*>(closure))(task, thread);
        },
        &body);
  }

  // body(step, task, thread) for each task of one step after the other: see runSteps.
  template <class Body>
  void parallelSteps(int64_t steps, int64_t tasks, const Body& body) const {
    runSteps(
        threads, steps, tasks,
        [](const void* closure, int64_t step, int64_t task, int thread) {
          (*static_cast<const Body*>(closure))(step, task, thread);
        },
        &body);
  }

  // body(begin, end) over [0, count) in pieces of `grain` elements (the last may be shorter).
  template <class Body>
  void parallelRange(int64_t count, int64_t grain, const Body& body) const {
    if (count <= 0) return;
    const int64_t tasks = (count + grain - 1) / grain;
    parallel(tasks, [&](int64_t task, int) {
      const int64_t begin = task * grain;
      const int64_t end = begin + grain < count ? begin + grain : count;
      body(begin, end);
    });
  }
};

// The kernels of one instruction set, in the order of the list.
struct KernelEntry {
  void (*run)(const void* shape, const Context& context, void* const* buffers);
  size_t (*workspace)(const void* shape, int threads);  // bytes
  // Floats of the packed form of its operands; 0 where this shape takes them as they are.
  int64_t (*packedLength)(const void* shape);
  // operands: those that the list marks, in its order, then the packed form, which is written.
  void (*pack)(const void* shape, const Context& context, void* const* operands);
};

struct KernelTable {
  const char* isa;
  int vectorWidth;  // floats
  const KernelEntry* kernels;
};

}  // namespace fovea
