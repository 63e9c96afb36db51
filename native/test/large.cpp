// A result too large for the caches is written past them (kernels/rows.h): it must be, bit by bit,
// what a small call gives for the part of its operands. Run on every instruction set.
#include <cstring>
#include <string>
#include <vector>

#include "../engine.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr int64_t rows = 8209, columns = 1027;  // 8.4 million elements
constexpr int64_t all = rows * columns;

struct Memory {
  explicit Memory(int64_t length, uint64_t seed = 0) : values(static_cast<size_t>(length) + 3) {
    Random random(seed);
    if (seed != 0) {
      for (float& value : values) value = random.between(0.1f, 2);
    }
  }
  // Not where a vector begins.
  float* data() { return values.data() + 3; }
  std::vector<float> values;
};

size_t indexOf(const std::string& kernel) {
  size_t index = 0;
  while (signatures()[index].name != kernel) ++index;
  return index;
}

// A call of `rows` rows; a buffer is so many floats a row, or one row for all where `fixed`.
struct Operand {
  int64_t rowLength;
  bool fixed = false;
};
struct Large {
  const char* kernel;
  std::vector<double> (*shape)(double rows);
  std::vector<Operand> operands;  // as in the list; the results last
  int results = 1;
};

const double n = static_cast<double>(columns);
const Large calls[] = {
    {"relu", [](double r) { return std::vector<double>{r * n}; }, {{columns}, {columns}}},
    {"reluBackward",
     [](double r) { return std::vector<double>{r * n}; },
     {{columns}, {columns}, {columns}}},
    {"fill",
     [](double r) {
       return std::vector<double>{r * n, 0.75};
     },
     {{columns}}},
    {"add",
     [](double r) {
       return std::vector<double>{1, 1, 1, r * n, 0, 0, 0, 1, 0, 0, 0, 1, r * n, r * n};
     },
     {{columns}, {columns}, {columns}}},
    {"mul",
     [](double r) { return std::vector<double>{1, 1, r, n, 0, 0, n, 1, 0, 0, 0, 1, r * n, n}; },
     {{columns}, {columns, true}, {columns}}},
    {"softmax",
     [](double r) {
       return std::vector<double>{r, n, 1};
     },
     {{columns}, {columns}}},
    {"logSoftmax",
     [](double r) {
       return std::vector<double>{r, n, 1};
     },
     {{columns}, {columns}}},
    {"softmaxBackward",
     [](double r) {
       return std::vector<double>{r, n, 1};
     },
     {{columns}, {columns}, {columns}}},
    {"logSoftmaxBackward",
     [](double r) {
       return std::vector<double>{r, n, 1};
     },
     {{columns}, {columns}, {columns}}},
    {"layerNorm",
     [](double r) {
       return std::vector<double>{r, n, 1e-5};
     },
     {{columns}, {columns, true}, {columns, true}, {columns}, {1}, {1}},
     3},
    {"batchNormInference",
     [](double r) {
       return std::vector<double>{r, 1, n, 1e-5};
     },
     {{columns}, {1, true}, {1, true}, {1, true}, {1, true}, {columns}}},
    {"copy",
     [](double r) {
       std::vector<double> shape = {1, 1, 1, 1, 1, 1, r, n, 0, 0, 0, 0, 0, 0, n, 1};
       for (const double v : {0., 0., 0., 0., 0., 0., n, 1., 0., 0., r * n, r * n})
         shape.push_back(v);
       return shape;
     },
     {{columns}, {columns}}},
};

void run(Engine& engine, const Large& large, int64_t count, std::vector<float*> buffers) {
  Call call;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Operand& operand = large.operands[i];
    call.buffers[i] = {true, buffers[i], operand.rowLength * (operand.fixed ? 1 : count)};
  }
  Message message;
  const std::vector<double> shape = large.shape(static_cast<double>(count));
  const bool ran = engine.run(indexOf(large.kernel), shape.data(), call, message);
  CHECK(ran);
  if (!ran) std::printf("%s\n", message.text);
}

void testLarge(Engine& engine, const Large& large) {
  std::vector<Memory> memory;
  std::vector<float*> buffers;
  for (size_t i = 0; i < large.operands.size(); ++i) {
    const Operand& operand = large.operands[i];
    const bool result = i + static_cast<size_t>(large.results) >= large.operands.size();
    memory.emplace_back(operand.rowLength * (operand.fixed ? 1 : rows), result ? 0 : i + 1);
    buffers.push_back(memory.back().data());
  }
  run(engine, large, rows, buffers);
  constexpr int64_t part = 3;
  for (int64_t row = 0; row + part <= rows; row += row < 30 || row > rows - 40 ? part : 501) {
    std::vector<Memory> small;
    std::vector<float*> parts = buffers;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Operand& operand = large.operands[i];
      if (!operand.fixed) parts[i] += row * operand.rowLength;
    }
    const std::vector<float*> whole = parts;
    const size_t first = parts.size() - static_cast<size_t>(large.results);
    for (size_t i = first; i < parts.size(); ++i) {
      small.emplace_back(part * large.operands[i].rowLength);
      parts[i] = small.back().data();
    }
    run(engine, large, part, parts);
    for (size_t i = first; i < parts.size(); ++i) {
      const auto bytes = static_cast<size_t>(part * large.operands[i].rowLength) * sizeof(float);
      CHECK(std::memcmp(parts[i], whole[i], bytes) == 0);
    }
  }
}

// y[c, r] = x[r, c], with y at an aligned place and rows of y that keep it aligned, and not.
void testTranspose(Engine& engine, int64_t height, int64_t width) {
  std::vector<float> x(static_cast<size_t>(height * width)), y(x.size() + 16);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 16'777'213);
  auto* to = y.data();
  while (reinterpret_cast<uintptr_t>(to) % 64 != 0) ++to;
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  std::vector<double> shape = {1, 1, 1, 1, 1, 1, w, h, 0, 0, 0, 0, 0, 0, 1, w};
  for (const double v : {0., 0., 0., 0., 0., 0., h, 1., 0., 0., h * w, h * w}) shape.push_back(v);
  Call call;
  call.buffers[0] = {true, x.data(), height * width};
  call.buffers[1] = {true, to, height * width};
  Message message;
  CHECK(engine.run(indexOf("copy"), shape.data(), call, message));
  int64_t wrong = 0;
  for (int64_t r = 0; r < height; ++r) {
    for (int64_t c = 0; c < width; ++c)
      wrong += to[c * height + r] != x[static_cast<size_t>(r * width + c)];
  }
  CHECK(wrong == 0);
}

}  // namespace

int main() {
  Engine engine;
  engine.threads = 2;
  for (const std::string& isa : engine.isas()) {
    engine.selectIsa(isa);
    for (const Large& large : calls) testLarge(engine, large);
    testTranspose(engine, 2912, 2901);
    testTranspose(engine, 2907, 2900);
  }
  return report("large");
}
