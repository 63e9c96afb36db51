// Tests the pool: every task once, under many callers, after a fork; and prints what waking it
// costs.
#include "../threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include "../kernels/context.h"
#include "test.h"

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace fovea;

namespace {

// Runs `tasks` tasks on at most `threads` threads: each exactly once, on a thread below the limit.
void runOnce(int threads, int64_t tasks) {
  const Context context{threads, nullptr};
  std::vector<int> times(static_cast<size_t>(tasks), 0);  // not atomic: a task is one thread's own
  std::atomic<bool> inLimit{true};
  context.parallel(tasks, [&](int64_t task, int thread) {
    ++times[static_cast<size_t>(task)];
    if (thread < 0 || thread >= threads) inLimit = false;
  });
  CHECK(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }));
  CHECK(inLimit);
}

void testEveryTaskOnce() {
  for (const int threads : {1, 2, 3, 8}) {
    for (const int64_t tasks : {0, 1, 2, 3, 7, 64, 1000}) {
      for (int i = 0; i < 20; ++i) runOnce(threads, tasks);
    }
  }
}

// Each thread's own slot in a workspace is one thread's at a time.
void testSlotsAreNotShared() {
  const Context context{4, nullptr};
  std::atomic<int> inside[4] = {};
  std::atomic<bool> shared{false};
  context.parallel(2000, [&](int64_t, int thread) {
    if (inside[thread].fetch_add(1) != 0) shared = true;
    for (volatile int i = 0; i < 50; i = i + 1) {
    }
    inside[thread].fetch_sub(1);
  });
  CHECK(!shared);
}

// Steps in which each task reads what two tasks of the step before wrote: any that began too early,
// ran twice or not at all would give other numbers. Not atomic: the steps are what keeps it safe.
void runSteps(int threads, int64_t steps, int64_t tasks) {
  const Context context{threads, nullptr};
  std::vector<int64_t> values[2];
  for (auto& half : values) half.assign(static_cast<size_t>(tasks), 1);
  context.parallelSteps(steps, tasks, [&](int64_t step, int64_t task, int thread) {
    CHECK(thread >= 0 && thread < threads);
    const auto& before = values[step % 2];
    const int64_t next = (task + 1) % tasks;
    values[(step + 1) % 2][static_cast<size_t>(task)] =
        (before[static_cast<size_t>(task)] + before[static_cast<size_t>(next)]) % 1000003;
  });
  int64_t expected = 1;
  for (int64_t step = 0; step < steps; ++step) expected = 2 * expected % 1000003;
  for (const int64_t value : values[steps % 2]) CHECK(value == expected);
}

void testSteps() {
  for (const int threads : {1, 2, 3, 8}) {
    for (const int64_t tasks : {1, 2, 3, 16, 40}) {
      for (const int64_t steps : {0, 1, 2, 100}) runSteps(threads, steps, tasks);
    }
  }
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([] {
      for (int round = 0; round < 20; ++round) runSteps(3, 30, 1 + round);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

void testManyCallers() {
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([] {
      for (int round = 0; round < 300; ++round) runOnce(3, 1 + round % 40);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// Jobs that come while threads watch, fall asleep or sleep.
void testPauses() {
  for (int pause = 0; pause < 900; pause += 3) {
    std::this_thread::sleep_for(std::chrono::microseconds(pause));
    runOnce(2 + pause % 3, 1 + pause % 7);
  }
}

// More tasks than one thread's range, all of them slow: others help.
void testUnevenTasks() {
  const Context context{3, nullptr};
  std::atomic<int> done{0};
  context.parallel(9, [&](int64_t task, int) {
    if (task < 3) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ++done;
  });
  CHECK(done == 9);
}

void testNested() {
  const Context context{3, nullptr};
  std::atomic<int> count{0};
  context.parallel(10, [&](int64_t, int) { context.parallel(10, [&](int64_t, int) { ++count; }); });
  CHECK(count == 100);
}

void testRange() {
  const Context context{3, nullptr};
  std::vector<int> times(1003, 0);
  context.parallelRange(1003, 100, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++times[static_cast<size_t>(i)];
  });
  CHECK(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }));
}

// Sleeping threads use no processor.
void testIdle() {
#if !defined(_WIN32)
  runOnce(4, 100);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(seconds < 0.002);
#endif
}

void testFork() {
#if !defined(_WIN32) && !defined(__SANITIZE_THREAD__)
  if (std::getenv("FOVEA_EMULATED") != nullptr) {
    std::printf("SKIPPED the pool after a fork: qemu cannot start threads in a forked child\n");
    return;
  }
  runOnce(3, 100);
  const pid_t child = fork();
  if (child == 0) {
    const int before = test::failures;
    runOnce(3, 100);
    _exit(test::failures == before && startedThreads() == 2 ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

double microseconds(const Context& context, std::chrono::microseconds rest) {
  std::vector<double> times;
  for (int i = 0; i < 300; ++i) {
    if (rest.count() > 0) std::this_thread::sleep_for(rest);
    const auto start = std::chrono::steady_clock::now();
    context.parallel(2, [](int64_t, int) {});
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    times.push_back(time.count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// How long until a second thread is at work: two tasks that wait for each other.
double meetingMicroseconds(std::chrono::microseconds rest) {
  const Context context{2, nullptr};
  std::vector<double> times;
  for (int i = 0; i < 300; ++i) {
    if (rest.count() > 0) std::this_thread::sleep_for(rest);
    std::atomic<int> arrived{0};
    const auto start = std::chrono::steady_clock::now();
    context.parallel(2, [&](int64_t, int) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    times.push_back(time.count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main() {
  testEveryTaskOnce();
  testSlotsAreNotShared();
  testManyCallers();
  testPauses();
  testUnevenTasks();
  testSteps();
  testNested();
  testRange();
  testIdle();
  testFork();
  if (std::thread::hardware_concurrency() > 1) {
    using std::chrono::microseconds;
    const Context two{2, nullptr};
    std::printf("an empty job, median: %.1f us while awake, %.1f us after sleep\n",
                ::microseconds(two, microseconds(0)), ::microseconds(two, microseconds(500)));
    std::printf("a second thread at work, median: %.1f us while awake, %.1f us after sleep\n",
                meetingMicroseconds(microseconds(0)), meetingMicroseconds(microseconds(500)));
  }
  return test::report("threads");
}
