// Which algorithm a convolution takes, and the way into that of Winograd.
#pragma once

#include "list.h"
#include "winograd-weight.h"
#include "winograd.h"

namespace fovea {
namespace {

// The field `algorithm` of the shapes.
constexpr int32_t automatic = 0, forcedWinograd = 2;

// Outputs of a tile, along either side.
constexpr int winogradTileSize = 4;

template <class Shape>
inline bool winogradFits(const Shape& s) {
  const int64_t results = int64_t{s.batch} * s.outChannels * s.outHeight * s.outWidth;
  return s.kernelHeight == 3 && s.kernelWidth == 3 && s.strideHeight == 1 && s.strideWidth == 1 &&
         s.dilationHeight == 1 && s.dilationWidth == 1 && s.groups == 1 && results > 0 &&
         int64_t{s.inChannels} * s.height * s.width > 0;
}

template <class Shape>
inline int64_t winogradTiles(const Shape& s) {
  return TileGrid(s.batch, s.outHeight, s.outWidth, winogradTileSize).count();
}

// Costs in multiply-adds of a full register tile, as measured: what it takes to bring one element
// to a point, or back from it, and the same for the weights.
constexpr double tileElementCost = 200, weightElementCost = 30;
constexpr double winogradPoints = (winogradTileSize + 2) * (winogradTileSize + 2);

// Whether y, or the gradient of x, is cheaper by Winograd's algorithm; `packed`: with weights at
// hand that are transformed.
template <class Shape>
inline bool usesWinograd(const Shape& s, bool packed) {
  if (!winogradFits(s)) return false;
  if (s.algorithm != automatic) return s.algorithm == forcedWinograd;
  const double tiles = static_cast<double>(winogradTiles(s));
  const double channels = double(s.inChannels) + s.outChannels;
  const double products = double(s.inChannels) * s.outChannels;
  const double direct = products * 9 * s.batch * s.outHeight * s.outWidth;
  const double elements =
      tiles * (products + channels * tileElementCost) + (packed ? 0 : products * weightElementCost);
  return winogradPoints * elements < direct;
}

// The same for the gradient of the weight, whose blocks transform their tiles anew.
inline bool usesWinogradGradient(const Conv2dBackwardShape& s) {
  if (!winogradFits(s)) return false;
  if (s.algorithm != automatic) return s.algorithm == forcedWinograd;
  constexpr int64_t block = WinogradGradientPlan::blockChannels;
  const double tiles = static_cast<double>(winogradTiles(s));
  const double transformed = double(s.inChannels) * ceilDiv(s.outChannels, block) +
                             double(s.outChannels) * ceilDiv(s.inChannels, block);
  const double products = double(s.inChannels) * s.outChannels;
  const double direct = products * 9 * s.batch * s.outHeight * s.outWidth;
  const double elements =
      tiles * (products + transformed * tileElementCost) + products * weightElementCost;
  return winogradPoints * elements < direct;
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
  winogradOf<winogradTileSize>(winogradConv(s), context, x, weight, bias, y);
}

template <class Shape>
inline size_t winogradWorkspace(const Shape& s, int threads) {
  const WinogradConv conv = winogradConv(s);
  return WinogradMemory(conv, WinogradPlan(conv, winogradTileSize), threads, false, nullptr).bytes;
}

// Weights may come packed for Winograd's algorithm or not come packed: room for either way.
template <class Shape>
inline size_t largerWorkspace(const Shape& s, int threads, size_t direct) {
  const size_t bytes = usesWinograd(s, true) ? winogradWorkspace(s, threads) : 0;
  return bytes > direct ? bytes : direct;
}

template <class Shape>
inline int64_t winogradPackedLength(const Shape& s) {
  const WinogradConv conv = winogradConv(s);
  return WinogradPlan(conv, winogradTileSize).weightFloats(conv.in.channels);
}

template <class Shape>
inline void winogradPack(const Shape& s, const Context& context, const float* weight,
                         float* packed) {
  const WinogradConv conv = winogradConv(s);
  packWinograd<winogradTileSize>(conv, WinogradPlan(conv, winogradTileSize), context, weight,
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
  winogradGradientOf<winogradTileSize>(gradient, context, x, gradY, gradWeight);
  if (gradBias) sumPlanes(gradient, context, gradY, gradBias);
}

inline size_t winogradGradientWorkspace(const Conv2dBackwardShape& s, int threads) {
  const WinogradGradientPlan plan(winogradGradientShape(s), winogradTileSize);
  return WinogradGradientMemory(plan, threads, nullptr).bytes;
}

}  // namespace
}  // namespace fovea
