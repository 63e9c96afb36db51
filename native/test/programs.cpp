// Tests programs and their runners with kernels of its own: what is checked, where operands lie,
// many threads, and ends in the middle of runs. Quick to build for every sanitizer.
#include <chrono>
#include <thread>

#include "../program.h"
#include "../runner.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

size_t indexOf(const std::string& name) {
  size_t index = 0;
  while (signatures()[index].name != name) ++index;
  return index;
}

// Every kernel: y = x + 1 for `exp`, spread over the pool; the others do nothing.
void addOne(const void* shape, const Context& context, void* const* buffers) {
  const int32_t count = *static_cast<const int32_t*>(shape);
  const auto* x = static_cast<const float*>(buffers[0]);
  auto* y = static_cast<float*>(buffers[1]);
  context.parallelRange(count, 16, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] + 1;
  });
}
void nothing(const void*, const Context&, void* const*) {}
size_t someWorkspace(const void*, int threads) {
  return static_cast<size_t>(threads) * 64;
}
int64_t noPackedLength(const void*) {
  return 0;
}

const KernelTable& table() {
  static const std::vector<KernelEntry> entries = [] {
    std::vector<KernelEntry> made;
    for (const Signature& signature : signatures()) {
      made.push_back(
          {signature.name == "exp" ? addOne : nothing, someWorkspace, noPackedLength, nothing});
    }
    return made;
  }();
  static const KernelTable made{"own", 1, entries.data()};
  return made;
}

constexpr int length = 100;

// An input [100] -> the arena, there and back again `rounds` times -> an output [100].
std::vector<double> chain(int rounds) {
  const auto kernel = static_cast<double>(indexOf("exp"));
  std::vector<double> numbers = {256, 2, 0, 1, length, 0, 0, 0, 0, length, 0, 0, rounds + 2.0};
  const auto call = [&](double from, double fromOffset, double to, double toOffset) {
    for (const double number : {kernel, double{length}, from, fromOffset, double{length}, to,
                                toOffset, double{length}, -2.0, 0.0, 0.0}) {
      numbers.push_back(number);
    }
  };
  call(0, 0, -1, 0);
  for (int i = 0; i < rounds; ++i) call(-1, i % 2 * 128, -1, (i + 1) % 2 * 128);
  call(-1, rounds % 2 * 128, 1, 0);
  return numbers;
}

std::unique_ptr<Program> make(const std::vector<double>& numbers, std::vector<void*> data,
                              Message& message) {
  return Program::make(table(), 3, Numbers(numbers.data(), numbers.size()), data, message);
}

void testChain() {
  Message message;
  std::vector<float> x(length, 5), y(length);
  const auto program = make(chain(4), {nullptr, y.data()}, message);
  CHECK(program != nullptr);
  if (!program) return;
  CHECK(program->run({x.data(), y.data()}, nullptr, message));
  CHECK(y[0] == 11 && y[length - 1] == 11);
  double milliseconds[6] = {-1, -1, -1, -1, -1, -1};
  CHECK(program->calls() == 6);
  CHECK(program->run({x.data(), y.data()}, nullptr, message, milliseconds));
  CHECK(milliseconds[0] >= 0 && milliseconds[5] >= 0);
  CHECK(!program->run({y.data(), y.data()}, nullptr, message));  // an input where it writes
  const std::atomic<bool> cancelled{true};
  CHECK(!program->run({x.data(), y.data()}, &cancelled, message));
}

void testMalformed() {
  const std::vector<double> right = chain(3);
  Random random(1);
  std::vector<float> x(length), y(length);
  int made = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<double> numbers = right;
    constexpr double others[] = {-3, -2, -1, 0, 1, 2, 99, 101, 156, 157, 0.5, 1e10, 1e300};
    for (int i = random.below(3); i >= 0; --i) {
      numbers[1 + static_cast<size_t>(random.below(static_cast<int>(right.size()) - 1))] =
          random.pick(others);
    }
    if (random.chance(0.1))
      numbers.resize(static_cast<size_t>(random.below(static_cast<int>(right.size()))));
    Message message;
    const auto program = make(numbers, {nullptr, y.data()}, message);
    if (!program) continue;
    ++made;
    // As the caller must see to: memories are as long as the program takes them to be.
    const std::vector<External>& externals = program->externals();
    if (externals[0].length > length || externals[1].length > length) continue;
    if (externals[0].element != Element::f32 || externals[1].element != Element::f32) continue;
    program->run({x.data(), y.data()}, nullptr, message);
  }
  CHECK(made > 500 && made < 19000);
}

void testRunners() {
  constexpr int programs = 4, rounds = 50;
  std::vector<std::vector<float>> x(programs, std::vector<float>(length, 1)), y = x;
  std::vector<std::unique_ptr<Program>> made;
  Message message;
  for (int i = 0; i < programs; ++i) {
    made.push_back(make(chain(i), {nullptr, y[static_cast<size_t>(i)].data()}, message));
  }
  std::atomic<int> done{0};
  Runner runners[2];
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < programs; ++i) {
      CHECK(runners[i % 2].post([&, i] {
        Message own;
        if (made[i]->run({x[i].data(), y[i].data()}, nullptr, own)) ++done;
      }));
    }
  }
  while (done < programs * rounds) std::this_thread::yield();
  for (int i = 0; i < programs; ++i)
    CHECK(y[static_cast<size_t>(i)][7] == 3.0f + static_cast<float>(i));
}

void testStops() {
  for (int round = 0; round < 20; ++round) {
    std::vector<float> x(length), y(length);
    Message message;
    const auto program = make(chain(2000), {nullptr, y.data()}, message);
    std::atomic<bool> cancelled{false};
    Runner runner;
    for (int i = 0; i < 3; ++i) {
      runner.post([&] {
        Message own;
        program->run({x.data(), y.data()}, &cancelled, own);
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50 * round));
    cancelled = true;
    runner.stop();
    CHECK(!runner.post([] {}));
  }
}

}  // namespace

int main() {
  testChain();
  testMalformed();
  testRunners();
  testStops();
  return report("programs");
}
