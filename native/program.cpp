// Checks a whole program against the list, places its buffers, and runs its calls.
#include "program.h"

#include <chrono>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double mostElements = 4294967296.0;  // 16 GiB
constexpr size_t mostCalls = 1 << 20, mostExternals = 1 << 20;
constexpr size_t mostWorkspace = size_t{1} << 31;

// Where buffers of no elements point, so that a kernel meets null only for those left out.
alignas(64) char nothing[64];

// Where an input is taken to be while the program is checked: no real memory lies there.
void* placeholder(size_t external) {
  return reinterpret_cast<void*>((uintptr_t{1} << 62) + (static_cast<uintptr_t>(external) << 40));
}

bool overlap(const char* a, int64_t aLength, const char* b, int64_t bLength) {
  const auto at = [](const char* p) { return reinterpret_cast<uintptr_t>(p); };
  return aLength > 0 && bLength > 0 && at(a) < at(b) + static_cast<uintptr_t>(bLength) * 4 &&
         at(b) < at(a) + static_cast<uintptr_t>(aLength) * 4;
}

bool malformed(const char* what, Message& message) {
  return message.set("program: expected %s, but got other numbers", what);
}

}  // namespace

bool Numbers::read(double least, double most, int64_t& value) {
  if (next_ == end_) return false;
  const double number = *next_++;
  if (!(number >= least && number <= most) || number != std::floor(number)) return false;
  value = static_cast<int64_t>(number);
  return true;
}

const double* Numbers::take(size_t count) {
  if (static_cast<size_t>(end_ - next_) < count) return nullptr;
  const double* taken = next_;
  next_ += count;
  return taken;
}

AlignedBytes allocateAligned(size_t bytes) {
  return AlignedBytes(
      static_cast<char*>(::operator new (bytes, std::align_val_t{64}, std::nothrow)));
}

std::unique_ptr<Program> Program::make(const KernelTable& table, int threads, Numbers numbers,
                                       const std::vector<void*>& data, Message& message) {
  std::unique_ptr<Program> made(new Program(table, threads));
  Program& program = *made;
  int64_t calls = 0;
  if (!numbers.read(0, mostElements, program.arenaLength_)) {
    malformed("an arena of at most 16 GiB", message);
    return nullptr;
  }
  program.arena_ = allocateAligned(static_cast<size_t>(program.arenaLength_) * 4 + 64);
  if (!program.arena_) {
    message.set("program: expected %lld bytes of memory, but there is not so much",
                static_cast<long long>(program.arenaLength_ * 4));
    return nullptr;
  }
  if (!program.readExternals(numbers, message)) return nullptr;
  if (data.size() != program.externals_.size()) {
    malformed("the external memories that are described", message);
    return nullptr;
  }
  if (!numbers.read(0, mostCalls, calls)) {
    malformed("a number of calls", message);
    return nullptr;
  }
  program.steps_.reserve(static_cast<size_t>(calls));
  std::vector<void*> places(data);
  for (size_t i = 0; i < places.size(); ++i) {
    if (program.externals_[i].input) places[i] = placeholder(i);
  }
  for (int64_t i = 0; i < calls; ++i) {
    if (!program.readStep(numbers, places, message)) return nullptr;
  }
  if (!numbers.done()) {
    malformed("nothing after the last call", message);
    return nullptr;
  }
  size_t workspace = 0;
  for (const Step& step : program.steps_) {
    const size_t wanted = table.kernels[step.kernel].workspace(step.call.shape, threads);
    if (wanted > workspace) workspace = wanted;
  }
  if (!program.reserve(workspace, message)) return nullptr;
  return made;
}

bool Program::readExternals(Numbers& numbers, Message& message) {
  int64_t count = 0;
  if (!numbers.read(0, mostExternals, count)) return malformed("external memories", message);
  for (int64_t i = 0; i < count; ++i) {
    int64_t element, input, copied;
    External external;
    if (!numbers.read(0, 1, element) || !numbers.read(0, 1, input) ||
        !numbers.read(0, mostElements, external.length) || !numbers.read(0, 2, copied) ||
        !numbers.read(0, mostElements, external.at)) {
      return malformed("external memories", message);
    }
    external.element = element == 0 ? Element::f32 : Element::i32;
    external.input = input != 0;
    external.copied = static_cast<External::Copied>(copied);
    if (copied != 0 && external.at + external.length > arenaLength_) {
      return malformed("copies within the arena", message);
    }
    externals_.push_back(external);
  }
  written_.resize(externals_.size());
  return true;
}

