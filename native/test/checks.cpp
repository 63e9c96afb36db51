// Calls that must be refused, each with the words it must be refused with.
#include <cmath>
#include <cstring>

#include "../engine.h"
#include "cases.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

size_t indexOf(const std::string& name) {
  size_t index = 0;
  while (signatures()[index].name != name) ++index;
  return index;
}

// Buffers as long as the shape says, all of ones, so that only the rule can object.
bool refuses(const char* name, const Fields& fields, const char* because) {
  const size_t index = indexOf(name);
  const Signature& kernel = signatures()[index];
  Fields f = fields;
  std::vector<Block> blocks;
  Call call;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    int64_t length = 1;
    for (const int field : kernel.buffers[i].length.fields) {
      length *= static_cast<int64_t>(sizeOf(kernel, f, field));
    }
    if (length < 0 || length > 1 << 20) length = 0;
    blocks.emplace_back(length);
    std::memset(blocks[i].start, 0, static_cast<size_t>(length) * 4 + 4);
    call.buffers[i] = {true, blocks[i].floats(), length};
  }
  Engine engine;
  Message message;
  if (engine.run(index, valuesOf(kernel, f).data(), call, message)) {
    std::printf("%s ran, expected '%s'\n", name, because);
    return false;
  }
  if (std::strstr(message.text, because) != nullptr) return true;
  std::printf("%s was refused with '%s', expected '%s'\n", name, message.text, because);
  return false;
}

const Fields conv = {{"batch", 1},          {"inChannels", 4},    {"height", 6},
                     {"width", 6},          {"outChannels", 4},   {"groupChannels", 2},
                     {"kernelHeight", 3},   {"kernelWidth", 3},   {"strideHeight", 1},
                     {"strideWidth", 1},    {"padTop", 1},        {"padLeft", 1},
                     {"dilationHeight", 1}, {"dilationWidth", 1}, {"groups", 2},
                     {"outHeight", 6},      {"outWidth", 6},      {"activation", 0}};
const Fields pool = {{"planes", 2},       {"height", 6},      {"width", 6},
                     {"kernelHeight", 2}, {"kernelWidth", 2}, {"strideHeight", 2},
                     {"strideWidth", 2},  {"padTop", 0},      {"padLeft", 0},
                     {"outHeight", 3},    {"outWidth", 3},    {"countPadding", 0},
                     {"padBottom", 0},    {"padRight", 0}};
const Fields product = {{"batch", 2},      {"aBatch", 1},    {"bBatch", 2},     {"m", 2},
                        {"n", 2},          {"k", 2},         {"transposeA", 0}, {"transposeB", 0},
                        {"accumulate", 0}, {"activation", 0}};
const Fields sum = {{"d0", 1}, {"d1", 1}, {"d2", 2}, {"d3", 3},      {"a2", 3},
                    {"a3", 1}, {"b2", 0}, {"b3", 1}, {"aLength", 6}, {"bLength", 3}};

const Fields sequence = {{"steps", 2},     {"batch", 1},   {"inputSize", 3}, {"hiddenSize", 4},
                         {"stateSize", 4}, {"reverse", 0}, {"yStride", 5},   {"yOffset", 1}};

Fields with(Fields fields, const std::string& name, double value) {
  fields[name] = value;
  return fields;
}

