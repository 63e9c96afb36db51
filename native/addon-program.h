// Programs as JavaScript has them: made, run, and run off the event loop.
#pragma once

#include <memory>

#include "addon-napi.h"
#include "engine.h"

namespace fovea {

class ProgramJobs;

// The programs of one environment.
class AddonPrograms {
 public:
  explicit AddonPrograms(napi_env env, const Engine& engine);
  ~AddonPrograms();

  // createProgram(numbers, memories): see Program::make; a memory is undefined where it is an
  // input.
  static napi_value create(napi_env env, napi_callback_info info);
  // runProgram(program, ...inputs)
  static napi_value run(napi_env env, napi_callback_info info);
  // timeProgram(program, times, ...inputs): the same; times, a Float64Array, gets the milliseconds
  // of each call.
  static napi_value time(napi_env env, napi_callback_info info);
  // startProgram(program, done, ...inputs): calls done(milliseconds, problem?) when it is over.
  // Inputs are copied.
  static napi_value start(napi_env env, napi_callback_info info);
  // cancelProgram(program): ends the run under way, if any, before its next call.
  static napi_value cancel(napi_env env, napi_callback_info info);

 private:
  const Engine& engine_;
  std::unique_ptr<ProgramJobs> jobs_;
};

}  // namespace fovea
