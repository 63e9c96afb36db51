// oneDNN: which of its functions answers which call.
#include "operand.h"

/** Without its reference implementations, which take seconds where others take milliseconds, if
 * there are others. */
static std::vector<bench::Way> serious(std::vector<bench::Way> ways) {
  const auto isReference = [](const bench::Way& way) { return way.how.rfind("ref", 0) == 0; };
  if (!std::all_of(ways.begin(), ways.end(), isReference))
    ways.erase(std::remove_if(ways.begin(), ways.end(), isReference), ways.end());
  return ways;
}

static std::vector<bench::Way> prepare(const bench::Call& call) {
  using Starts = std::pair<const char*, bench::Prepare>;
  static const Starts functions[] = {
      {"matmul", bench::matmul},       {"conv2d", bench::conv2d},
      {"maxPool2d", bench::pool2d},    {"avgPool2d", bench::pool2d},
      {"batchNorm", bench::batchNorm}, {"layerNorm", bench::layerNorm},
      {"softmax", bench::softmax},     {"logSoftmax", bench::softmax},
      {"add", bench::binary},          {"mul", bench::binary},
      {"copy", bench::copy},           {"sum", bench::reduction},
      {"mean", bench::reduction},      {"max", bench::reduction},
      {"recurrent", bench::recurrent}, {"", bench::activation},
  };
  const std::string op = call.text("op");
  for (const auto& [start, function] : functions)
    if (op.rfind(start, 0) == 0) return serious(function(call));
  return {};
}

int main() {
  const dnnl_version_t* version = dnnl_version();
  return bench::serve("oneDNN",
                      std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                          std::to_string(version->patch),
                      prepare);
}
