// oneDNN element by element: sums and products, activations and their gradients, copies from
// strides to strides.
#include "operand.h"

namespace bench {
namespace {

using dnnl::algorithm;

const std::map<std::string, algorithm> activations = {
    {"relu", algorithm::eltwise_relu},     {"exp", algorithm::eltwise_exp},
    {"tanh", algorithm::eltwise_tanh},     {"sigmoid", algorithm::eltwise_logistic},
    {"gelu", algorithm::eltwise_gelu_erf},
};

/** Each with what fovea's saves: gelu its x, the others their y. */
const std::map<std::string, std::pair<algorithm, int>> gradients = {
    {"reluBackward", {algorithm::eltwise_relu_use_dst_for_bwd, DNNL_ARG_DST}},
    {"tanhBackward", {algorithm::eltwise_tanh_use_dst_for_bwd, DNNL_ARG_DST}},
    {"sigmoidBackward", {algorithm::eltwise_logistic_use_dst_for_bwd, DNNL_ARG_DST}},
    {"geluBackward", {algorithm::eltwise_gelu_erf, DNNL_ARG_SRC}},
};

}  // namespace

std::vector<Way> activation(const Call& call) {
  const auto row = describe({call["count"]}, Tag::x);
  const auto forward = [&](algorithm kind) {
    return dnnl::eltwise_forward::primitive_desc({dnnl::prop_kind::forward_training, kind, row},
                                                 engine());
  };
  Operands operands;
  Plan plan(operands);
  const auto found = activations.find(call.text("op"));
  if (found != activations.end()) {
    const auto chosen = forward(found->second);
    plan.input(DNNL_ARG_SRC, row, row);
    plan.output(DNNL_ARG_DST, row, row);
    return {plan.way(dnnl::eltwise_forward(chosen), chosen.impl_info_str())};
  }
  const auto gradient = gradients.find(call.text("op"));
  if (gradient == gradients.end()) return {};
  const auto [kind, saved] = gradient->second;
  const dnnl::eltwise_backward::primitive_desc chosen({kind, row, row}, engine(), forward(kind));
  plan.input(saved, row, row);
  plan.input(DNNL_ARG_DIFF_DST, row, row);
  plan.output(DNNL_ARG_DIFF_SRC, row, row);
  return {plan.way(dnnl::eltwise_backward(chosen), chosen.impl_info_str())};
}

std::vector<Way> binary(const Call& call) {
  const auto row = describe({call["count"]}, Tag::x);
  const auto kind = call.text("op") == "add" ? algorithm::binary_add : algorithm::binary_mul;
  const dnnl::binary::primitive_desc chosen({kind, row, row, row}, engine());
  Operands operands;
  Plan plan(operands);
  plan.input(DNNL_ARG_SRC_0, row, row);
  plan.input(DNNL_ARG_SRC_1, row, row);
  plan.output(DNNL_ARG_DST, row, row);
  return {plan.way(dnnl::binary(chosen), chosen.impl_info_str())};
}

std::vector<Way> copy(const Call& call) {
  Dims dims, from, to;
  for (char i = '0'; i < '8'; ++i) {
    if (call[std::string("d") + i] == 1 && !(i == '7' && dims.empty())) continue;
    dims.push_back(call[std::string("d") + i]);
    from.push_back(call[std::string("x") + i]);
    to.push_back(call[std::string("y") + i]);
  }
  Steps run;
  run.reorder(filled({dims, memory::data_type::f32, from}),
              filled({dims, memory::data_type::f32, to}));
  return {{run, "reorder", {}}};
}

}  // namespace bench
