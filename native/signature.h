// The list of kernels as data: what `kernels/list.h` says in text, parsed once, for checking calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

constexpr int maxFields = 28;
constexpr int maxBuffers = 21;

enum class Mode { read, write, update };
enum class Element { f32, i32 };

// The product of some integer fields of the shape, and of numbers; of nothing it is 1.
struct Product {
  std::string text;         // as in the list: "outer count inner", "4 hiddenSize"
  std::vector<int> fields;  // positions among the integers; -n stands for the number n
};

struct BufferSignature {
  std::string name;
  Mode mode;
  Element element;
  bool optional = false;
  int unless = -1;  // the field that, above 0, asks for it although it is optional
  Product length;
  bool bounded = false;  // its elements are indices below `below`, or equal to field `except`
  Product below;
  int except = -1;
  unsigned inPlace = 0;  // bit i: may be the same memory as buffer i
  bool packs = false;    // may be given in packed form instead
};

struct Signature {
  std::string name, integers, constants, buffersText;  // the text of the list
  std::vector<std::string> integerNames, constantNames;
  std::vector<bool> signedInteger;
  std::vector<BufferSignature> buffers;

  // Whether some of its operands may be packed.
  bool packs() const;
};

// Every kernel in the order of the list. Parsed at the first call; never destroyed.
const std::vector<Signature>& signatures();

}  // namespace fovea
