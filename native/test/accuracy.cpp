// How far the functions of one number, and pow, are from the exact result, in units of the last
// place, on every instruction set. All floats with `accuracy 1`; by default every 65,521st, and all
// near the places where a method changes or a result leaves the normal range.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "../engine.h"
#include "test.h"

using namespace fovea;
using namespace fovea::test;

namespace {

double normalTail(double x) {
  return 0.5 * std::erfc(x * 0.70710678118654752440);
}
double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}
double density(double x) {
  return 0.39894228040143267794 * std::exp(-0.5 * x * x);
}

// `limit` is what the documentation promises. Near its zero a slope is known to `absolute` only.
struct Function {
  const char* kernel;
  double (*exact)(double);
  double limit, absolute;
};
const Function functions[] = {
    {"exp", [](double x) { return std::exp(x); }, 1.1, 0},
    {"log", [](double x) { return std::log(x); }, 0.9, 0},
    {"tanh", [](double x) { return std::tanh(x); }, 1.4, 0},
    {"sigmoid", logistic, 2, 0},
    {"silu", [](double x) { return x / (1 + std::exp(-x)); }, 2, 0},
    // The exact form, not the one with tanh.
    {"gelu", [](double x) { return x * normalTail(-x); }, 2, 0},
    {"softplus", [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }, 2,
     0},
    {"elu", [](double x) { return x > 0 ? x : std::expm1(x); }, 2, 0},
    {"softplusBackward", logistic, 2, 0},
    {"geluBackward", [](double x) { return normalTail(-x) + x * density(x); }, 2, 3e-8},
    {"siluBackward",
     [](double x) {
       const double s = logistic(x);
       return s * (1 + x * (1 - s));
     },
     2, 3e-8},
};

// Where results overflow, become subnormal or 0, or a method changes, with either sign.
const float places[] = {0,           1e-45f,      1.17549435e-38f,
                        5.96e-8f,    0.0625f,     0.34657359f,
                        0.625f,      0.7518f,     1,
                        1.2784645f,  1.41421356f, 10,
                        12.6f,       14.2f,       15,
                        16.6f,       20,          87.33654f,
                        88.02969f,   88.722839f,  89,
                        91.5f,       95,          103.278929f,
                        103.972084f, 104,         108,
                        170,         1e10f,       3.4028234e38f};

float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

// |got - exact| in units of the last place of exact.
double ulpsBetween(float got, double exact, double absolute) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) == std::isnan(got) ? 0 : HUGE_VAL;
  if (static_cast<double>(got) == exact || got == static_cast<float>(exact)) {
    if (std::isinf(got)) return 0;
  }
  int exponent;
  std::frexp(exact, &exponent);
  const double unit = std::ldexp(1, std::max(exponent - 24, -149));
  if (std::isinf(got)) return exact * (got > 0 ? 1 : -1) > 0x1.fffffep127 ? 0.5 : HUGE_VAL;
  const double error = std::fabs(static_cast<double>(got) - exact);
  return error <= absolute ? 0 : error / unit;
}

struct Worst {
  double ulps = 0;
  float at = 0;
};

class Meter {
 public:
  Meter(const Function& function, const std::vector<const KernelTable*>& tables)
      : function_(function), tables_(tables), worst_(tables.size()), ones_(most, 1), y_(most) {
    for (size_t i = 0; i < signatures().size(); ++i) {
      if (signatures()[i].name == function.kernel) index_ = i;
    }
  }

  void take(float x) {
    x_.push_back(x);
    if (x_.size() == most) flush();
  }

  void flush() {
    const size_t count = x_.size();
    exact_.resize(count);
    for (size_t i = 0; i < count; ++i) exact_[i] = function_.exact(static_cast<double>(x_[i]));
    struct {
      int32_t count;
      float alpha;
    } shape = {static_cast<int32_t>(count), 1};
    const bool backward = std::strstr(function_.kernel, "Backward") != nullptr;
    void* buffers[] = {x_.data(), backward ? ones_.data() : y_.data(), y_.data()};
    for (size_t t = 0; t < tables_.size(); ++t) {
      tables_[t]->kernels[index_].run(&shape, Context{1, nullptr}, buffers);
      for (size_t i = 0; i < count; ++i) {
        const double ulps = ulpsBetween(y_[i], exact_[i], function_.absolute);
        if (ulps > worst_[t].ulps) worst_[t] = {ulps, x_[i]};
      }
    }
    x_.clear();
  }

  const std::vector<Worst>& worst() const { return worst_; }