bool Program::readStep(Numbers& numbers, const std::vector<void*>& data, Message& message) {
  int64_t kernel;
  const auto last = static_cast<double>(signatures().size() - 1);
  if (!numbers.read(0, last, kernel)) return malformed("the number of a kernel", message);
  steps_.push_back({});
  Step& step = steps_.back();
  step.kernel = static_cast<size_t>(kernel);
  const Signature& signature = signatures()[step.kernel];
  const double* shape =
      numbers.take(signature.integerNames.size() + signature.constantNames.size());
  if (shape == nullptr) return malformed("the shape of a call", message);
  if (!checkShape(signature, shape, step.call, message)) return false;
  step.numbers = rulesOf(step.kernel).numbers != nullptr;
  for (size_t i = 0; i < signature.buffers.size(); ++i) {
    const BufferSignature& buffer = signature.buffers[i];
    Place& place = step.places[i];
    if (!readPlace(numbers, signature, buffer.name.c_str(), buffer.element, data, place,
                   step.call.buffers[i], message)) {
      return false;
    }
    if (buffer.mode != Mode::read && place.memory >= 0) {
      if (externals_[static_cast<size_t>(place.memory)].input) {
        return malformed("inputs that are only read", message);
      }
      written_[static_cast<size_t>(place.memory)] = true;
    }
    if (!buffer.bounded || !step.call.buffers[i].present) continue;
    step.numbers = true;
    // Elsewhere they could change between the check and the call.
    if (place.memory >= 0) return malformed("indices in the arena", message);
  }
  if (!readPlace(numbers, signature, "packed", Element::f32, data, step.packed, step.call.packed,
                 message)) {
    return false;
  }
  if (!checkBuffers(signature, rulesOf(step.kernel).shape, step.call, message)) return false;
  return !step.call.packed.present ||
         checkPacked(signature, table_.kernels[step.kernel].packedLength(step.call.shape),
                     step.call, message);
}

bool Program::readPlace(Numbers& numbers, const Signature& kernel, const char* name,
                        Element element, const std::vector<void*>& data, Place& place,
                        Buffer& buffer, Message& message) {
  int64_t length;
  const auto last = static_cast<double>(externals_.size()) - 1;
  if (!numbers.read(-2, last, place.memory) || !numbers.read(0, mostElements, place.offset) ||
      !numbers.read(0, mostElements, length)) {
    return malformed("the place of a buffer", message);
  }
  if (place.memory == -2) return true;
  int64_t available = arenaLength_;
  if (place.memory >= 0) {
    const External& external = externals_[static_cast<size_t>(place.memory)];
    available = external.length;
    if (external.element != element) {
      return message.set("program: expected %s of %s to be of its element type, but it is not",
                         name, kernel.name.c_str());
    }
  }
  if (place.offset + length > available) {
    return message.set("program: expected %s of %s within its memory, but it ends outside", name,
                       kernel.name.c_str());
  }
  buffer.present = true;
  buffer.length = length;
  buffer.data = pointer(place, buffer, data);
  return true;
}

bool Program::reserve(size_t bytes, Message& message) {
  if (bytes > mostWorkspace) {
    return message.set("program: expected shapes that need at most 2 GiB to work in, but got %zu",
                       bytes);
  }
  workspace_ = allocateAligned(bytes + 64);
  return workspace_ ||
         message.set("program: expected %zu bytes of memory, but there is not so much", bytes);
}

void* Program::pointer(const Place& place, const Buffer& buffer,
                       const std::vector<void*>& data) const {
  if (!buffer.present) return nullptr;
  if (buffer.length == 0) return nothing;
  char* base =
      place.memory < 0 ? arena_.get() : static_cast<char*>(data[static_cast<size_t>(place.memory)]);
  return base + place.offset * 4;
}

bool Program::checkInputs(const std::vector<void*>& data, Message& message) const {
  for (size_t i = 0; i < externals_.size(); ++i) {
    for (size_t j = 0; externals_[i].input && j < externals_.size(); ++j) {
      if (!written_[j]) continue;
      if (overlap(static_cast<char*>(data[i]), externals_[i].length, static_cast<char*>(data[j]),
                  externals_[j].length)) {
        return message.set(
            "run: expected inputs in other memory than what the program writes, but one overlaps");
      }
    }
  }
  return true;
}

void Program::copy(External::Copied way, const std::vector<void*>& data) const {
  for (size_t i = 0; i < externals_.size(); ++i) {
    const External& external = externals_[i];
    if (external.copied != way || external.length == 0) continue;
    char* inside = arena_.get() + external.at * 4;
    const auto bytes = static_cast<size_t>(external.length) * 4;
    if (way == External::Copied::in)
      std::memcpy(inside, data[i], bytes);
    else
      std::memcpy(data[i], inside, bytes);
  }
}

bool Program::run(const std::vector<void*>& data, const std::atomic<bool>* cancelled,
                  Message& message, double* milliseconds) {
  if (!checkInputs(data, message)) return false;
  copy(External::Copied::in, data);
  for (Step& step : steps_) {
    if (cancelled && cancelled->load(std::memory_order_relaxed)) {
      return message.set("run: expected to finish, but it was cancelled");
    }
    const Signature& signature = signatures()[step.kernel];
    void* buffers[maxBuffers];
    for (size_t i = 0; i < signature.buffers.size(); ++i) {
      buffers[i] = step.call.buffers[i].data = pointer(step.places[i], step.call.buffers[i], data);
    }
    if (step.numbers &&
        !checkNumbers(signature, rulesOf(step.kernel).numbers, step.call, message)) {
      return false;
    }
    const auto* packed = static_cast<const float*>(pointer(step.packed, step.call.packed, data));
    const auto begun = milliseconds ? Clock::now() : Clock::time_point();
    table_.kernels[step.kernel].run(step.call.shape, Context{threads_, workspace_.get(), packed},
                                    buffers);
    if (milliseconds) {
      *milliseconds++ = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
    }
  }
  copy(External::Copied::out, data);
  return true;
}

}  // namespace fovea
