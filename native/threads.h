// The one pool of threads of the process; `runParallel` in kernels/context.h hands it work.
#pragma once

namespace fovea {

constexpr int maxThreads = 256;

// How many pool threads have been started so far (without the callers): for tests.
int startedThreads();

}  // namespace fovea
