// The probe: what this processor can do at this moment. Multiply-adds per second on vectors of an
// instruction set, bytes per second of a stream over a given number of bytes, and the clock.
#include "probe.h"

#include <atomic>
#include <thread>

#include "trial.h"

namespace bench {

#if defined(__x86_64__)
extern const Lanes avx512, avx2, sse;
#else
extern const Lanes neon;
#endif

namespace {

const Lanes& lanesOf(const std::string& isa) {
#if defined(__x86_64__)
  if (isa == "avx512" && __builtin_cpu_supports("avx512f")) return avx512;
  if (isa == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
  if (isa == "sse" || isa == "scalar") return sse;
#else
  if (isa == "neon" || isa == "scalar") return neon;
#endif
  throw Skip("no probe for " + isa);
}

/** Runs `body(thread)` on all threads at once for about `ms`; the sum of what they return, per
 * millisecond. */
double rate(long threads, double ms, const std::function<double(long)>& body) {
  std::atomic<long> waiting{threads};
  std::vector<double> rates(threads);
  const auto work = [&](long thread) {
    body(thread);  // warm
    waiting.fetch_sub(1);
    while (waiting.load() > 0) std::this_thread::yield();
    std::vector<double> samples;
    for (const double begin = milliseconds(); milliseconds() - begin < ms || samples.empty();) {
      const double start = milliseconds();
      double done = 0;
      do {
        done += body(thread);
      } while (milliseconds() - start < 0.5);
      samples.push_back(done / (milliseconds() - start));
    }
    std::sort(samples.begin(), samples.end());
    rates[thread] = samples[samples.size() / 2];
  };
  std::vector<std::thread> others;
  for (long thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  double sum = 0;
  for (const double each : rates) sum += each;
  return sum;
}

/**
 * One buffer per stream and thread, kept and grown, so that pages are touched once. Each begins
 * elsewhere in its page: a load that waits for a store to the same place of another page would be
 * slow.
 */
float* buffer(long thread, int which, long count) {
  static std::map<std::pair<long, int>, std::pair<long, std::shared_ptr<float>>> buffers;
  const int offset = which * 17 * 16;
  auto& kept = buffers[{thread, which}];
  if (kept.first < count) {
    kept.second.reset();
    kept = {count, floats(count + offset)};
  }
  return kept.second.get() + offset;
}

struct StreamKind {
  Stream kind;
  int buffers;
  int floats;  // moved for each element: one that is changed in place is read and written
};

StreamKind streamOf(const std::string& name) {
  if (name == "read") return {Stream::read, 1, 1};
  if (name == "fill") return {Stream::fill, 1, 1};
  if (name == "copy") return {Stream::copy, 2, 2};
  if (name == "update") return {Stream::update, 2, 3};
  return {Stream::add, 3, 3};
}

double bytesPerMs(const Lanes& lanes, const Call& call) {
  const auto [kind, buffers, moved] = streamOf(call.text("stream"));
  const long threads = std::max(1L, call["threads"]);
  const double total = std::min(call.number("bytes"), 512e6);
  const long count = std::max(256L, static_cast<long>(total / 4 / buffers / threads) / 256 * 256);
  const long passes = std::max(1L, 1000000 / count);  // so that looking at the clock costs nothing
  for (long thread = 0; thread < threads; ++thread)
    for (int i = 0; i < buffers; ++i) buffer(thread, i, count);
  double best = 0;
  const bool stores = kind != Stream::read && kind != Stream::update;
  for (const bool past : {false, true}) {
    for (const bool parted : {false, true}) {
      // Either pays only outside of the first level.
      if ((past && !stores) || ((past || parted) && total < 64e3)) continue;
      const auto body = [&, kind = kind, buffers = buffers, moved = moved](long thread) {
        float* const x = buffer(thread, 0, count);
        float* const y = buffer(thread, buffers - 1, count);
        const float* const z = buffer(thread, buffers / 2, count);
        for (long pass = 0; pass < passes; ++pass) lanes.stream(kind, x, z, y, count, past, parted);
        return 4.0 * moved * static_cast<double>(count * passes);
      };
      best = std::max(best, rate(threads, 8, body));
    }
  }
  return best;
}

/** Cycles per nanosecond: an addition that waits for the one before takes a cycle. */
double gigahertz() {
  return rate(1, 5,
              [](long) {
                long value = 1;
                for (int i = 0; i < 100; ++i) {
#pragma GCC unroll 100
                  for (int j = 0; j < 100; ++j) asm volatile("add %0, %0" : "+r"(value));
                }
                return 1e4;
              }) /
         1e6;
}

void respond(const Call& call) {
  try {
    const Lanes& lanes = lanesOf(call.text("isa"));
    double value = 0;
    if (call.text("op") == "peak")
      value =
          rate(std::max(1L, call["threads"]), 8, [&](long) { return lanes.multiplyAdds(2000); }) /
          1e6;
    else if (call.text("op") == "bandwidth")
      value = bytesPerMs(lanes, call) / 1e6;
    else
      value = gigahertz();
    std::printf("{\"value\":%.6g}\n", value);
  } catch (const std::exception& error) {
    std::printf("{\"skip\":%s}\n", quoted(error.what()).c_str());
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace bench

int main() {
  std::printf("{\"name\":\"probe\",\"version\":\"\"}\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) bench::respond(bench::Call(line));
  return 0;
}
