// One pool for the process: started when first needed, spinning while jobs follow one another
// closely, asleep otherwise.
//
// The tasks of a job are cut into one range for each thread, which it claims task by task; with its
// own range done it goes on with the others'. A claim is one exchange of a word that also holds the
// job's number, so no task of a job that is over can be claimed, and a caller waits for tasks only,
// never for a thread that has not begun one.
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

using Clock = std::chrono::steady_clock;

// How long a thread without work stays awake: long, if the last job came within that time. To wake
// a thread that sleeps costs the caller some 10 us, and it comes 20 to 40 us late.
constexpr auto longWatch = std::chrono::microseconds(400);
constexpr auto shortWatch = std::chrono::microseconds(50);

// Polls until the condition holds or the time is over; the clock is read only now and then.
template <class Condition>
bool spin(Clock::time_point end, const Condition& condition) {
  for (int round = 1; !condition(); ++round) {
    for (int i = 0; i < 8; ++i) {
      pause();
      if (condition()) return true;
    }
    if (round % 16 == 0) std::this_thread::yield();  // about every 5 us
    if (Clock::now() >= end) return condition();
  }
  return true;
}

constexpr size_t cacheLine = 64;

// What one thread of a job claims tasks from, and what it sleeps by.
struct alignas(2 * cacheLine) Seat {
  std::atomic<uint64_t> claim{0};  // the job's number, and the next task of this range
  std::atomic<uint32_t> end{0};
  alignas(cacheLine) std::atomic<bool> asleep{false};
  std::mutex mutex;
  std::condition_variable wake;
};

class Pool {
 public:
  // False when another job is running: its callers then do their own tasks.
  bool run(int threads, int64_t tasks, TaskBody body, const void* closure) {
    if (tasks > UINT32_MAX || busy_.exchange(true, std::memory_order_acquire)) return false;
    start(threads - 1);
    threads = threads - 1 < started() ? threads : started() + 1;
    const uint32_t job = publish(threads, tasks, body, closure);
    wakeNext(0, threads);
    const int64_t own = work(0, threads, job);
    finish(tasks - own);
    busy_.store(false, std::memory_order_release);
    return true;
  }

  int started() const { return started_.load(std::memory_order_relaxed); }

 private:
  uint32_t publish(int threads, int64_t tasks, TaskBody body, const void* closure) {
    const uint32_t job = job_.load(std::memory_order_relaxed) + 1;
    body_ = body;
    closure_ = closure;
    finished_.store(0, std::memory_order_relaxed);
    threads_.store(threads, std::memory_order_relaxed);
    for (int i = 0; i < threads; ++i) {
      const auto begin = static_cast<uint32_t>(i * tasks / threads);
      const auto end = static_cast<uint32_t>((i + 1) * tasks / threads);
      seats_[i].end.store(end, std::memory_order_relaxed);
      seats_[i].claim.store(uint64_t{job} << 32 | begin, std::memory_order_release);
    }
    job_.store(job);
    return job;
  }

  // A task of that job from that seat's range; -1 where there is none any more.
  int64_t claim(Seat& seat, uint32_t job) {
    uint64_t word = seat.claim.load(std::memory_order_acquire);
    for (;;) {
      const auto task = static_cast<uint32_t>(word);
      // `end` belongs to the word, or to a later job, and then the exchange fails.
      if (word >> 32 != job || task >= seat.end.load(std::memory_order_relaxed)) return -1;
      if (seat.claim.compare_exchange_weak(word, word + 1, std::memory_order_acquire)) return task;
    }
  }

  // Does what it can get of a job; returns how many tasks.
  int64_t work(int thread, int threads, uint32_t job) {
    int64_t done = 0;
    for (int i = 0; i < threads; ++i) {
      Seat& seat = seats_[(thread + i) % threads];
      for (int64_t task; (task = claim(seat, job)) >= 0; ++done) body_(closure_, task, thread);
    }
    return done;
  }

  // Waits until other threads have done so many tasks.
  void finish(int64_t others) {
    const auto done = [&] { return finished_.load() == others; };
    if (spin(Clock::now() + longWatch, done)) return;
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_.store(true);
    done_.wait(lock, done);
    waiting_.store(false);
  }

  void serve(int thread, uint32_t seen) {
    Seat& seat = seats_[thread];
    const auto called = [&] { return job_.load() != seen; };
    for (auto watch = longWatch;;) {
      const auto idle = Clock::now();
      if (!spin(idle + watch, called)) sleep(seat, called);
      watch = Clock::now() - idle < longWatch ? longWatch : shortWatch;
      seen = job_.load();
      const int threads = threads_.load(std::memory_order_relaxed);
      if (thread >= threads) continue;
      wakeNext(thread, threads);
      const int64_t done = work(thread, threads, seen);
      if (done == 0) continue;
      finished_.fetch_add(done);
      if (waiting_.load()) {
        { std::lock_guard<std::mutex> lock(mutex_); }
        done_.notify_one();
      }
    }
  }

  template <class Condition>
  void sleep(Seat& seat, const Condition& called) {
    std::unique_lock<std::mutex> lock(seat.mutex);
    seat.asleep.store(true);
    seat.wake.wait(lock, called);
    seat.asleep.store(false);
  }

  // Each thread that is awake wakes two more, so that none has to wake them all.
  void wakeNext(int thread, int threads) {
    for (int i = 2 * thread + 1; i <= 2 * thread + 2 && i < threads; ++i) {
      Seat& seat = seats_[i];
      if (!seat.asleep.load()) continue;
      { std::lock_guard<std::mutex> lock(seat.mutex); }
      seat.wake.notify_one();
    }
  }

  // Starts threads up to `count`; with fewer (the system refuses more) work goes on, only slower.
  void start(int count) {
    while (started() < count && !refused_) {
      try {
        const int thread = started() + 1;
        const uint32_t seen = job_.load();
        std::thread([=] { serve(thread, seen); }).detach();
        started_.store(thread, std::memory_order_relaxed);
      } catch (const std::system_error&) {
        refused_ = true;
      }
    }
  }

  // Watched by all threads; written once for each job.
  alignas(2 * cacheLine) std::atomic<uint32_t> job_{0};
  // Written by the caller that holds busy_, before job_; read by threads that have claimed a task.
  TaskBody body_ = nullptr;
  const void* closure_ = nullptr;
  std::atomic<int> threads_{0};

  alignas(2 * cacheLine) std::atomic<int64_t> finished_{0};  // tasks, by threads of the pool
  std::atomic<bool> waiting_{false};

  alignas(2 * cacheLine) std::atomic<bool> busy_{false};
  std::atomic<int> started_{0};
  bool refused_ = false;
  std::mutex mutex_;
  std::condition_variable done_;
  Seat seats_[maxThreads];
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
