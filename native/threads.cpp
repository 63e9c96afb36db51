// One pool for the process: started when first needed, spinning briefly, then asleep.
//
// A job is open from the moment its epoch is published until its caller closes it. A thread joins
// an open job by raising `joined` in the one word that also holds the epoch and the limit, so it
// can never join a job that is over, and the caller knows exactly whom to wait for.
#include "threads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "isa/pause.h"
#include "kernels/context.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#endif

namespace fovea {
namespace {

constexpr auto spinTime = std::chrono::microseconds(40);

// Polls for a while; the clock is read only now and then.
template <class Condition>
bool spinUntil(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      if (condition()) return true;
      pause();
    }
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

// The word that opens and closes a job.
struct Gate {
  uint32_t epoch;
  uint16_t joined, limit;

  static Gate from(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<uint16_t>(word >> 16),
            static_cast<uint16_t>(word)};
  }
  uint64_t word() const {
    return static_cast<uint64_t>(epoch) << 32 | static_cast<uint64_t>(joined) << 16 | limit;
  }
  bool open() const { return joined < limit; }
};

class Pool {
 public:
  // False when another job is running: its callers then do their own tasks.
  bool run(int threads, int64_t tasks, TaskBody body, const void* closure) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    start(threads - 1);
    const int helpers = threads - 1 < started() ? threads - 1 : started();
    tasks_ = tasks;
    body_ = body;
    closure_ = closure;
    next_.store(0, std::memory_order_relaxed);
    finished_.store(0, std::memory_order_relaxed);
    Gate gate{epoch_++, 0, static_cast<uint16_t>(helpers)};
    gate_.store(gate.word());
    if (sleeping_.load() > 0) {
      { std::lock_guard<std::mutex> lock(mutex_); }
      for (int i = 0; i < helpers; ++i) wake_.notify_one();
    }
    work(0);
    close();
    busy_.store(false, std::memory_order_release);
    return true;
  }

  int started() const { return started_.load(std::memory_order_relaxed); }

 private:
  void work(int thread) {
    for (;;) {
      const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks_) return;
      body_(closure_, task, thread);
    }
  }

  // Lets nobody in any more, then waits for those inside.
  void close() {
    uint64_t word = gate_.load();
    Gate closed;
    do {
      closed = Gate::from(word);
      closed.limit = closed.joined;
    } while (!gate_.compare_exchange_weak(word, closed.word()));
    const auto done = [&] { return finished_.load() == closed.joined; };
    if (spinUntil(done)) return;
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_.store(true);
    done_.wait(lock, done);
    waiting_.store(false);
  }

  // Joins the open job, if there is one; returns this thread's number in it, or 0.
  int join() {
    uint64_t word = gate_.load();
    for (;;) {
      Gate gate = Gate::from(word);
      if (!gate.open()) return 0;
      ++gate.joined;
      if (gate_.compare_exchange_weak(word, gate.word())) return gate.joined;
    }
  }

  void serve() {
    const auto open = [&] { return Gate::from(gate_.load()).open(); };
    for (;;) {
      if (!spinUntil(open)) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1);
        wake_.wait(lock, open);
        sleeping_.fetch_sub(1);
      }
      const int thread = join();
      if (thread == 0) continue;
      work(thread);
      finished_.fetch_add(1);
      if (waiting_.load()) {
        { std::lock_guard<std::mutex> lock(mutex_); }
        done_.notify_one();
      }
    }
  }

  // Starts threads up to `count`; with fewer (the system refuses more) work goes on, only slower.
  void start(int count) {
    while (started_.load(std::memory_order_relaxed) < count && !refused_) {
      try {
        std::thread([this] { serve(); }).detach();
        started_.fetch_add(1, std::memory_order_relaxed);
      } catch (const std::system_error&) {
        refused_ = true;
      }
    }
  }

  std::atomic<bool> busy_{false};
  std::atomic<uint64_t> gate_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<int> finished_{0}, sleeping_{0}, started_{0};
  std::atomic<bool> waiting_{false};
  // Written by the caller that holds busy_, before the gate opens.
  int64_t tasks_ = 0;
  TaskBody body_ = nullptr;
  const void* closure_ = nullptr;
  uint32_t epoch_ = 1;
  bool refused_ = false;

  std::mutex mutex_;
  std::condition_variable wake_, done_;
};

std::atomic<Pool*> current{nullptr};

// A library whose threads run must stay loaded when the last environment that uses it ends.
void keepLoaded() {
#if defined(_WIN32)
  HMODULE module;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<LPCSTR>(&keepLoaded), &module);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&keepLoaded), &info) && info.dli_fname) {
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
  }
#endif
}

// Never destroyed: its threads live until the process ends. A forked child has none of them and
// starts anew.
Pool& pool() {
  static const bool once = [] {
    keepLoaded();
    current.store(new Pool);
#if !defined(_WIN32)
    pthread_atfork(nullptr, nullptr, [] { current.store(new Pool); });
#endif
    return true;
  }();
  static_cast<void>(once);
  return *current.load();
}

}  // namespace

void runParallel(int threads, int64_t tasks, TaskBody body, const void* closure) {
  if (threads > maxThreads) threads = maxThreads;
  const int useful = tasks < threads ? static_cast<int>(tasks) : threads;
  if (useful > 1 && pool().run(useful, tasks, body, closure)) return;
  for (int64_t task = 0; task < tasks; ++task) body(closure, task, 0);
}

int startedThreads() {
  const Pool* started = current.load();
  return started ? started->started() : 0;
}

}  // namespace fovea