void testRules() {
  CHECK(refuses("conv2d", with(conv, "strideHeight", 0), "strideHeight of at least 1"));
  CHECK(refuses("conv2d", with(conv, "dilationWidth", 0), "dilationWidth of at least 1"));
  CHECK(refuses("conv2d", with(conv, "kernelWidth", 0), "kernelWidth of at least 1"));
  CHECK(refuses("conv2d", with(conv, "groups", 0), "groups of at least 1"));
  CHECK(refuses("conv2d", with(conv, "groups", 3), "outChannels as a multiple of 3"));
  CHECK(refuses("conv2d", with(conv, "groupChannels", 4),
                "inChannels as groupChannels x groups, 4 x 2, but got 4"));
  CHECK(refuses("conv2d", with(conv, "activation", 2), "activation as 0 or 1, but got 2"));
  CHECK(refuses("conv2d", with(conv, "strideWidth", 1 << 30), "strideWidth of at most 1048576"));
  CHECK(refuses("conv2dBackwardWeight", with(conv, "padTop", INT32_MAX),
                "padTop of at most 1048576"));
  CHECK(refuses("conv2dBackwardInput", with(conv, "dilationHeight", 1 << 30),
                "dilationHeight of at most"));
  Fields far = with(conv, "outHeight", 20);
  CHECK(refuses("conv2d", with(far, "strideHeight", 1 << 20), "end at most so far beyond x"));
  CHECK(refuses("maxPool2d", with(pool, "padTop", 2), "padTop below kernelHeight 2, but got 2"));
  CHECK(refuses("maxPool2d", with(pool, "outHeight", 4), "every window to hold an element of x"));
  CHECK(refuses("maxPool2d", with(pool, "width", 0), "every window to hold an element of x"));
  CHECK(refuses("avgPool2d", with(pool, "padRight", 2), "padRight below kernelWidth 2"));
  CHECK(refuses("avgPool2dBackward", with(pool, "countPadding", -1),
                "countPadding as an integer from 0"));
  CHECK(refuses("adaptiveAvgPool2d", with(pool, "height", 0), "height of at least 1"));
  CHECK(refuses("matmul", with(product, "aBatch", 3), "aBatch as 1 or batch 2, but got 3"));
  CHECK(refuses("matmul", with(product, "transposeB", 7), "transposeB as 0 or 1"));
  CHECK(refuses("add", with(sum, "a2", 4), "strides of a that stay within its 6 elements"));
  CHECK(refuses("mul", with(sum, "b0", -1), "b0 as an integer from 0"));
  CHECK(refuses("max", {{"outer", 2}, {"count", 0}, {"inner", 3}}, "count of at least 1"));
  CHECK(refuses("normal", {{"count", 2}, {"seedWords", 3}}, "seedWords of 4, but got 3"));
  CHECK(refuses("lstm", with(sequence, "yOffset", 2),
                "yOffset + stateSize of at most yStride 5, but got 2 + 4"));
  CHECK(refuses("lstm", with(sequence, "projSize", 3), "stateSize of 3, but got 4"));
  CHECK(refuses("lstm", with(with(sequence, "projSize", 4), "hiddenSize", 0),
                "hiddenSize of at least 1, but got 0"));
  CHECK(refuses("gru", with(sequence, "yOffset", 2),
                "yOffset + hiddenSize of at most yStride 5, but got 2 + 4"));
  CHECK(refuses("gruBackward", with(sequence, "resetAfter", 2), "resetAfter as 0 or 1"));
  CHECK(refuses("rnn", with(sequence, "relu", 2), "relu as 0 or 1"));
  CHECK(refuses("rnnBackward", with(sequence, "accumulate", 2), "accumulate as 0 or 1"));
  CHECK(refuses("lstm", with(sequence, "reverse", 2), "reverse as 0 or 1"));
  CHECK(refuses("crf", {{"steps", 2}, {"batch", 3}, {"tags", 0}}, "tags of at least 1"));
  CHECK(refuses("adam", {{"count", 2}, {"settingsLength", 8}}, "settingsLength of 9, but got 8"));
}

void testCopy() {
  const Fields dense = {{"d0", 1}, {"d1", 1}, {"d2", 1},      {"d3", 1},     {"d4", 1},
                        {"d5", 1}, {"d6", 2}, {"d7", 3},      {"x6", 3},     {"x7", 1},
                        {"y6", 3}, {"y7", 1}, {"xLength", 6}, {"yLength", 6}};
  CHECK(refuses("copy", with(dense, "x7", 2),
                "strides of x that stay within its 6 elements, but got positions 0 to 7"));
  CHECK(refuses("copy", with(dense, "x7", -1), "but got positions -2 to 3"));
  CHECK(refuses("copy", with(dense, "yOffset", 1), "strides of y that stay within its 6 elements"));
  CHECK(refuses("copy", with(dense, "xOffset", -1), "xOffset of at least 0"));
  Fields huge = dense;
  for (const char* name : {"d0", "d1", "d2"}) huge[name] = INT32_MAX;
  CHECK(refuses("copy", huge, "product is below 2^31"));
}

