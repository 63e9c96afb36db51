// Runs every kernel of every instruction set on random valid calls in buffers of exact size, and
// compares with scalar and with other numbers of threads; then on calls that are nearly valid: what
// the check lets pass must not leave its buffers.
#include <cmath>
#include <cstring>
#include <memory>

#include "../engine.h"
#include "cases.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

using Blocks = std::vector<Block>;

// What a call leaves in its written buffers.
using Outcome = std::vector<std::vector<float>>;

// Lengths as the list says; -1 where they are beyond what a test wants to hold.
std::vector<int64_t> lengthsOf(const Signature& kernel, Fields& f, int64_t most) {
  std::vector<int64_t> lengths;
  for (const BufferSignature& buffer : kernel.buffers) {
    double length = 1;
    for (const int field : buffer.length.fields) length *= sizeOf(kernel, f, field);
    lengths.push_back(length >= 0 && length <= static_cast<double>(most) &&
                              length == std::floor(length)
                          ? static_cast<int64_t>(length)
                          : -1);
  }
  return lengths;
}

struct Prepared {
  std::vector<double> values;
  std::vector<Block> blocks;
  std::vector<bool> present;
  int sharedWith = -1;  // the written buffer `sharing` is the memory of this one
  int sharing = -1;
};

Prepared prepare(const Signature& kernel, Fields& f, const std::vector<int64_t>& lengths,
                 Random& random) {
  Prepared call{valuesOf(kernel, f), {}, {}};
  const bool leaveOut = random.chance(0.4);  // all optional ones: some belong together
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    call.blocks.emplace_back(lengths[i]);
    const BufferSignature& buffer = kernel.buffers[i];
    const bool wanted = buffer.unless >= 0 && f[kernel.integerNames[buffer.unless]] > 0;
    call.present.push_back(!(buffer.optional && leaveOut) || wanted);
    fill(kernel, kernel.buffers[i], f, call.blocks.back(), random);
    if (kernel.buffers[i].name == "settings" && leaveOut && kernel.name != "adam" &&
        kernel.name != "adagrad") {
      std::memset(call.blocks.back().start + 4, 0, static_cast<size_t>(lengths[i]) * 4);
    }
  }
  for (size_t i = 0; i < kernel.buffers.size() && random.chance(0.5); ++i) {
    for (size_t j = 0; j < kernel.buffers.size(); ++j) {
      if ((kernel.buffers[i].inPlace >> j & 1) && lengths[i] == lengths[j] && call.present[j]) {
        call.sharing = static_cast<int>(i);
        call.sharedWith = static_cast<int>(j);
      }
    }
  }
  return call;
}

// Replaces the operands of a call by their packed form; null where this shape has none, or where
// the check refuses it.
std::unique_ptr<Block> packOperands(Engine& engine, size_t index, const Prepared& prepared,
                                    Call& call, Message& message) {
  const Signature& kernel = signatures()[index];
  int64_t length = 0;
  if (!engine.packedLength(index, prepared.values.data(), length, message)) return nullptr;
  if (length == 0 || length > 1 << 24) return nullptr;
  auto packed = std::make_unique<Block>(length);
  Call packing;
  packing.packed = {true, packed->floats(), length};
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    if (!kernel.buffers[i].packs) continue;
    packing.buffers[i] = call.buffers[i];
    call.buffers[i] = {};
  }
  CHECK(engine.pack(index, prepared.values.data(), packing, message));
  call.packed = packing.packed;
  return packed;
}

enum class Operands { plain, packed };

// Runs on copies, so that the same call can run again. False where the check refuses it.
bool execute(Engine& engine, size_t index, const Prepared& prepared, Outcome& outcome,
             Message& message, bool inPlace, Operands operands = Operands::plain) {
  const Signature& kernel = signatures()[index];
  Blocks copies;
  Call call;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const Block& from = prepared.blocks[i];
    copies.emplace_back(from.length);
    std::memcpy(copies[i].start + 4, from.start + 4, static_cast<size_t>(from.length) * 4);
    if (prepared.present[i]) call.buffers[i] = {true, copies[i].floats(), from.length};
  }
  if (inPlace && prepared.sharing >= 0) {
    call.buffers[prepared.sharing].data = call.buffers[prepared.sharedWith].data;
  }
  std::unique_ptr<Block> packed;
  if (operands == Operands::packed) packed = packOperands(engine, index, prepared, call, message);
  if (!engine.run(index, prepared.values.data(), call, message)) return false;
  outcome.clear();
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    if (kernel.buffers[i].mode == Mode::read || !call.buffers[i].present) continue;
    const auto* data = static_cast<const float*>(call.buffers[i].data);
    outcome.emplace_back(data, data + call.buffers[i].length);
  }
  return true;
}

bool identical(const Outcome& a, const Outcome& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * 4) != 0) return false;
  }
  return a.size() == b.size();
}

