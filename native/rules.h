// What rules are written with: a shape by its fields, and the bounds of a field.
#pragma once

#include <cstring>

#include "check.h"

namespace fovea {
namespace {

template <class Shape>
Shape shapeOf(const Call& call) {
  static_assert(sizeof(Shape) <= sizeof call.shape, "a shape is at most maxFields words");
  Shape shape;
  std::memcpy(&shape, call.shape, sizeof shape);
  return shape;
}

inline bool atLeast(const char* kernel, const char* field, int64_t value, int64_t least,
                    Message& message) {
  if (value >= least) return true;
  return message.set("%s: expected %s of at least %lld, but got %lld", kernel, field,
                     static_cast<long long>(least), static_cast<long long>(value));
}

inline bool flag(const char* kernel, const char* field, int64_t value, Message& message) {
  if (value == 0 || value == 1) return true;
  return message.set("%s: expected %s as 0 or 1, but got %lld", kernel, field,
                     static_cast<long long>(value));
}

inline bool exactly(const char* kernel, const char* field, int64_t value, int64_t wanted,
                    Message& message) {
  if (value == wanted) return true;
  return message.set("%s: expected %s of %lld, but got %lld", kernel, field,
                     static_cast<long long>(wanted), static_cast<long long>(value));
}

inline bool atMost(const char* kernel, const char* field, int64_t value, int64_t most,
                   Message& message) {
  if (value <= most) return true;
  return message.set("%s: expected %s of at most %lld, but got %lld", kernel, field,
                     static_cast<long long>(most), static_cast<long long>(value));
}

}  // namespace
}  // namespace fovea
