// A list of kernel calls over one arena: checked once when it is made, then run as often as wanted.
#pragma once

#include <atomic>
#include <memory>
#include <new>
#include <vector>

#include "check.h"
#include "kernels/context.h"

namespace fovea {

// Numbers as they come from JavaScript, read in order.
class Numbers {
 public:
  Numbers(const double* data, size_t count) : next_(data), end_(data + count) {}
  // False unless there is a next one, whole and from least to most.
  bool read(double least, double most, int64_t& value);
  // The next `count` as they are; null if there are not so many.
  const double* take(size_t count);
  bool done() const { return next_ == end_; }

 private:
  const double *next_, *end_;
};

// Memory aligned to 64 bytes, or none.
struct AlignedDelete {
  void operator()(char* data) const { ::operator delete (data, std::align_val_t{64}); }
};
using AlignedBytes = std::unique_ptr<char, AlignedDelete>;
AlignedBytes allocateAligned(size_t bytes);

// Memory outside the arena: always the same, or an input, given with every run.
struct External {
  enum class Copied { no, in, out };
  Element element = Element::f32;
  bool input = false;
  int64_t length = 0;
  Copied copied = Copied::no;  // to or from the arena, at `at`
  int64_t at = 0;
};

class Program {
 public:
  // The numbers: elements of the arena; how many external memories, and for each its element (0:
  // f32, 1: i32), whether it is an input, its length, how it is copied (0, 1: in, 2: out) and where
  // to; how many calls, and for each its kernel, its shape, for each buffer its memory (-2: absent,
  // -1: the arena), offset and length, and the same of the packed form. `data`: where external
  // memories are; of inputs, null. Null, with a message, if any of that does not fit the list.
  static std::unique_ptr<Program> make(const KernelTable& table, int threads, Numbers numbers,
                                       const std::vector<void*>& data, Message& message);

  const std::vector<External>& externals() const { return externals_; }

  // Copies what is to be copied into the arena, runs the calls and copies results out. False, with
  // a message, where numbers decide that a call may not run (those before have run then), where an
  // input lies where the program writes, or once `cancelled`.
  // Where `milliseconds` is given, it gets the time of each call.
  bool run(const std::vector<void*>& data, const std::atomic<bool>* cancelled, Message& message,
           double* milliseconds = nullptr);
  size_t calls() const { return steps_.size(); }

 private:
  struct Place {
    int64_t memory = -2, offset = 0;
  };
  struct Step {
    size_t kernel;
    bool numbers;  // decide whether it may run
    Call call;
    Place places[maxBuffers], packed;
  };

  explicit Program(const KernelTable& table, int threads) : table_(table), threads_(threads) {}
  bool readExternals(Numbers& numbers, Message& message);
  bool readStep(Numbers& numbers, const std::vector<void*>& data, Message& message);
  bool readPlace(Numbers& numbers, const Signature& kernel, const char* name, Element element,
                 const std::vector<void*>& data, Place& place, Buffer& buffer, Message& message);
  bool reserve(size_t workspace, Message& message);
  bool checkInputs(const std::vector<void*>& data, Message& message) const;
  void copy(External::Copied way, const std::vector<void*>& data) const;
  void* pointer(const Place& place, const Buffer& buffer, const std::vector<void*>& data) const;

  const KernelTable& table_;
  int threads_;
  int64_t arenaLength_ = 0;
  AlignedBytes arena_, workspace_;
  std::vector<External> externals_;
  std::vector<bool> written_;  // by external memory
  std::vector<Step> steps_;
};

}  // namespace fovea
