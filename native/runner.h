// A thread that runs jobs off the event loop, one after the other; one for each environment.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace fovea {

class Runner {
 public:
  ~Runner() { stop(); }

  // Runs `job` on the thread, which is started if need be. False where it cannot be, or when
  // stopped: then the caller has to see to the job.
  bool post(std::function<void()> job);

  // Waits for the job that is running; those still waiting are dropped.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace fovea