// Rounding differs between instruction sets: fused or not, and the order of sums.
bool near(const Signature& kernel, const Outcome& a, const Outcome& b) {
  size_t written = 0;
  for (const BufferSignature& buffer : kernel.buffers) {
    if (buffer.mode == Mode::read || written >= a.size()) continue;
    for (size_t i = 0; i < a[written].size(); ++i) {
      float x = a[written][i], y = b[written][i];
      if (buffer.element == Element::i32 || (std::isnan(x) && std::isnan(y)) || x == y) {
        if (std::memcmp(&x, &y, 4) != 0 && buffer.element == Element::i32) return false;
        continue;
      }
      const float scale = std::fmax(1.0f, std::fabs(y));
      if (!(std::fabs(x - y) <= 2e-4f * scale)) {
        std::printf("%s: %s[%zu] is %.9g, and %.9g on scalar\n", kernel.name.c_str(),
                    buffer.name.c_str(), i, static_cast<double>(x), static_cast<double>(y));
        return false;
      }
    }
    ++written;
  }
  return true;
}

void describe(const Signature& kernel, const Engine& engine, Fields& f) {
  std::printf("%s on %s, %d threads:", kernel.name.c_str(), engine.isa(), engine.threads);
  for (auto& [name, value] : f) std::printf(" %s %g", name.c_str(), value);
  std::printf("\n");
}

void testValid(Engine& engine, size_t index, int rounds) {
  const Signature& kernel = signatures()[index];
  for (int round = 0; round < rounds; ++round) {
    Random random(index * 1000 + static_cast<uint64_t>(round));
    Fields f = validShape(kernel, random);
    const Prepared call = prepare(kernel, f, lengthsOf(kernel, f, 1 << 22), random);
    Message message;
    Outcome expected, got;
    engine.threads = 1;
    engine.selectIsa("scalar");
    const bool ran = execute(engine, index, call, expected, message, false);
    CHECK(ran);
    if (!ran) {
      std::printf("%s\n", message.text);
      describe(kernel, engine, f);
      continue;
    }
    for (const std::string& isa : engine.isas()) {
      engine.selectIsa(isa);
      Outcome alone;
      for (const int threads : {1, 2, 3}) {
        engine.threads = threads;
        CHECK(execute(engine, index, call, got, message, true));
        if (threads == 1) alone = got;
        const bool right = near(kernel, got, expected) && identical(got, alone);
        CHECK(right);
        if (!right) describe(kernel, engine, f);
        if (!kernel.packs()) continue;
        CHECK(execute(engine, index, call, got, message, true, Operands::packed));
        if (!near(kernel, got, expected)) {
          CHECK(false);
          describe(kernel, engine, f);
        }
      }
      CHECK(std::strcmp(engine.lastIsa(), isa.c_str()) == 0);
    }
  }
}

// Changes one field, or two; buffers follow the changed shape, so that only the rules stand between
// it and the kernel.
int testNearlyValid(Engine& engine, size_t index, int rounds) {
  const Signature& kernel = signatures()[index];
  int passed = 0;
  for (int round = 0; round < rounds; ++round) {
    Random random(index * 100000 + 77 + static_cast<uint64_t>(round));
    Fields f = validShape(kernel, random);
    for (int change = random.below(2); change >= 0; --change) {
      const std::string& field =
          kernel.integerNames[random.below(static_cast<int>(kernel.integerNames.size()))];
      constexpr int values[] = {0,       1,       2,         3,  5,  1000,
                                1 << 20, 1 << 30, INT32_MAX, -1, -2, INT32_MIN};
      const int by = random.below(5) - 2;
      f[field] = random.chance(0.6) ? f[field] + by : random.pick(values);
    }
    const std::vector<int64_t> lengths = lengthsOf(kernel, f, 1 << 15);
    bool possible = true;
    for (const int64_t length : lengths) possible &= length >= 0;
    if (!possible) continue;
    const Prepared call = prepare(kernel, f, lengths, random);
    const std::vector<std::string> isas = engine.isas();
    engine.selectIsa(isas[random.below(static_cast<int>(isas.size()))]);
    engine.threads = 1 + random.below(2);
    Message message;
    Outcome outcome;
    const Operands operands = random.chance(0.5) ? Operands::plain : Operands::packed;
    if (execute(engine, index, call, outcome, message, true, operands))
      ++passed;
    else
      CHECK(std::strncmp(message.text, kernel.name.c_str(), kernel.name.size()) == 0);
  }
  return passed;
}

}  // namespace

int main(int count, char** arguments) {
  Engine engine;
  const std::string only = count > 1 ? arguments[1] : "";
  const double effort =
      std::getenv("FOVEA_TEST_EFFORT") ? std::atof(std::getenv("FOVEA_TEST_EFFORT")) : 1;
  int passed = 0;
  for (size_t index = 0; index < signatures().size(); ++index) {
    if (!only.empty() && signatures()[index].name != only) continue;
    testValid(engine, index, static_cast<int>(40 * effort));
    passed += testNearlyValid(engine, index, static_cast<int>(400 * effort));
  }
  std::printf("%d nearly valid calls passed the check and ran\n", passed);
  return report("kernels");
}
