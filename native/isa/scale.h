// x 2^n, for instruction sets that have no instruction for it; included after their Vec.
#pragma once

namespace fovea {
namespace {

// For whole n in [-252, 254], in two steps so that neither factor leaves the normal range and the
// result is rounded once.
inline Vec scaleByPowerOf2(Vec x, Vec n) {
  const Ints bias = broadcastInts(127);
  const Ints half = toInts(n * broadcast(0.5f));
  const Ints rest = toInts(n) - half;
  return x * floats(shiftLeft<23>(half + bias)) * floats(shiftLeft<23>(rest + bias));
}

}  // namespace
}  // namespace fovea
