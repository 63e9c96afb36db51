// What each kernel demands of its shape beyond the lengths of its buffers. A rule keeps every
// implementation of a kernel inside its buffers and its arithmetic inside 64 bits.
#include <cstring>
#include <unordered_map>

#include "check.h"
#include "kernels/list.h"

namespace fovea {
namespace {

template <class Shape>
Shape shapeOf(const Call& call) {
  static_assert(sizeof(Shape) <= sizeof call.shape, "a shape is at most maxFields words");
  Shape shape;
  std::memcpy(&shape, call.shape, sizeof shape);
  return shape;
}

bool atLeast(const char* kernel, const char* field, int64_t value, int64_t least,
             Message& message) {
  if (value >= least) return true;
  return message.set("%s: expected %s of at least %lld, but got %lld", kernel, field,
                     static_cast<long long>(least), static_cast<long long>(value));
}

bool flag(const char* kernel, const char* field, int64_t value, Message& message) {
  if (value == 0 || value == 1) return true;
  return message.set("%s: expected %s as 0 or 1, but got %lld", kernel, field,
                     static_cast<long long>(value));
}

bool exactly(const char* kernel, const char* field, int64_t value, int64_t wanted,
             Message& message) {
  if (value == wanted) return true;
  return message.set("%s: expected %s of %lld, but got %lld", kernel, field,
                     static_cast<long long>(wanted), static_cast<long long>(value));
}

// One axis of a window that slides over a plane.
struct Axis {
  const char *kernelName, *strideName, *dilationName, *padName, *padEndName;
  int64_t size, kernel, stride, dilation, pad, padEnd, out;