void testValues() {
  const Fields one = {{"count", 3}};
  for (const double bad : {-1.0, 0.5, double{NAN}, double{INFINITY}, 2147483648.0, -1e300}) {
    CHECK(refuses("relu", with(one, "count", bad),
                  "expected count as an integer from 0 to 2147483647"));
  }
  CHECK(refuses("softmax", {{"outer", 65536}, {"count", 65536}, {"inner", 0}},
                "product is below 2^31"));
  CHECK(refuses("sum", {{"outer", 65536}, {"count", 65536}, {"inner", 65536}},
                "product is below 2^31"));
}

void testIndices() {
  const size_t gather = indexOf("gather");
  const double values[] = {2, 3, 1, 2};
  float x[6] = {1, 2, 3, 4, 5, 6}, y[4] = {};
  int32_t indices[2] = {2, 3};
  Call call;
  call.buffers[0] = {true, x, 6};
  call.buffers[1] = {true, indices, 2};
  call.buffers[2] = {true, y, 4};
  Engine engine;
  Message message;
  CHECK(!engine.run(gather, values, call, message));
  CHECK(std::strstr(message.text, "below 3, because axisLength is 3, but got 3 at 1"));
  indices[1] = -1;
  CHECK(!engine.run(gather, values, call, message));
  CHECK(std::strstr(message.text, "but got -1 at 1"));
  CHECK(y[0] == 0);  // nothing is written before everything is checked
  indices[1] = 0;
  CHECK(engine.run(gather, values, call, message));
  CHECK(y[0] == 3 && y[1] == 1 && y[2] == 6 && y[3] == 4);
}

void testBuffers() {
  const size_t relu = indexOf("relu");
  const double values[] = {4};
  float x[8] = {-1, 2, -3, 4};
  Call call;
  Engine engine;
  Message message;
  call.buffers[0] = {true, x, 4};
  CHECK(!engine.run(relu, values, call, message));
  CHECK(std::strstr(message.text, "relu: expected y, but got none"));
  call.buffers[1] = {true, x + 1, 4};
  CHECK(!engine.run(relu, values, call, message));
  CHECK(std::strstr(message.text, "expected y in other memory than x"));
  call.buffers[1] = {true, x + 4, 3};
  CHECK(!engine.run(relu, values, call, message));
  CHECK(std::strstr(message.text, "expected y with 4 elements, because count is 4, but got 3"));
  call.buffers[1] = {true, x, 4};
  CHECK(engine.run(relu, values, call, message));
  CHECK(x[0] == 0 && x[1] == 2 && x[2] == 0 && x[3] == 4);
}

// A setting that wants a buffer that is not there.
void testNeeds() {
  const double values[] = {1, 7};
  float settings[7] = {0.1f, 0.9f}, grad = 1, param = 1, velocity = 1;
  Call call;
  Engine engine;
  Message message;
  call.buffers[0] = {true, settings, 7};
  call.buffers[1] = {true, &grad, 1};
  call.buffers[2] = {true, &param, 1};
  CHECK(!engine.run(indexOf("sgd"), values, call, message));
  CHECK(std::strstr(message.text, "sgd: expected velocity, because momentum is 0.9, but got none"));
  call.buffers[3] = {true, &velocity, 1};
  CHECK(engine.run(indexOf("sgd"), values, call, message));
  settings[1] = 0;
  settings[6] = 1;
  Call centered = call;
  centered.buffers[3] = {true, &velocity, 1};
  CHECK(!engine.run(indexOf("rmsprop"), values, centered, message));
  CHECK(std::strstr(message.text, "rmsprop: expected average, because centered is 1"));
}

}  // namespace

int main() {
  testRules();
  testCopy();
  testValues();
  testIndices();
  testBuffers();
  testNeeds();
  return report("checks");
}
