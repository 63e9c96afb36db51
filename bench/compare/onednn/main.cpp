// oneDNN: which of its functions answers which call.
#include "operand.h"

static std::vector<bench::Way> prepare(const bench::Call& call) {
  const std::string op = call.text("op");
  if (op == "matmul") return bench::matmul(call);
  if (op.rfind("conv2d", 0) == 0) return bench::conv2d(call);
  throw bench::Skip("has none");
}

int main() {
  const dnnl_version_t* version = dnnl_version();
  return bench::serve("oneDNN",
                      std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                          std::to_string(version->patch),
                      prepare);
}