  int64_t extent() const { return dilation * (kernel - 1) + 1; }
  int64_t lastStart() const { return (out > 0 ? out - 1 : 0) * stride - pad; }
};

template <class Shape>
Axis rows(const Shape& s) {
  return {"kernelHeight",
          "strideHeight",
          "dilationHeight",
          "padTop",
          "padBottom",
          s.height,
          s.kernelHeight,
          s.strideHeight,
          1,
          s.padTop,
          0,
          s.outHeight};
}
template <class Shape>
Axis columns(const Shape& s) {
  return {"kernelWidth",
          "strideWidth",
          "dilationWidth",
          "padLeft",
          "padRight",
          s.width,
          s.kernelWidth,
          s.strideWidth,
          1,
          s.padLeft,
          0,
          s.outWidth};
}

// Far beyond any network, and so small that positions stay inside 32 bits and that no kernel spends
// minutes on what cannot be meant: steps of a window, its padding, and how far it may reach.
constexpr int64_t longestStep = int64_t{1} << 20, farthest = int64_t{1} << 30;
constexpr int64_t widest = int64_t{1} << 24;

bool atMost(const char* kernel, const char* field, int64_t value, int64_t most, Message& message) {
  if (value <= most) return true;
  return message.set("%s: expected %s of at most %lld, but got %lld", kernel, field,
                     static_cast<long long>(most), static_cast<long long>(value));
}

bool checkWindow(const char* kernel, const Axis& axis, Message& message) {
  if (!atLeast(kernel, axis.kernelName, axis.kernel, 1, message) ||
      !atLeast(kernel, axis.strideName, axis.stride, 1, message) ||
      !atLeast(kernel, axis.dilationName, axis.dilation, 1, message) ||
      !atMost(kernel, axis.strideName, axis.stride, longestStep, message) ||
      !atMost(kernel, axis.dilationName, axis.dilation, longestStep, message) ||
      !atMost(kernel, axis.padName, axis.pad, longestStep, message) ||
      !atMost(kernel, axis.padEndName, axis.padEnd, longestStep, message)) {
    return false;
  }
  const int64_t end =
      axis.lastStart() + axis.extent();  // of the last window, from the first element
  if (axis.extent() <= widest && end - axis.size <= widest && end <= farthest &&
      axis.size <= farthest) {
    return true;
  }
  return message.set(
      "%s: expected windows of at most 2^24 that end at most so far beyond x, but got %s %lld, "
      "dilation %lld, %s %lld and windows up to %lld on %lld",
      kernel, axis.kernelName, static_cast<long long>(axis.kernel),
      static_cast<long long>(axis.dilation), axis.strideName, static_cast<long long>(axis.stride),
      static_cast<long long>(end), static_cast<long long>(axis.size));
}

// 0: the kernel chooses; 1: direct; 2: Winograd's.
template <class Shape>
bool checkAlgorithm(const char* kernel, const Shape& s, Message& message) {
  if (!atMost(kernel, "algorithm", s.algorithm, 2, message)) return false;
  const bool fits = s.kernelHeight == 3 && s.kernelWidth == 3 && s.strideHeight == 1 &&
                    s.strideWidth == 1 && s.dilationHeight == 1 && s.dilationWidth == 1 &&
                    s.groups == 1;
  if (fits || s.algorithm < 2) return true;
  return message.set(
      "%s: expected algorithm 0 or 1, because that of Winograd is for windows of 3 x 3, stride 1, "
      "dilation 1 and one group, but got %d",
      kernel, s.algorithm);
}

template <class Shape>
bool checkConv(const char* kernel, const Shape& s, Message& message) {
  Axis down = rows(s), across = columns(s);
  down.dilation = s.dilationHeight;
  across.dilation = s.dilationWidth;
  if (!checkWindow(kernel, down, message) || !checkWindow(kernel, across, message)) return false;
  if (!atLeast(kernel, "groups", s.groups, 1, message)) return false;
  if (s.outChannels % s.groups != 0) {
    return message.set(
        "%s: expected outChannels as a multiple of %d, because there are so many groups, but got "
        "%d",
        kernel, s.groups, s.outChannels);
  }
  if (int64_t{s.groupChannels} * s.groups != s.inChannels) {
    return message.set("%s: expected inChannels as groupChannels x groups, %d x %d, but got %d",
                       kernel, s.groupChannels, s.groups, s.inChannels);
  }
  return checkAlgorithm(kernel, s, message);
}

bool conv(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<Conv2dShape>(call);
  return checkConv(kernel, s, message) && flag(kernel, "activation", s.activation, message);
}

bool convBackward(const char* kernel, const Call& call, Message& message) {
  return checkConv(kernel, shapeOf<Conv2dBackwardShape>(call), message);
}

// Every window holds at least one element of x: the first, and the last.
bool checkPoolAxis(const char* kernel, const Axis& axis, Message& message) {
  if (!checkWindow(kernel, axis, message)) return false;
  const auto padding = [&](const char* name, int64_t pad) {
    if (pad < axis.kernel) return true;
    return message.set("%s: expected %s below %s %lld, but got %lld", kernel, name, axis.kernelName,
                       static_cast<long long>(axis.kernel), static_cast<long long>(pad));
  };
  if (!padding(axis.padName, axis.pad) || !padding(axis.padEndName, axis.padEnd)) return false;
  if (axis.out == 0 || axis.lastStart() < axis.size) return true;
  return message.set(
      "%s: expected every window to hold an element of x, but got the last starting at %lld of "
      "%lld",
      kernel, static_cast<long long>(axis.lastStart()), static_cast<long long>(axis.size));
}

bool maxPool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<MaxPool2dShape>(call);
  return checkPoolAxis(kernel, rows(s), message) && checkPoolAxis(kernel, columns(s), message);
}

bool avgPool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<AvgPool2dShape>(call);
  Axis down = rows(s), across = columns(s);
  down.padEnd = s.padBottom;
  across.padEnd = s.padRight;
  return checkPoolAxis(kernel, down, message) && checkPoolAxis(kernel, across, message) &&
         flag(kernel, "countPadding", s.countPadding, message);
}

bool adaptivePool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<AdaptivePool2dShape>(call);
  return (s.outHeight == 0 || atLeast(kernel, "height", s.height, 1, message)) &&
         (s.outWidth == 0 || atLeast(kernel, "width", s.width, 1, message));
}

bool matmul(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<MatmulShape>(call);
  const auto batch = [&](const char* name, int value) {
    if (value == 1 || value == s.batch) return true;
    return message.set("%s: expected %s as 1 or batch %d, but got %d", kernel, name, s.batch,
                       value);
  };
  return batch("aBatch", s.aBatch) && batch("bBatch", s.bBatch) &&
         flag(kernel, "transposeA", s.transposeA, message) &&
         flag(kernel, "transposeB", s.transposeB, message) &&
         flag(kernel, "accumulate", s.accumulate, message) &&
         flag(kernel, "activation", s.activation, message);
}