 private:
  static constexpr size_t most = 4096;
  const Function& function_;
  const std::vector<const KernelTable*>& tables_;
  std::vector<Worst> worst_;
  size_t index_ = 0;
  std::vector<float> x_, ones_, y_;
  std::vector<double> exact_;
};

void report(const char* name, const std::vector<const KernelTable*>& tables,
            const std::vector<Worst>& worst, double limit) {
  std::printf("%-17s", name);
  for (size_t t = 0; t < tables.size(); ++t) {
    std::printf(" %s %.3f at %.9g;", tables[t]->isa, worst[t].ulps,
                static_cast<double>(worst[t].at));
    CHECK(worst[t].ulps <= limit);
  }
  std::printf(" at most %g\n", limit);
  std::fflush(stdout);
}

void testFunction(const Function& function, const std::vector<const KernelTable*>& tables,
                  uint32_t stride) {
  Meter meter(function, tables);
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += stride) {
    meter.take(floatOf(static_cast<uint32_t>(bits)));
  }
  for (const float place : places) {
    for (const float x : {place, -place}) {
      for (int32_t i = -2000; i <= 2000; ++i)
        meter.take(floatOf(bitsOf(x) + static_cast<uint32_t>(i)));
    }
  }
  for (const float x : {HUGE_VALF, -HUGE_VALF, NAN, -NAN}) meter.take(x);
  meter.flush();
  report(function.kernel, tables, meter.worst(), function.limit);
}

// pow: pairs whose result is a float, all pairs of special numbers.
void testPow(const std::vector<const KernelTable*>& tables, int count) {
  std::vector<float> a, b, y;
  const float special[] = {0,
                           -0.0f,
                           1,
                           -1,
                           2,
                           -2,
                           0.5f,
                           -0.5f,
                           3,
                           -3,
                           1.5f,
                           -1.5f,
                           1e-40f,
                           -1e-40f,
                           1e30f,
                           -1e30f,
                           1.0000001f,
                           0.99999994f,
                           16777215,
                           -16777215,
                           16777216,
                           -8388607.5f,
                           8388607.5f,
                           1e-45f,
                           3.4028234e38f,
                           -3.4028234e38f,
                           HUGE_VALF,
                           -HUGE_VALF,
                           NAN,
                           127,
                           -149,
                           -150,
                           128};
  for (const float x : special) {
    for (const float z : special) {
      a.push_back(x);
      b.push_back(z);
    }
  }
  Random random(1);
  for (int i = 0; i < count; ++i) {
    const float base = random.chance(0.5)
                           ? floatOf(static_cast<uint32_t>(random.next() % 0x7f800000))
                           : random.between(0.5f, 2);
    const double logarithm = std::log(static_cast<double>(base));
    a.push_back(base);
    b.push_back(static_cast<float>(random.between(-104, 89) / logarithm));
  }
  y.resize(a.size());
  const auto length = static_cast<int32_t>(a.size());
  const int32_t shape[] = {1, 1, 1, length, 0, 0, 0, 1, 0, 0, 0, 1, length, length};
  size_t index = 0;
  while (signatures()[index].name != "pow") ++index;
  std::vector<Worst> worst(tables.size());
  for (size_t t = 0; t < tables.size(); ++t) {
    void* buffers[] = {a.data(), b.data(), y.data()};
    tables[t]->kernels[index].run(&shape, Context{1, nullptr}, buffers);
    for (size_t i = 0; i < a.size(); ++i) {
      const double exact = std::pow(static_cast<double>(a[i]), static_cast<double>(b[i]));
      const double ulps = ulpsBetween(y[i], exact, 0);
      const bool sameSign = std::isnan(exact) || std::signbit(exact) == std::signbit(y[i]);
      CHECK(sameSign);
      if (ulps > worst[t].ulps) worst[t] = {ulps, a[i]};
      if (ulps > 2 || !sameSign) {
        std::printf("pow(%.9g, %.9g) is %.9g, not %.9g, on %s\n", static_cast<double>(a[i]),
                    static_cast<double>(b[i]), static_cast<double>(y[i]), exact, tables[t]->isa);
      }
    }
  }
  report("pow", tables, worst, 2);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string only = count > 1 ? arguments[1] : "";
  const char* given = std::getenv("FOVEA_TEST_STRIDE");
  const int stride = given == nullptr ? 65521 : std::atoi(given);
  const KernelTable* found[maxTargets];
  const std::vector<const KernelTable*> tables(found, found + supportedTargets(found));
  for (const Function& function : functions) {
    if (only.empty() || only == function.kernel) {
      testFunction(function, tables, static_cast<uint32_t>(stride));
    }
  }
  if (only.empty() || only == "pow") testPow(tables, 2'000'000'000 / stride);
  return test::report("accuracy");
}
