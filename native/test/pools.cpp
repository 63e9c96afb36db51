// Results larger than the caches go past them: pooling many planes at once must give, bit for bit,
// what it gives a plane at a time, where they stay.
#include <cstring>

#include "../engine.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr int planes = 5, height = 1301, width = 1307, out = 1306;
constexpr int64_t inPlane = int64_t{height} * width, outPlane = int64_t{height - 1} * out;

size_t indexOf(const char* name) {
  size_t index = 0;
  while (signatures()[index].name != name) ++index;
  return index;
}

// Windows of 2 x 2, one apart, of `count` planes.
struct Buffers {
  float* small;      // of y
  int32_t* indices;  // of max pooling
  float* large;      // of x
};
bool pool(Engine& engine, const std::string& name, int count, const Buffers& buffers) {
  const std::vector<double> sizes = {
      static_cast<double>(count), height, width, 2, 2, 1, 1, 0, 0, 1300, out, 1, 0, 0};
  const Signature& kernel = signatures()[indexOf(name.c_str())];
  Call call;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const std::string& buffer = kernel.buffers[i].name;
    if (buffer == "x" || buffer == "gradX") {
      call.buffers[i] = {true, buffers.large, count * inPlane};
    } else if (buffer == "indices") {
      call.buffers[i] = {true, buffers.indices, count * outPlane};
    } else {
      call.buffers[i] = {true, buffers.small, count * outPlane};
    }
  }
  Message message;
  const bool ran = engine.run(indexOf(name.c_str()), sizes.data(), call, message);
  if (!ran) std::printf("%s\n", message.text);
  return ran;
}

template <class Number>
bool same(const std::vector<Number>& a, const std::vector<Number>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(Number)) == 0;
}

// Buffers begin one element into their memory: nothing is aligned to a vector.
void testPooling(Engine& engine, const std::string& name) {
  Random random(7);
  std::vector<float> small(1 + planes * outPlane), large(1 + planes * inPlane);
  std::vector<int32_t> indices(1 + planes * outPlane);
  for (float& number : small) number = random.between(-1, 1);
  for (float& number : large) number = random.between(-1, 1);
  for (int32_t& place : indices) place = random.below(static_cast<int>(inPlane));
  // Mostly places that max pooling chooses.
  const Buffers at{small.data() + 1, indices.data() + 1, large.data() + 1};
  if (name == "maxPool2dBackward") {
    std::vector<float> y(planes * outPlane);
    CHECK(pool(engine, "maxPool2d", planes, {y.data(), at.indices, at.large}));
    for (int i = 0; i < 1000; ++i) {
      at.indices[random.below(static_cast<int>(planes * outPlane))] =
          random.below(static_cast<int>(inPlane));
    }
  }
  auto small1 = small, large1 = large;
  auto indices1 = indices;
  CHECK(pool(engine, name, planes, at));
  for (int p = 0; p < planes; ++p) {
    CHECK(pool(engine, name, 1,
               {small1.data() + 1 + p * outPlane, indices1.data() + 1 + p * outPlane,
                large1.data() + 1 + p * inPlane}));
  }
  CHECK(same(small, small1) && same(large, large1) && same(indices, indices1));
}

}  // namespace

int main() {
  Engine engine;
  for (const std::string& isa : engine.isas()) {
    engine.selectIsa(isa);
    engine.threads = 2;
    for (const char* name : {"maxPool2d", "maxPool2dBackward", "avgPool2d", "avgPool2dBackward"}) {
      testPooling(engine, name);
    }
  }
  return report("pools");
}
