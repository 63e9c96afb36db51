// What each kernel demands of its shape beyond the lengths of its buffers. A rule keeps every
// implementation of a kernel inside its buffers and its arithmetic inside 64 bits.
#include "rules.h"

#include <unordered_map>

#include "kernels/list.h"
#include "rules-window.h"

namespace fovea {
namespace {

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