// The reach of strided access stays within the buffer: offset + the sum of (size - 1) stride, its
// negative and positive parts apart. The product of all sizes is below 2^31, so no sum overflows.
bool checkReach(const char* kernel, const char* name, int rank, const int32_t* sizes,
                const int32_t* strides, int64_t offset, int64_t length, Message& message) {
  int64_t lowest = offset, highest = offset;
  for (int i = 0; i < rank; ++i) {
    const int64_t reach = int64_t{sizes[i] - 1} * strides[i];
    (reach < 0 ? lowest : highest) += reach;
  }
  if (lowest >= 0 && highest < length) return true;
  return message.set(
      "%s: expected strides of %s that stay within its %lld elements, but got positions %lld to "
      "%lld",
      kernel, name, static_cast<long long>(length), static_cast<long long>(lowest),
      static_cast<long long>(highest));
}

bool broadcast(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<BroadcastShape>(call);
  const int32_t sizes[] = {s.d0, s.d1, s.d2, s.d3};
  const int32_t a[] = {s.a0, s.a1, s.a2, s.a3}, b[] = {s.b0, s.b1, s.b2, s.b3};
  for (const int32_t size : sizes) {
    if (size == 0) return true;
  }
  return checkReach(kernel, "a", 4, sizes, a, 0, s.aLength, message) &&
         checkReach(kernel, "b", 4, sizes, b, 0, s.bLength, message);
}

bool copy(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<CopyShape>(call);
  const int32_t sizes[] = {s.d0, s.d1, s.d2, s.d3, s.d4, s.d5, s.d6, s.d7};
  const int32_t x[] = {s.x0, s.x1, s.x2, s.x3, s.x4, s.x5, s.x6, s.x7};
  const int32_t y[] = {s.y0, s.y1, s.y2, s.y3, s.y4, s.y5, s.y6, s.y7};
  int64_t count = 1;
  bool empty = false;
  for (const int32_t size : sizes) {
    empty |= size == 0;
    count *= size > 0 ? size : 1;
    if (count > INT32_MAX) {
      return message.set("%s: expected sizes whose product is below 2^31, but got at least %lld",
                         kernel, static_cast<long long>(count));
    }
  }
  if (!atLeast(kernel, "xOffset", s.xOffset, 0, message)) return false;
  if (!atLeast(kernel, "yOffset", s.yOffset, 0, message)) return false;
  return empty || (checkReach(kernel, "x", 8, sizes, x, s.xOffset, s.xLength, message) &&
                   checkReach(kernel, "y", 8, sizes, y, s.yOffset, s.yLength, message));
}

// There is no largest of nothing.
bool extreme(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<ReduceShape>(call);
  return s.outer == 0 || s.inner == 0 || atLeast(kernel, "count", s.count, 1, message);
}

bool batchNorm(const char* kernel, const Call& call, Message& message) {
  const bool mean = call.buffers[3].present, variance = call.buffers[4].present;
  if (mean == variance) return true;
  return message.set("%s: expected runningMean and runningVar together, but got only %s", kernel,
                     mean ? "runningMean" : "runningVar");
}

// y has `columns` numbers in each of its rows, named so.
template <class Shape>
bool recurrent(const char* kernel, const Shape& s, const char* columnsName, int32_t columns,
               Message& message) {
  if (!flag(kernel, "reverse", s.reverse, message)) return false;
  if (int64_t{s.yOffset} + columns <= s.yStride) return true;
  return message.set("%s: expected yOffset + %s of at most yStride %d, but got %d + %d", kernel,
                     columnsName, s.yStride, s.yOffset, columns);
}
template <class Shape>
bool recurrent(const char* kernel, const Shape& s, Message& message) {
  return recurrent(kernel, s, "hiddenSize", s.hiddenSize, message);
}

template <class Shape>
bool rnn(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<Shape>(call);
  return recurrent(kernel, s, message) && flag(kernel, "relu", s.relu, message);
}

template <class Shape>
bool gru(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<Shape>(call);
  return recurrent(kernel, s, message) && flag(kernel, "resetAfter", s.resetAfter, message);
}

template <class Shape>
bool lstm(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<Shape>(call);
  const bool projects = s.projSize > 0;
  if (projects && !atLeast(kernel, "hiddenSize", s.hiddenSize, 1, message)) return false;
  return exactly(kernel, "stateSize", s.stateSize, projects ? s.projSize : s.hiddenSize, message) &&
         recurrent(kernel, s, "stateSize", s.stateSize, message);
}

