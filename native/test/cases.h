// Random valid calls of every kernel, on awkward sizes: shapes as values, buffers of exactly their
// length.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "../check.h"
#include "test.h"

namespace fovea::test {

using Fields = std::map<std::string, double>;

inline int awkward(Random& random) {
  constexpr int sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 33, 65};
  return random.pick(sizes);
}
inline int small(Random& random) {
  return 1 + random.below(4);
}

// Strides of a dense operand of the given sizes that is repeated along some of them.
inline void broadcastOperand(Fields& f, Random& random, const std::string& name) {
  int length = 1;
  for (int i = 3; i >= 0; --i) {
    const int size = static_cast<int>(f["d" + std::to_string(i)]);
    const bool repeated = random.chance(0.3);
    f[name + std::to_string(i)] = repeated ? 0 : length;
    if (!repeated) length *= size;
  }
  f[name + "Length"] = length;
}

inline void broadcast(Fields& f, Random& random) {
  for (int i = 0; i < 4; ++i) {
    f["d" + std::to_string(i)] = i < 3 ? random.below(4) : awkward(random);
    if (i < 3 && random.chance(0.6)) f["d" + std::to_string(i)] = 1;
  }
  broadcastOperand(f, random, "a");
  broadcastOperand(f, random, "b");
}

inline void matmul(Fields& f, Random& random) {
  f["batch"] = small(random);
  f["aBatch"] = random.chance(0.3) ? 1 : f["batch"];
  f["bBatch"] = random.chance(0.5) ? 1 : f["batch"];
  for (const char* name : {"m", "n", "k"}) {
    f[name] = random.chance(0.2) ? 100 + random.below(60) : awkward(random);
  }
  for (const char* name : {"transposeA", "transposeB", "accumulate", "activation"}) {
    f[name] = random.below(2);
  }
}

// One axis of a convolution or a pool: sizes, and as many windows as fit, or one fewer.
inline void axis(Fields& f, Random& random, const std::string& side, const std::string& pad,
                 bool pool) {
  const int kernel = 1 + random.below(random.chance(0.2) ? 7 : 4), stride = 1 + random.below(3);
  const int dilation = pool ? 1 : 1 + random.below(2), size = 1 + awkward(random) / 2;
  const int before = random.below(pool ? kernel : kernel + 2);
  const int after = random.below(pool ? kernel : kernel + 2);
  const int room = size + before + after - dilation * (kernel - 1) - 1;
  int out = room < 0 ? 0 : room / stride + 1;
  while (pool && out > 0 && (out - 1) * stride - before >= size) --out;
  if (out > 1 && random.chance(0.1)) --out;
  const std::string sizeName = side == "Height" ? "height" : "width";
  f["kernel" + side] = kernel;
  f["stride" + side] = stride;
  f["dilation" + side] = dilation;
  f[sizeName] = size;
  f["out" + side] = out;
  f[pad] = before;
  f[pad == "padTop" ? "padBottom" : "padRight"] = after;
}

inline void conv2d(Fields& f, Random& random) {
  axis(f, random, "Height", "padTop", false);
  axis(f, random, "Width", "padLeft", false);
  const int groups = random.chance(0.6) ? 1 : small(random);
  const int groupChannels = random.chance(0.4) ? 1 : random.below(10);
  f["groups"] = groups;
  f["groupChannels"] = groupChannels;
  f["inChannels"] = groups * groupChannels;
  f["outChannels"] = groups * (1 + random.below(random.chance(0.3) ? 20 : 5));
  f["batch"] = random.below(4);
  f["activation"] = random.below(2);
  const bool winograd = f["kernelHeight"] == 3 && f["kernelWidth"] == 3 && f["strideHeight"] == 1 &&
                        f["strideWidth"] == 1 && f["dilationHeight"] == 1 &&
                        f["dilationWidth"] == 1 && groups == 1;
  f["algorithm"] = random.below(winograd ? 3 : 2);
}

