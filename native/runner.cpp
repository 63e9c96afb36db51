// The thread of a Runner: waits, spinning for a moment first, for jobs.
#include "runner.h"

#include <system_error>

namespace fovea {

bool Runner::post(std::function<void()> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return false;
    if (!thread_.joinable()) {
      try {
        thread_ = std::thread(&Runner::work, this);
      } catch (const std::system_error&) {
        return false;  // no more threads to be had
      }
    }
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void Runner::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    jobs_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Runner::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
      if (stopped_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace fovea
