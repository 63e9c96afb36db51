// Steps in order, the tasks of each shared among threads that wait for one another actively: for
// loops over time, whose steps are too short to open and close a job of the pool for each.
//
// Every thread owns a share of the tasks and takes from others' shares what they have not begun. A
// thread only ever waits for tasks that another has begun, so one that comes late, or never, holds
// up nobody.
#include <atomic>
#include <thread>

#include "isa/pause.h"
#include "kernels/context.h"

namespace fovea {
namespace {

constexpr int maxShares = 64;
constexpr int spinsBeforeYield = 1 << 12;

// Tasks [begin, begin + size) of every step, counted through all steps as they are taken.
struct alignas(64) Share {
  std::atomic<int64_t> taken{0};
  int64_t begin = 0, size = 0;

  // A task of this step that nobody has taken, or -1.
  int64_t take(int64_t step) {
    int64_t at = taken.load(std::memory_order_relaxed);
    while (at < (step + 1) * size) {
      if (!taken.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
      const int64_t place = at - step * size;
      return begin + (step % 2 == 0 ? place : size - 1 - place);
    }
    return -1;
  }
};

struct Steps {
  int64_t steps, tasks;
  StepBody body;
  const void* closure;
  int count;  // of shares
  Share shares[maxShares];
  alignas(64) std::atomic<int64_t> done{0};  // tasks, over all steps

  // Works through all steps from the current one on, on its own share first.
  void work(int own, int thread) {
    for (int64_t step = done.load(std::memory_order_acquire) / tasks; step < steps; ++step) {
      int64_t ran = 0;
      for (int i = 0; i < count; ++i) {
        Share& share = shares[(own + i) % count];
        for (int64_t task; (task = share.take(step)) >= 0; ++ran) {
          body(closure, step, task, thread);
        }
      }
      const int64_t end = (step + 1) * tasks;
      if (ran > 0 && done.fetch_add(ran, std::memory_order_acq_rel) + ran == end) continue;
      for (int spins = 0; done.load(std::memory_order_acquire) < end; ++spins) {
        if (spins < spinsBeforeYield) {
          pause();
        } else {
          std::this_thread::yield();
        }
      }
    }
  }
};

}  // namespace

void runSteps(int threads, int64_t steps, int64_t tasks, StepBody body, const void* closure) {
  if (steps <= 0 || tasks <= 0) return;
  if (threads > maxShares) threads = maxShares;
  Steps all;
  all.steps = steps;
  all.tasks = tasks;
  all.body = body;
  all.closure = closure;
  all.count = tasks < threads ? static_cast<int>(tasks) : threads;
  for (int i = 0; i < all.count; ++i) {
    all.shares[i].begin = i * tasks / all.count;
    all.shares[i].size = (i + 1) * tasks / all.count - all.shares[i].begin;
  }
  if (all.count == 1) {
    all.work(0, 0);
    return;
  }
  Steps* const shared = &all;
  runParallel(
      all.count, all.count,
      [](const void* steps, int64_t share, int thread) {
        (*static_cast<Steps* const*>(steps))->work(static_cast<int>(share), thread);
      },
      &shared);
}

}  // namespace fovea
