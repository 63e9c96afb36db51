// A BLAS library: row-major sgemm and sgemv. Compiled once for OpenBLAS and once for BLIS.
#include <cblas.h>

#include "trial.h"

#ifdef BENCH_BLIS
extern "C" const char* bli_info_get_version_str(void);
static std::string version() {
  return bli_info_get_version_str();
}
#else
extern "C" char* openblas_get_config(void);
static std::string version() {
  std::istringstream words(openblas_get_config());
  std::string name, number;
  words >> name >> number;
  return number;
}
#endif

static std::vector<bench::Way> prepare(const bench::Call& call) {
  if (call.text("op") != "matmul") throw bench::Skip("a BLAS has matrix products only");
  const int m = call["m"], n = call["n"], k = call["k"];
  const auto a = bench::floats(m * k), b = bench::floats(k * n), y = bench::floats(m * n);
  const bool turnA = call["transposeA"], turnB = call["transposeB"];
  std::vector<bench::Way> ways;
  ways.push_back({[=] {
                    cblas_sgemm(CblasRowMajor, turnA ? CblasTrans : CblasNoTrans,
                                turnB ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a.get(),
                                turnA ? m : k, b.get(), turnB ? k : n, 0.0f, y.get(), n);
                  },
                  "sgemm",
                  {}});
  if (m == 1) {
    const int rows = turnB ? n : k, columns = turnB ? k : n;
    ways.push_back({[=] {
                      cblas_sgemv(CblasRowMajor, turnB ? CblasNoTrans : CblasTrans, rows, columns,
                                  1.0f, b.get(), columns, a.get(), 1, 0.0f, y.get(), 1);
                    },
                    "sgemv",
                    {}});
  }
  return ways;
}

int main() {
  return bench::serve(BENCH_NAME, version(), prepare);
}
