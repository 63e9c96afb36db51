// Node-API for programs: holds what a run uses while it is under way, and says when it is over.
#include "addon-program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "program.h"
#include "runner.h"

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

constexpr napi_type_tag programTag = {0x9c4f0e6b7d1a4c52, 0xa3e86d20f51b97c4};
constexpr size_t mostInputs = 64;

napi_value throwType(napi_env env, const Message& message) {
  napi_throw_type_error(env, nullptr, message.text);
  return nullptr;
}
napi_value throwRange(napi_env env, const Message& message) {
  napi_throw_range_error(env, nullptr, message.text);
  return nullptr;
}

// The memory of a typed array of the element type, at least so long, and nobody else's.
bool readMemory(napi_env env, napi_value value, const External& external, void*& data,
                Message& message) {
  napi_typedarray_type type;
  size_t length = 0;
  napi_value buffer;
  const auto wanted = external.element == Element::f32 ? napi_float32_array : napi_int32_array;
  const char* name = external.element == Element::f32 ? "a Float32Array" : "an Int32Array";
  bool own = false;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, nullptr) != napi_ok ||
      type != wanted || napi_is_arraybuffer(env, buffer, &own) != napi_ok || !own) {
    return message.set("run: expected memory as %s of its own, but got something else", name);
  }
  if (static_cast<int64_t>(length) != external.length) {
    return message.set(
        "run: expected %s of %lld elements, but got one of %zu: its memory may have been "
        "transferred elsewhere",
        name, static_cast<long long>(external.length), length);
  }
  if (reinterpret_cast<uintptr_t>(data) % 4 == 0) return true;
  return message.set("run: expected memory that is aligned, but got %s that is not", name);
}

}  // namespace

// A program with the memories it uses; lives as long as its JavaScript object.
struct ProgramObject {
  std::unique_ptr<Program> program;
  std::vector<napi_ref> memories;     // of inputs: null
  std::vector<AlignedBytes> staging;  // copies of inputs
  std::vector<void*> data;
  bool underWay = false;
  std::atomic<bool> cancelled{false};
};

namespace {

struct Job {
  ProgramJobs* jobs;
  ProgramObject* object;
  napi_ref self, done;
  Message message;
  double milliseconds = 0;
  bool finished = false;
  bool handed = false;  // back to the thread of JavaScript
};

}  // namespace

// The jobs of one environment: a thread, and a way back from it.
class ProgramJobs {
 public:
  explicit ProgramJobs(napi_env env) : env_(env) {
    napi_add_env_cleanup_hook(env, &ProgramJobs::close, this);
  }
  ~ProgramJobs() {
    if (!closed_) {
      napi_remove_env_cleanup_hook(env_, &ProgramJobs::close, this);
      stop();
    }
  }

  bool post(Job* job) {
    if (!prepare()) return false;
    active_.push_back(job);
    if (active_.size() == 1) napi_ref_threadsafe_function(env_, back_);
    const bool posted = runner_.post([this, job] {
      ProgramObject& object = *job->object;
      const auto begun = Clock::now();
      job->finished = object.program->run(object.data, &object.cancelled, job->message);
      job->milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
      // Before it is: from then on it belongs to the other thread, which may have deleted it
      // already.
      job->handed = true;
      if (napi_call_threadsafe_function(back_, job, napi_tsfn_nonblocking) != napi_ok) {
        job->handed = false;
      }
    });
    if (!posted) forget(job);
    return posted;
  }

 private:
  bool prepare() {
    if (back_ != nullptr) return true;
    napi_value name;
    if (napi_create_string_utf8(env_, "fovea", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                        &ProgramJobs::over, &back_) != napi_ok) {
      back_ = nullptr;
      return false;
    }
    napi_unref_threadsafe_function(env_, back_);
    // Again, so that it comes before the function's own, which frees it.
    napi_remove_env_cleanup_hook(env_, &ProgramJobs::close, this);
    napi_add_env_cleanup_hook(env_, &ProgramJobs::close, this);
    return true;
  }

  void forget(Job* job) {
    active_.erase(std::find(active_.begin(), active_.end(), job));
    if (active_.empty() && !closed_) napi_unref_threadsafe_function(env_, back_);
  }