inline void pool2d(Fields& f, Random& random) {
  axis(f, random, "Height", "padTop", true);
  axis(f, random, "Width", "padLeft", true);
  f["planes"] = random.below(6);
  f["countPadding"] = random.below(2);
}

inline void recurrent(Fields& f, Random& random) {
  f["steps"] = random.below(6);
  const bool projects = f.count("projSize") && f["hiddenSize"] > 0 && random.chance(0.5);
  const double state = projects ? 1 + random.below(40) : f["hiddenSize"];
  if (f.count("projSize")) f["projSize"] = projects ? state : 0, f["stateSize"] = state;
  const int spare = random.below(4);
  f["yStride"] = state + spare;
  f["yOffset"] = random.below(spare + 1);
  for (const char* name : {"reverse", "relu", "resetAfter", "accumulate"}) {
    if (f.count(name)) f[name] = random.below(2);
  }
}

// Four dimensions, permuted and some reversed in x, spread out or not in y.
inline void copy(Fields& f, Random& random) {
  int sizes[8], order[] = {0, 1, 2, 3, 4, 5, 6, 7};
  for (int i = 0; i < 8; ++i) {
    sizes[i] = i < 4 ? 1 : 1 + random.below(i < 7 ? 4 : 20);
    std::swap(order[i], order[random.below(i + 1)]);
  }
  if (random.chance(0.05)) sizes[random.below(8)] = 0;
  int xLength = 1, yLength = 1, offset = 0;
  const int apart = random.chance(0.3) ? 2 : 1;
  for (int i = 7; i >= 0; --i) {
    const int from = order[i];
    const bool reversed = random.chance(0.2), repeated = random.chance(0.1);
    f["x" + std::to_string(from)] = repeated ? 0 : reversed ? -xLength : xLength;
    if (reversed && !repeated && sizes[from] > 0) offset += (sizes[from] - 1) * xLength;
    if (!repeated) xLength *= sizes[from] > 0 ? sizes[from] : 1;
    f["y" + std::to_string(i)] = yLength * apart;
    yLength *= sizes[i] > 0 ? sizes[i] : 1;
    f["d" + std::to_string(i)] = sizes[i];
  }
  f["xOffset"] = offset;
  f["yOffset"] = random.below(3);
  f["xLength"] = xLength;
  f["yLength"] = yLength * apart + f["yOffset"];
}

// The values of a valid shape, by name.
inline Fields validShape(const Signature& kernel, Random& random) {
  const std::map<std::string, double> constants = {
      {"slope", 0.1},   {"alpha", 1.1}, {"low", -0.5},       {"high", 0.7},      {"scale", 1.5},
      {"shift", -0.25}, {"eps", 1e-5},  {"momentum", 0.1},   {"smoothing", 0.1}, {"mean", 0.5},
      {"std", 2},       {"value", 3},   {"probability", 0.3}};
  Fields f;
  for (const std::string& name : kernel.integerNames) f[name] = awkward(random);
  for (const std::string& name : kernel.constantNames) f[name] = constants.at(name);
  const std::string& name = kernel.name;
  if (f.count("aLength")) broadcast(f, random);
  if (name == "matmul") matmul(f, random);
  if (name.rfind("conv2d", 0) == 0) conv2d(f, random);
  if (f.count("planes") && f.count("kernelHeight")) pool2d(f, random);
  if (f.count("hiddenSize")) recurrent(f, random);
  if (name == "copy") copy(f, random);
  if (name == "max" || name == "min" || name.rfind("arg", 0) == 0) f["count"] += 1;
  if (name.rfind("adaptive", 0) == 0) f["height"] += 1, f["width"] += 1;
  if (f.count("seedWords")) f["seedWords"] = 4;
  if (f.count("settingsLength"))
    f["settingsLength"] = name == "adam" ? 9 : name == "adagrad" ? 4 : 7;
  if (f.count("ignoreIndex")) f["ignoreIndex"] = random.chance(0.5) ? -100 : 0;
  for (const char* bound : {"classes", "axisLength", "tags"}) {
    if (f.count(bound)) f[bound] += 1;
  }
  if (name == "pick" || name == "pickBackward") f["columns"] += 1;
  if (f.count("count") && f.size() == 1 && random.chance(0.05)) f["count"] = 70000;
  return f;
}

