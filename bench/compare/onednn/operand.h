// What all oneDNN rows share: the engine, memories with random content, and a call as a list of
// steps.
#pragma once

#include <deque>
#include <dnnl.hpp>

#include "../trial.h"

namespace bench {

using dnnl::memory;
using Tag = memory::format_tag;
using Dims = memory::dims;

inline dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

inline dnnl::stream& stream() {
  static dnnl::stream queue(engine());
  return queue;
}

inline memory::desc describe(const Dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

inline memory filled(const memory::desc& desc) {
  memory data(desc, engine());
  randomize(static_cast<float*>(data.get_data_handle()), desc.get_size() / sizeof(float));
  return data;
}

/** A call: primitives with their arguments, one after the other. Copies share the memories. */
class Steps {
 public:
  void add(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments) {
    steps_.push_back({primitive, arguments});
  }
  void reorder(const memory& from, const memory& to) {
    add(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }
  void operator()() const {
    for (const auto& step : steps_) step.primitive.execute(stream(), step.arguments);
    stream().wait();
  }

 private:
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
  };
  std::vector<Step> steps_;
};

/** Memories by their description, which the ways of one call share: only one of them runs at a
 * time. */
class Operands {
 public:
  const memory& get(int argument, const memory::desc& desc) {
    for (const auto& kept : kept_)
      if (kept.argument == argument && kept.data.get_desc() == desc) return kept.data;
    kept_.push_back({argument, filled(desc)});
    return kept_.back().data;
  }

 private:
  struct Kept {
    int argument;
    memory data;
  };
  std::deque<Kept> kept_;
};

/** Collects one primitive's operands, and the reorders around it where its layout is not the
 * caller's. */
class Plan {
 public:
  explicit Plan(Operands& operands) : operands_(operands) {}

  /** An input the caller has as `plain`. */
  void input(int argument, const memory::desc& plain, const memory::desc& own) {
    const memory& data = arguments_[argument] = operands_.get(argument, own);
    if (plain != own) before_.push_back({operands_.get(argument, plain), data});
  }
  /** Weights: laid out once, or at each call. */
  void weight(int argument, const memory::desc& plain, const memory::desc& own, bool packed) {
    packed ? constant(argument, own) : input(argument, plain, own);
  }
  /** An input or output that may lie as the library wishes. */
  void constant(int argument, const memory::desc& own) {
    arguments_[argument] = operands_.get(argument, own);
  }
  void output(int argument, const memory::desc& plain, const memory::desc& own) {
    const memory& data = arguments_[argument] = operands_.get(argument, own);
    if (plain != own) after_.push_back({data, operands_.get(argument, plain)});
  }
  /** What one way has to itself. */
  void give(int argument, const memory& data) { arguments_[argument] = data; }

  Way way(const dnnl::primitive& primitive, const std::string& how) const {
    Steps bare, run;
    for (const Copy& copy : before_) run.reorder(copy.from, copy.to);
    bare.add(primitive, arguments_);
    run.add(primitive, arguments_);
    for (const Copy& copy : after_) run.reorder(copy.from, copy.to);
    if (before_.empty() && after_.empty()) return {run, how, {}};
    return {run, how + " + reorders", bare};
  }

 private:
  struct Copy {
    memory from, to;
  };
  Operands& operands_;
  std::vector<Copy> before_, after_;
  std::unordered_map<int, memory> arguments_;
};

/** What `make` gives for each layout that has an implementation. */
template <typename Make>
std::vector<Way> waysOf(const std::vector<Tag>& tags, const Make& make) {
  std::vector<Way> ways;
  for (const Tag tag : tags) {
    try {
      ways.push_back(make(tag));
    } catch (const dnnl::error&) {
      // No implementation takes this layout.
    }
  }
  return ways;
}

std::vector<Way> activation(const Call& call);
std::vector<Way> batchNorm(const Call& call);
std::vector<Way> binary(const Call& call);
std::vector<Way> conv2d(const Call& call);
std::vector<Way> copy(const Call& call);
std::vector<Way> layerNorm(const Call& call);
std::vector<Way> matmul(const Call& call);
std::vector<Way> pool2d(const Call& call);
std::vector<Way> recurrent(const Call& call);
std::vector<Way> reduction(const Call& call);
std::vector<Way> softmax(const Call& call);

}  // namespace bench