  // On the thread of JavaScript, after a job. env is null where that thread is being ended.
  static void over(napi_env env, napi_value, void*, void* data) {
    const std::unique_ptr<Job> job(static_cast<Job*>(data));
    if (env == nullptr) return;
    job->jobs->forget(job.get());
    job->object->underWay = false;
    napi_value done, receiver, result, arguments[2];
    const bool there = napi_get_reference_value(env, job->done, &done) == napi_ok &&
                       napi_get_undefined(env, &receiver) == napi_ok;
    napi_delete_reference(env, job->self);
    napi_delete_reference(env, job->done);
    if (!there) return;
    arguments[1] = receiver;
    napi_create_double(env, job->milliseconds, &arguments[0]);
    if (!job->finished) {
      napi_create_string_utf8(env, job->message.text, NAPI_AUTO_LENGTH, &arguments[1]);
    }
    napi_call_function(env, receiver, done, 2, arguments, &result);
  }

  // The environment ends: no job may use its memory from here on.
  static void close(void* data) {
    auto* jobs = static_cast<ProgramJobs*>(data);
    jobs->closed_ = true;
    jobs->stop();
  }
  void stop() {
    for (Job* job : active_) job->object->cancelled.store(true, std::memory_order_relaxed);
    runner_.stop();
    for (const Job* job : active_) {
      if (!job->handed) delete job;
    }
    active_.clear();
    if (back_ != nullptr) napi_release_threadsafe_function(back_, napi_tsfn_abort);
    back_ = nullptr;
  }

  napi_env env_;
  Runner runner_;
  napi_threadsafe_function back_ = nullptr;
  std::vector<Job*> active_;
  bool closed_ = false;
};

AddonPrograms::AddonPrograms(napi_env env, const Engine& engine)
    : engine_(engine), jobs_(new ProgramJobs(env)) {}
AddonPrograms::~AddonPrograms() = default;

namespace {

struct Arguments {
  size_t count = 2 + mostInputs;
  napi_value values[2 + mostInputs];
  void* data = nullptr;
  ProgramObject* object = nullptr;

  bool read(napi_env env, napi_callback_info info) {
    return napi_get_cb_info(env, info, &count, values, nullptr, &data) == napi_ok &&
           count <= 2 + mostInputs;
  }
  // The program among them, with its memories and these inputs in its data.
  bool readRun(napi_env env, napi_callback_info info, size_t firstInput, Message& message) {
    bool tagged = false;
    void* wrapped = nullptr;
    napi_valuetype kind;
    if (!read(env, info) || napi_typeof(env, values[0], &kind) != napi_ok || kind != napi_object ||
        napi_check_object_type_tag(env, values[0], &programTag, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env, values[0], &wrapped) != napi_ok) {
      return message.set("run: expected a program, but got something else");
    }
    object = static_cast<ProgramObject*>(wrapped);
    if (object->underWay) {
      return message.set("run: expected no other run of this program under way, but there is one");
    }
    return firstInput == 0 || readInputs(env, firstInput, message);
  }
  bool readInputs(napi_env env, size_t next, Message& message) {
    const std::vector<External>& externals = object->program->externals();
    for (size_t i = 0; i < externals.size(); ++i) {
      napi_value value = nullptr;
      if (externals[i].input) {
        if (next >= count) return message.set("run: expected more inputs, but got %zu", count);
        value = values[next++];
      } else if (napi_get_reference_value(env, object->memories[i], &value) != napi_ok) {
        return message.set("run: expected the memory of the program, but it is gone");
      }
      if (!readMemory(env, value, externals[i], object->data[i], message)) return false;
    }
    return next == count || message.set("run: expected fewer inputs, but got %zu", count);
  }
};

void destroy(napi_env env, void* data, void*) {
  auto* object = static_cast<ProgramObject*>(data);
  for (napi_ref memory : object->memories) {
    if (memory != nullptr) napi_delete_reference(env, memory);
  }
  delete object;
}

// Takes hold of the memories that are not inputs, and of room for copies of the inputs.
bool hold(napi_env env, napi_value memories, ProgramObject& object, Message& message) {
  const std::vector<External>& externals = object.program->externals();
  object.memories.resize(externals.size());
  object.staging.resize(externals.size());
  for (size_t i = 0; i < externals.size(); ++i) {
    napi_value value;
    if (napi_get_element(env, memories, static_cast<uint32_t>(i), &value) != napi_ok) return false;
    if (externals[i].input) continue;
    void* data;
    if (!readMemory(env, value, externals[i], data, message)) return false;
    if (napi_create_reference(env, value, 1, &object.memories[i]) != napi_ok) {
      return message.set("program: expected to hold its memory, but could not");
    }
  }
  return true;
}

napi_value runNow(napi_env env, ProgramObject& object, double* milliseconds) {
  Message message;
  if (object.program->run(object.data, nullptr, message, milliseconds)) return nullptr;
  return throwRange(env, message);
}

}  // namespace