// The backward kernels, whose gradX may come on top of what is there.
template <class Shape, Rule forward>
bool adding(const char* kernel, const Call& call, Message& message) {
  return forward(kernel, call, message) &&
         flag(kernel, "accumulate", shapeOf<Shape>(call).accumulate, message);
}

// A step has some tag.
bool crf(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<CrfShape>(call);
  return s.steps == 0 || s.batch == 0 || atLeast(kernel, "tags", s.tags, 1, message);
}

template <class Shape>
bool seeded(const char* kernel, const Call& call, Message& message) {
  return exactly(kernel, "seedWords", shapeOf<Shape>(call).seedWords, 4, message);
}

template <int length>
bool settings(const char* kernel, const Call& call, Message& message) {
  return exactly(kernel, "settingsLength", shapeOf<UpdateShape>(call).settingsLength, length,
                 message);
}

// A setting that is not 0 needs its buffer.
bool needs(const char* kernel, const Call& call, int setting, const char* settingName, int buffer,
           const char* bufferName, Message& message) {
  const float value = static_cast<const float*>(call.buffers[0].data)[setting];
  if (value == 0 || call.buffers[buffer].present) return true;
  return message.set("%s: expected %s, because %s is %g, but got none", kernel, bufferName,
                     settingName, static_cast<double>(value));
}

bool sgdNumbers(const char* kernel, const Call& call, Message& message) {
  return needs(kernel, call, 1, "momentum", 3, "velocity", message);
}

bool rmspropNumbers(const char* kernel, const Call& call, Message& message) {
  return needs(kernel, call, 5, "momentum", 4, "velocity", message) &&
         needs(kernel, call, 6, "centered", 5, "average", message);
}

const std::unordered_map<std::string, Rule>& rules() {
  static const auto* all = new std::unordered_map<std::string, Rule>{
      {"add", broadcast},
      {"sub", broadcast},
      {"mul", broadcast},
      {"div", broadcast},
      {"pow", broadcast},
      {"maximum", broadcast},
      {"minimum", broadcast},
      {"equal", broadcast},
      {"less", broadcast},
      {"max", extreme},
      {"min", extreme},
      {"argmax", extreme},
      {"argmin", extreme},
      {"matmul", matmul},
      {"conv2d", conv},
      {"conv2dBackwardInput", convBackward},
      {"conv2dBackwardWeight", convBackward},
      {"maxPool2d", maxPool},
      {"maxPool2dBackward", maxPool},
      {"avgPool2d", avgPool},
      {"avgPool2dBackward", avgPool},
      {"adaptiveAvgPool2d", adaptivePool},
      {"adaptiveAvgPool2dBackward", adaptivePool},
      {"batchNorm", batchNorm},
      {"rnn", rnn<RnnShape>},
      {"gru", gru<GruShape>},
      {"lstm", lstm<LstmShape>},
      {"rnnBackward", adding<RnnBackwardShape, rnn<RnnBackwardShape>>},
      {"gruBackward", adding<GruBackwardShape, gru<GruBackwardShape>>},
      {"lstmBackward", adding<LstmBackwardShape, lstm<LstmBackwardShape>>},
      {"crf", crf},
      {"crfBackward", crf},
      {"crfDecode", crf},
      {"uniform", seeded<UniformShape>},
      {"normal", seeded<NormalShape>},
      {"dropout", seeded<DropoutShape>},
      {"copy", copy},
      {"sgd", settings<7>},
      {"adam", settings<9>},
      {"rmsprop", settings<7>},
      {"adagrad", settings<4>},
  };
  return *all;
}

}  // namespace

Rule ruleOf(const std::string& kernel) {
  const auto found = rules().find(kernel);
  return found == rules().end() ? nullptr : found->second;
}

Rule numbersRuleOf(const std::string& kernel) {
  if (kernel == "sgd") return sgdNumbers;
  return kernel == "rmsprop" ? rmspropNumbers : nullptr;
}

const Rules& rulesOf(size_t kernel) {
  static const auto* all = [] {
    auto* found = new std::vector<Rules>;
    for (const Signature& signature : signatures()) {
      found->push_back({ruleOf(signature.name), numbersRuleOf(signature.name)});
    }
    return found;
  }();
  return (*all)[kernel];
}

}  // namespace fovea
