// Checks a whole kernel call against the list before it runs: what passes cannot lead a kernel out
// of its buffers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signature.h"

namespace fovea {

// A buffer as it came from the caller; one of no elements may be present and yet have no data.
struct Buffer {
  bool present = false;
  void* data = nullptr;
  int64_t length = 0;  // elements
};

// The shape as kernels read it: integers, then constants, four bytes each.
union Word {
  int32_t integer;
  float constant;
};

struct Call {
  Word shape[maxFields];
  Buffer buffers[maxBuffers];
  Buffer packed;  // form of the operands that may be packed: read by a run, written by packing
};

// A message in the form `conv2d: expected …, because …, but got …`.
struct Message {
  char text[512];
  // Always false, so that a check can `return message.set(…)`.
#if defined(__GNUC__)
  __attribute__((format(printf, 2, 3)))
#endif
  bool
  set(const char* format, ...);
};

// Reads the shape values into the call. False, with a message, unless each is what the list allows.
bool checkShape(const Signature& kernel, const double* values, Call& call, Message& message);

// What lengths cannot say: a kernel's own rule on its shape and on which buffers are there.
using Rule = bool (*)(const char* kernel, const Call& call, Message& message);
Rule ruleOf(const std::string& kernel);
// The same of a rule on the numbers in its buffers.
Rule numbersRuleOf(const std::string& kernel);

struct Rules {
  Rule shape, numbers;
};
// Of the kernel at a position in the list.
const Rules& rulesOf(size_t kernel);

// Checks lengths, overlap and the rule. Element types are the caller's to check, and the length of
// the packed form, which the kernel says.
bool checkBuffers(const Signature& kernel, Rule rule, const Call& call, Message& message);

// Checks what the numbers in the buffers decide: indices, and the rule on numbers.
bool checkNumbers(const Signature& kernel, Rule rule, const Call& call, Message& message);

// The same where operands are to be packed: nothing but they, and the packed form, is there (and
// not even they, where only its length is asked for). So the
// rule of a kernel that packs may look at its shape, and at no buffer.
bool checkPacking(const Signature& kernel, Rule rule, const Call& call, Message& message);

// The packed form has the length that the kernel says; 0: this shape has none.
bool checkPacked(const Signature& kernel, int64_t length, const Call& call, Message& message);

}  // namespace fovea