napi_value AddonPrograms::create(napi_env env, napi_callback_info info) {
  Message message;
  Arguments given;
  napi_typedarray_type type;
  size_t count = 0;
  void* numbers = nullptr;
  uint32_t memories = 0;
  if (!given.read(env, info) || given.count < 2 ||
      napi_get_typedarray_info(env, given.values[0], &type, &count, &numbers, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array ||
      napi_get_array_length(env, given.values[1], &memories) != napi_ok) {
    message.set("program: expected a Float64Array and an array of memories, but got other values");
    return throwType(env, message);
  }
  const auto* self = static_cast<AddonPrograms*>(given.data);
  auto object = std::make_unique<ProgramObject>();
  object->data.resize(memories);
  for (uint32_t i = 0; i < memories; ++i) {
    napi_value value;
    napi_get_element(env, given.values[1], i, &value);
    // What is not a typed array is refused by `hold`, unless it is to be an input.
    napi_get_typedarray_info(env, value, nullptr, nullptr, &object->data[i], nullptr, nullptr);
  }
  object->program =
      Program::make(self->engine_.table(), self->engine_.threads,
                    Numbers(static_cast<const double*>(numbers), count), object->data, message);
  if (!object->program) return throwRange(env, message);
  napi_value result;
  ProgramObject* raw = object.get();
  if (napi_create_object(env, &result) != napi_ok ||
      napi_wrap(env, result, raw, destroy, nullptr, nullptr) != napi_ok) {
    message.set("program: expected to be wrapped, but could not");
    return throwType(env, message);
  }
  object.release();
  if (napi_type_tag_object(env, result, &programTag) != napi_ok ||
      !hold(env, given.values[1], *raw, message)) {
    return throwType(env, message);
  }
  return result;
}

napi_value AddonPrograms::run(napi_env env, napi_callback_info info) {
  Message message;
  Arguments given;
  if (!given.readRun(env, info, 1, message)) return throwType(env, message);
  return runNow(env, *given.object, nullptr);
}

napi_value AddonPrograms::time(napi_env env, napi_callback_info info) {
  Message message;
  Arguments given;
  if (!given.readRun(env, info, 2, message)) return throwType(env, message);
  ProgramObject& object = *given.object;
  napi_typedarray_type type;
  size_t count = 0;
  void* times = nullptr;
  if (napi_get_typedarray_info(env, given.values[1], &type, &count, &times, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array || count != object.program->calls()) {
    message.set("run: expected a Float64Array of %zu times, but got something else",
                object.program->calls());
    return throwType(env, message);
  }
  return runNow(env, object, static_cast<double*>(times));
}

napi_value AddonPrograms::start(napi_env env, napi_callback_info info) {
  Message message;
  Arguments given;
  if (!given.readRun(env, info, 2, message)) return throwType(env, message);
  ProgramObject& object = *given.object;
  const std::vector<External>& externals = object.program->externals();
  for (size_t i = 0; i < externals.size(); ++i) {
    if (!externals[i].input || externals[i].length == 0) continue;
    const auto bytes = static_cast<size_t>(externals[i].length) * 4;
    if (!object.staging[i]) object.staging[i] = allocateAligned(bytes);
    if (!object.staging[i]) {
      message.set("run: expected %zu bytes of memory, but there is not so much", bytes);
      return throwRange(env, message);
    }
    std::memcpy(object.staging[i].get(), object.data[i], bytes);
    object.data[i] = object.staging[i].get();
  }
  auto job = std::make_unique<Job>();
  job->jobs = static_cast<AddonPrograms*>(given.data)->jobs_.get();
  job->object = &object;
  if (napi_create_reference(env, given.values[0], 1, &job->self) != napi_ok ||
      napi_create_reference(env, given.values[1], 1, &job->done) != napi_ok) {
    message.set("run: expected a function to call when it is over, but got something else");
    return throwType(env, message);
  }
  object.cancelled.store(false, std::memory_order_relaxed);
  object.underWay = true;
  if (!job->jobs->post(job.get())) {
    object.underWay = false;
    message.set("run: expected a thread to run on, but there is none");
    return throwRange(env, message);
  }
  job.release();
  return nullptr;
}

napi_value AddonPrograms::cancel(napi_env env, napi_callback_info info) {
  Message message;
  Arguments given;
  given.readRun(env, info, 0, message);
  if (given.object == nullptr) return throwType(env, message);
  given.object->cancelled.store(true, std::memory_order_relaxed);
  return nullptr;
}

}  // namespace fovea
