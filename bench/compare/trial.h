// A trial: one process that is asked for one row after the other, and answers each with the time it
// took (see trial.ts).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/** This side has no such call; the message says why. */
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** One call by the names of its fields. */
class Call {
 public:
  explicit Call(const std::string& line) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) fields_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }

  std::string text(const std::string& name) const {
    const auto field = fields_.find(name);
    return field == fields_.end() ? "" : field->second;
  }
  double number(const std::string& name) const { return std::atof(text(name).c_str()); }
  /** An integer field; 0 where it is not given. */
  long operator[](const std::string& name) const { return std::atol(text(name).c_str()); }

 private:
  std::map<std::string, std::string> fields_;
};

/** One way to do a call; `bare` leaves out what a caller with operands in this library's own layout
 * does not pay. */
struct Way {
  std::function<void()> run;
  std::string how;
  std::function<void()> bare;
};

/** All ways a side knows for a call: the fastest is its time. */
using Prepare = std::vector<Way> (*)(const Call&);

/** Random floats from -0.5 to 0.5, the same ones again after a while: large buffers are filled
 * fast. */
inline void randomize(float* data, size_t count) {
  constexpr size_t period = 65521;
  std::minstd_rand next(1);
  for (size_t i = 0; i < std::min(count, period); ++i)
    data[i] = static_cast<float>(next()) / 2147483648.0f - 0.5f;
  for (size_t i = period; i < count; i += period)
    std::copy_n(data, std::min(period, count - i), data + i);
}

/** A buffer aligned to pages, freed with the last way that holds it. */
inline std::shared_ptr<float> floats(size_t count) {
  const size_t size = (count * sizeof(float) + 4095) / 4096 * 4096;
  std::shared_ptr<float> data(static_cast<float*>(std::aligned_alloc(4096, size)), std::free);
  randomize(data.get(), count);
  return data;
}

inline double milliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

/** Milliseconds of a call that is not repeated more than it must be. */
constexpr double longCall = 50;

inline double perCall(const std::function<void()>& run, long count) {
  const double begin = milliseconds();
  for (long i = 0; i < count; ++i) run();
  return (milliseconds() - begin) / static_cast<double>(count);
}

inline long callsPerSample(double estimate) {
  return std::max(1L, static_cast<long>(1.0 / std::max(estimate, 1e-6)) + 1);
}

/** Milliseconds per call: as `time` of trial.ts; a long call that has just run, which took `last`,
 * needs no warming up. */
inline double time(const std::function<void()>& run, double seconds, double last = 0) {
  const double budget = 1000 * seconds;
  long count = 1;
  double begin = milliseconds();
  if (last < longCall) {
    do {
      count = callsPerSample(perCall(run, count));
    } while (milliseconds() - begin < budget / 5);
  }
  std::vector<double> samples;
  begin = milliseconds();
  do {
    samples.push_back(perCall(run, count));
  } while (milliseconds() - begin < 0.8 * budget);
  std::sort(samples.begin(), samples.end());
  const size_t half = samples.size() / 2;
  return samples.size() % 2 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

/**
 * The way that wins a short race, and its time there. A first run also pays for memory that was
 * never touched: so those not far behind in it run again.
 */
inline std::pair<const Way*, double> fastest(const std::vector<Way>& ways) {
  std::vector<double> first;
  for (const Way& way : ways) first.push_back(perCall(way.run, 1));
  const double least = *std::min_element(first.begin(), first.end());
  if (ways.size() == 1) return {&ways[0], least};
  std::pair<const Way*, double> best{nullptr, 0};
  for (size_t i = 0; i < ways.size(); ++i) {
    if (first[i] > longCall && first[i] > 3 * least) continue;
    const double ms = least < longCall ? time(ways[i].run, 0.01) : perCall(ways[i].run, 1);
    if (best.first == nullptr || ms < best.second) best = {&ways[i], ms};
  }
  return best;
}

inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < ' ' ? ' ' : c;
  }
  return out + '"';
}

inline void answer(const std::string& line, Prepare prepare) {
  const Call call(line);
  try {
    const std::vector<Way> ways = prepare(call);
    if (ways.empty()) throw Skip("has none");
    const auto [chosen, ms] = fastest(ways);
    const Way& way = *chosen;
    std::printf("{\"ms\":%.9g", time(way.run, call.number("seconds"), ms));
    if (!way.how.empty()) std::printf(",\"how\":%s", quoted(way.how).c_str());
    if (way.bare) std::printf(",\"bareMs\":%.9g", time(way.bare, call.number("seconds") / 2, ms));
    std::printf("}\n");
  } catch (const Skip& skip) {
    std::printf("{\"skip\":%s}\n", quoted(skip.what()).c_str());
  } catch (const std::exception& error) {
    std::printf("{\"error\":%s}\n", quoted(error.what()).c_str());
  }
  std::fflush(stdout);
}

/** Answers the lines of the standard input until it ends. */
inline int serve(const std::string& name, const std::string& version, Prepare prepare) {
  std::printf("{\"name\":%s,\"version\":%s}\n", quoted(name).c_str(), quoted(version).c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) answer(line, prepare);
  return 0;
}

}  // namespace bench
