// Runs checked calls on the chosen table of kernels, in a workspace that only grows.
#include "engine.h"

#include <cstdlib>
#include <new>

namespace fovea {
namespace {

constexpr size_t alignment = 64;
// Real networks want some megabytes. A system that promises memory it does not have would end the
// process of a caller whose dilation is a mistake.
constexpr size_t mostBytes = size_t{1} << 31;

// Where buffers of no elements point, so that a kernel meets null only for those left out.
alignas(alignment) char nothing[alignment];

void* pointer(const Buffer& buffer) {
  return buffer.present && buffer.length == 0 ? nothing : buffer.data;
}

}  // namespace

Engine::Engine() : targetCount_(supportedTargets(targets_)), table_(targets_[0]) {}

Engine::~Engine() {
  ::operator delete (workspace_, std::align_val_t{alignment});
}

std::vector<std::string> Engine::isas() const {
  std::vector<std::string> names;
  for (int i = 0; i < targetCount_; ++i) names.push_back(targets_[i]->isa);
  return names;
}

bool Engine::selectIsa(const std::string& name) {
  for (int i = 0; i < targetCount_; ++i) {
    if (name != targets_[i]->isa) continue;
    table_ = targets_[i];
    return true;
  }
  return false;
}

bool Engine::reserve(size_t bytes, const std::string& kernel, Message& message) {
  if (bytes <= workspaceBytes_) return true;
  if (bytes > mostBytes) {
    return message.set(
        "%s: expected a shape that needs at most 2 GiB to work in, but got %zu bytes",
        kernel.c_str(), bytes);
  }
  ::operator delete (workspace_, std::align_val_t{alignment});
  workspaceBytes_ = 0;
  workspace_ =
      static_cast<char*>(::operator new (bytes, std::align_val_t{alignment}, std::nothrow));
  if (workspace_ == nullptr) {
    return message.set("%s: expected %zu bytes of memory to work in, but there is not so much",
                       kernel.c_str(), bytes);
  }
  workspaceBytes_ = bytes;
  return true;
}

bool Engine::run(size_t kernel, const double* shape, Call& call, Message& message) {
  const Signature& signature = signatures()[kernel];
  if (!checkShape(signature, shape, call, message)) return false;
  if (!checkBuffers(signature, rulesOf(kernel).shape, call, message)) return false;
  if (!checkNumbers(signature, rulesOf(kernel).numbers, call, message)) return false;
  const KernelEntry& entry = table_->kernels[kernel];
  if (call.packed.present &&
      !checkPacked(signature, entry.packedLength(call.shape), call, message)) {
    return false;
  }
  if (!reserve(entry.workspace(call.shape, threads), signature.name, message)) return false;
  void* buffers[maxBuffers];
  for (size_t i = 0; i < signature.buffers.size(); ++i) buffers[i] = pointer(call.buffers[i]);
  const auto* packed = static_cast<const float*>(call.packed.data);
  entry.run(call.shape, Context{threads, workspace_, packed}, buffers);
  lastIsa_ = table_->isa;
  return true;
}

bool Engine::packedLength(size_t kernel, const double* shape, int64_t& length, Message& message) {
  const Signature& signature = signatures()[kernel];
  length = 0;
  if (!signature.packs()) return true;
  Call call;
  if (!checkShape(signature, shape, call, message)) return false;
  if (!checkPacking(signature, rulesOf(kernel).shape, call, message)) return false;
  length = table_->kernels[kernel].packedLength(call.shape);
  return true;
}

bool Engine::pack(size_t kernel, const double* shape, Call& call, Message& message) {
  const Signature& signature = signatures()[kernel];
  if (!checkShape(signature, shape, call, message)) return false;
  if (!checkPacking(signature, rulesOf(kernel).shape, call, message)) return false;
  const KernelEntry& entry = table_->kernels[kernel];
  if (!checkPacked(signature, entry.packedLength(call.shape), call, message)) return false;
  void* operands[maxBuffers + 1];
  int count = 0;
  for (size_t i = 0; i < signature.buffers.size(); ++i) {
    if (signature.buffers[i].packs) operands[count++] = pointer(call.buffers[i]);
  }
  operands[count] = call.packed.data;
  entry.pack(call.shape, Context{threads, nullptr}, operands);
  lastIsa_ = table_->isa;
  return true;
}

}  // namespace fovea
