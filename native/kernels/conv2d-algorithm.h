// Which algorithm a convolution takes, and the way into that of Winograd. The shapes' field
// `algorithm` says 0: the cheaper one, 1: direct, 2: Winograd's.
#pragma once

#include "list.h"
#include "winograd-weight.h"
#include "winograd.h"

namespace fovea {
namespace {

template <class Shape>
inline bool winogradFits(const Shape& s) {
  const int64_t results = int64_t{s.batch} * s.outChannels * s.outHeight * s.outWidth;
  return s.kernelHeight == 3 && s.kernelWidth == 3 && s.strideHeight == 1 && s.strideWidth == 1 &&
         s.dilationHeight == 1 && s.dilationWidth == 1 && s.groups == 1 && results > 0 &&
         int64_t{s.inChannels} * s.height * s.width > 0;
}

// Costs as measured, in multiply-adds of a full register tile.
namespace cost {
constexpr double transform = 40;      // of one element of a tile, to a point or back
constexpr double gradientBlock = 24;  // the same within conv2dBackwardWeight
constexpr double streamed = 38;       // of one weight from beyond the L2 cache
constexpr double weight = 40;         // of one weight, to a point or back
constexpr double cached = 500000;     // weights that the L2 cache holds
}  // namespace cost

template <class Shape>
inline double directCost(const Shape& s) {
  const double weights = 9.0 * s.inChannels * s.outChannels;
  const double outputs = double(s.batch) * s.outHeight * s.outWidth;
  return weights * (outputs + (weights > cost::cached ? cost::streamed : 0));
}

template <class Shape>
inline double winogradCost(const Shape& s, int64_t m, bool packed) {
  const double points = static_cast<double>((m + 2) * (m + 2));
  const double tiles = static_cast<double>(TileGrid(s.batch, s.outHeight, s.outWidth, m).count());
  const double weights = points * s.inChannels * s.outChannels;
  return weights *
             (tiles + (weights > cost::cached ? cost::streamed : 0) + (packed ? 0 : cost::weight)) +
         points * tiles * cost::transform * (double(s.inChannels) + s.outChannels);
}

// Outputs along a side of a tile that is best for y, or for the gradient of x: 2 where weights, of
// which larger tiles have more, outweigh few tiles; else 4; 0: best computed directly. `packed`:
// the weights are at hand as the algorithm takes them.
template <class Shape>
inline int winogradTileSize(const Shape& s, bool packed) {
  if (!winogradFits(s) || s.algorithm == 1) return 0;
  const double two = winogradCost(s, 2, packed), four = winogradCost(s, 4, packed);
  const bool wins = s.algorithm == 2 || (two < four ? two : four) < directCost(s);
  return !wins ? 0 : two < four ? 2 : 4;
}

template <class Shape>
inline bool usesWinograd(const Shape& s, bool packed) {
  return winogradTileSize(s, packed) > 0;
}

// The same for the gradient of the weight, whose blocks transform their tiles anew.
inline bool usesWinogradGradient(const Conv2dBackwardShape& s) {
  if (!winogradFits(s) || s.algorithm != 0) return s.algorithm == 2 && winogradFits(s);
  constexpr int64_t block = WinogradGradientPlan::blockChannels;
  const double tiles = static_cast<double>(TileGrid(s.batch, s.outHeight, s.outWidth, 4).count());
  const double transformed = double(s.inChannels) * ceilDiv(s.outChannels, block) +
                             double(s.outChannels) * ceilDiv(s.inChannels, block);
  const double products = double(s.inChannels) * s.outChannels;
  return 36 * (products * (tiles + cost::weight / 3) + transformed * tiles * cost::gradientBlock) <
         directCost(s);
}

inline WinogradConv winogradConv(const Conv2dShape& s) {
  return {s.batch,
          {s.inChannels, s.height, s.width},
          {s.outChannels, s.outHeight, s.outWidth},
          s.padTop,
          s.padLeft,
          9,
          int64_t{s.inChannels} * 9,
          false,
          s.activation == 1};
}

// The gradient of x: gradY padded by what is left of the window, weights turned around.
inline WinogradConv winogradConv(const Conv2dBackwardShape& s) {
  return {s.batch,
          {s.outChannels, s.outHeight, s.outWidth},
          {s.inChannels, s.height, s.width},
          2 - int64_t{s.padTop},
          2 - int64_t{s.padLeft},
          int64_t{s.inChannels} * 9,
          9,
          true,
          false};
}

template <class Shape>
inline void winograd(const Shape& s, const Context& context, const float* x, const float* weight,
                     const float* bias, float* y) {
  (winogradTileSize(s, context.packed) == 2 ? winogradOf<2> : winogradOf<4>)(winogradConv(s),
                                                                             context, x, weight,
                                                                             bias, y);
}

template <class Shape>
inline size_t winogradBytes(const Shape& s, int threads, bool packed) {
  const int m = winogradTileSize(s, packed);
  if (m == 0) return 0;
  const WinogradConv conv = winogradConv(s);
  return WinogradMemory(conv, WinogradPlan(conv, m), threads, packed, nullptr).bytes;
}

// Weights may come packed or not: room for either way, and for the direct one.
template <class Shape>
inline size_t largerWorkspace(const Shape& s, int threads, size_t direct) {
  const size_t packed = winogradBytes(s, threads, true), plain = winogradBytes(s, threads, false);
  const size_t bytes = packed > plain ? packed : plain;
  return bytes > direct ? bytes : direct;
}

template <class Shape>
inline int64_t winogradPackedLength(const Shape& s) {
  const WinogradConv conv = winogradConv(s);
  return WinogradPlan(conv, winogradTileSize(s, true)).weightFloats(conv.in.channels);
}

template <class Shape>
inline void winogradPack(const Shape& s, const Context& context, const float* weight,
                         float* packed) {
  const WinogradConv conv = winogradConv(s);
  const int m = winogradTileSize(s, true);
  (m == 2 ? packWinograd<2> : packWinograd<4>)(conv, WinogradPlan(conv, m), context, weight,
                                               packed);
}

inline WinogradGradient winogradGradientShape(const Conv2dBackwardShape& s) {
  return {{s.inChannels, s.height, s.width},
          {s.outChannels, s.outHeight, s.outWidth},
          s.batch,
          s.padTop,
          s.padLeft};
}

inline void winogradGradient(const Conv2dBackwardShape& s, const Context& context, const float* x,
                             const float* gradY, float* gradWeight, float* gradBias) {
  const WinogradGradient gradient = winogradGradientShape(s);
  winogradGradientOf<4>(gradient, context, x, gradY, gradWeight);
  if (gradBias) sumPlanes(gradient, context, gradY, gradBias);
}

inline size_t winogradGradientWorkspace(const Conv2dBackwardShape& s, int threads) {
  const WinogradGradientPlan plan(winogradGradientShape(s), 4);
  return WinogradGradientMemory(plan, threads, nullptr).bytes;
}

}  // namespace
}  // namespace fovea