// One factor of a product: a field's value, or a number of the list.
inline double sizeOf(const Signature& kernel, Fields& f, int field) {
  return field < 0 ? -field : f[kernel.integerNames[field]];
}

inline std::vector<double> valuesOf(const Signature& kernel, Fields& f) {
  std::vector<double> values;
  for (const std::string& name : kernel.integerNames) values.push_back(f[name]);
  for (const std::string& name : kernel.constantNames) values.push_back(f[name]);
  return values;
}

// A block of exactly `length` elements, each end where the sanitizer sees one step too far;
// starting at an address that is a multiple of 4 but not of 16.
struct Block {
  explicit Block(int64_t length) : length(length) {
    start = static_cast<char*>(std::malloc(static_cast<size_t>(length) * 4 + 4));
  }
  Block(Block&& other) noexcept : start(other.start), length(other.length) {
    other.start = nullptr;
  }
  ~Block() { std::free(start); }
  float* floats() const { return reinterpret_cast<float*>(start + 4); }
  int32_t* ints() const { return reinterpret_cast<int32_t*>(start + 4); }

  char* start;
  int64_t length;
};

// Fills a buffer with what it may hold. Below 1 there is no valid index.
inline void fill(const Signature& kernel, const BufferSignature& buffer, Fields& f, Block& block,
                 Random& random) {
  const std::string& name = buffer.name;
  if (buffer.bounded) {
    double below = 1;
    for (const int field : buffer.below.fields) below *= sizeOf(kernel, f, field);
    for (int64_t i = 0; i < block.length; ++i) {
      block.ints()[i] = below >= 1 ? random.below(static_cast<int>(below)) : 0;
      if (buffer.except >= 0 && random.chance(0.1)) {
        block.ints()[i] = static_cast<int32_t>(f[kernel.integerNames[buffer.except]]);
      }
    }
  } else if (buffer.element == Element::i32) {
    for (int64_t i = 0; i < block.length; ++i)
      block.ints()[i] = static_cast<int32_t>(random.next());
  } else if (name == "settings") {
    const float sgd[9] = {0.1f, 0.9f, 0.1f, 0.01f, 0.001f, 0, 0};
    const float adam[9] = {0.1f, 0.9f, 0.99f, 1e-8f, 0.01f, 0.001f, 0, 0.19f, 0.0199f};
    const float rmsprop[9] = {0.1f, 0.9f, 1e-5f, 0.01f, 0.001f, 0.9f, 1};
    const float adagrad[9] = {0.1f, 1e-5f, 0.01f, 0.001f};
    const float* settings = kernel.name == "sgd"       ? sgd
                            : kernel.name == "adam"    ? adam
                            : kernel.name == "rmsprop" ? rmsprop
                                                       : adagrad;
    for (int64_t i = 0; i < block.length; ++i) block.floats()[i] = i < 9 ? settings[i] : 0;
  } else {
    const bool positive = name == "variance" || name == "runningVar" || name == "inverseStd" ||
                          name.rfind("square", 0) == 0 || name == "probabilities" ||
                          name == "weight";
    // As in a network: else gradients, and their errors, would grow from step to step.
    const bool gates = name == "saved" && f.count("hiddenSize");
    const bool recurrent = name == "weightHh" || name == "weightHr";
    const float most = gates ? 1 : recurrent ? 0.3f : 2;
    const float least = gates ? 0 : positive ? 0.1f : -most;
    for (int64_t i = 0; i < block.length; ++i) {
      // Above the square of any average: a centred second moment may not be negative.
      block.floats()[i] =
          name.rfind("square", 0) == 0 ? random.between(5, 6) : random.between(least, most);
    }
  }
}

}  // namespace fovea::test
