// libxsmm: a kernel compiled at run time for one small product, on one thread.
#include <libxsmm.h>

#include "trial.h"

static std::vector<bench::Way> prepare(const bench::Call& call) {
  if (call.text("op") != "matmul") throw bench::Skip("only its matrix products are measured");
  if (call["threads"] > 1) throw bench::Skip("its kernels run on one thread");
  const int m = call["m"], n = call["n"], k = call["k"];
  if (call["transposeA"] || call["transposeB"]) throw bench::Skip("its kernels take no transpose");
  if (static_cast<double>(m) * n * k > 256.0 * 256 * 256)
    throw bench::Skip("it is for small products");
  const auto a = bench::floats(m * k), b = bench::floats(k * n), y = bench::floats(m * n);
  // It is column-major: the product of the transposed, in turned order.
  const float one = 1, zero = 0;
  const libxsmm_smmfunction multiply =
      libxsmm_smmdispatch(n, m, k, nullptr, nullptr, nullptr, &one, &zero, nullptr, nullptr);
  if (multiply == nullptr) throw bench::Skip("it compiles no kernel of this size");
  return {{[=] { multiply(b.get(), a.get(), y.get()); }, "jit", {}}};
}

int main() {
  libxsmm_init();
  return bench::serve("libxsmm", LIBXSMM_VERSION, prepare);
}
