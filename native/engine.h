// Runs checked calls: one environment's choice of instruction set and threads, and its workspace.
#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "isa/targets.h"

namespace fovea {

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Those of this machine, best first.
  std::vector<std::string> isas() const;
  // False where this machine has no such instruction set.
  bool selectIsa(const std::string& name);
  const KernelTable& table() const { return *table_; }
  const char* isa() const { return table_->isa; }
  int vectorWidth() const { return table_->vectorWidth; }

  int threads = 1;

  // Checks the call (kernel: a position in the list) and runs it. False, with a message, if it may
  // not run or there is no memory for its workspace; then nothing has been written.
  bool run(size_t kernel, const double* shape, Call& call, Message& message);

  // How many floats the packed form of the call's operands has for this shape, with the instruction
  // set in use; 0 where the kernel takes them as they are.
  bool packedLength(size_t kernel, const double* shape, int64_t& length, Message& message);

  // Writes that form into call.packed. Nothing else than the operands that pack need be there.
  bool pack(size_t kernel, const double* shape, Call& call, Message& message);

  // The instruction set whose kernel ran last, as its table says; "" before the first.
  const char* lastIsa() const { return lastIsa_; }
  size_t workspaceBytes() const { return workspaceBytes_; }

 private:
  bool reserve(size_t bytes, const std::string& kernel, Message& message);

  const KernelTable* targets_[maxTargets];
  int targetCount_;
  const KernelTable* table_;
  const char* lastIsa_ = "";
  char* workspace_ = nullptr;
  size_t workspaceBytes_ = 0;
};

}  // namespace fovea
