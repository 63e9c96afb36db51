// oneDNN's matrix products: sgemm, and the matmul primitive on plain B and on B in its own layout.
#include <dnnl.h>

#include "operand.h"

namespace bench {

std::vector<Way> matmul(const Call& call) {
  const long m = call["m"], n = call["n"], k = call["k"];
  const bool turnA = call["transposeA"], turnB = call["transposeB"], packed = call["packed"];
  const auto plainA = describe({m, k}, turnA ? Tag::ba : Tag::ab);
  const auto plainB = describe({k, n}, turnB ? Tag::ba : Tag::ab);
  const auto plainY = describe({m, n}, Tag::ab);

  std::vector<Way> ways;
  Operands operands;
  const auto add = [&](const memory::desc& wantedB, const char* how) {
    const dnnl::matmul::desc desc(plainA, wantedB, plainY);
    const dnnl::matmul::primitive_desc chosen(desc, engine(), true);
    if (!chosen) return;
    Plan plan(operands);
    plan.input(DNNL_ARG_SRC, plainA, chosen.src_desc());
    plan.weight(DNNL_ARG_WEIGHTS, plainB, chosen.weights_desc(), packed);
    plan.output(DNNL_ARG_DST, plainY, chosen.dst_desc());
    ways.push_back(plan.way(dnnl::matmul(chosen), std::string(how) + chosen.impl_info_str()));
  };
  add(describe({k, n}, Tag::any), "matmul any ");
  add(plainB, "matmul ");

  const auto a = floats(m * k), b = floats(k * n), y = floats(m * n);
  ways.push_back({[=] {
                    dnnl_sgemm(turnA ? 'T' : 'N', turnB ? 'T' : 'N', m, n, k, 1.0f, a.get(),
                               turnA ? m : k, b.get(), turnB ? k : n, 0.0f, y.get(), n);
                  },
                  "sgemm",
                  {}});
  return ways;
}

}  // namespace bench
