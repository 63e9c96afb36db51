// Rules of what slides windows over planes: convolutions and pools.
#pragma once

#include "kernels/list.h"
#include "rules.h"

namespace fovea {
namespace {

// One axis of a window that slides over a plane.
struct Axis {
  const char *kernelName, *strideName, *dilationName, *padName, *padEndName;
  int64_t size, kernel, stride, dilation, pad, padEnd, out;

  int64_t extent() const { return dilation * (kernel - 1) + 1; }
  int64_t lastStart() const { return (out > 0 ? out - 1 : 0) * stride - pad; }
};

template <class Shape>
Axis rows(const Shape& s) {
  return {"kernelHeight",
          "strideHeight",
          "dilationHeight",
          "padTop",
          "padBottom",
          s.height,
          s.kernelHeight,
          s.strideHeight,
          1,
          s.padTop,
          0,
          s.outHeight};
}
template <class Shape>
Axis columns(const Shape& s) {
  return {"kernelWidth",
          "strideWidth",
          "dilationWidth",
          "padLeft",
          "padRight",
          s.width,
          s.kernelWidth,
          s.strideWidth,
          1,
          s.padLeft,
          0,
          s.outWidth};
}

// Far beyond any network, and so small that positions stay inside 32 bits and that no kernel spends
// minutes on what cannot be meant: steps of a window, its padding, and how far it may reach.
constexpr int64_t longestStep = int64_t{1} << 20, farthest = int64_t{1} << 30;
constexpr int64_t widest = int64_t{1} << 24;

inline bool checkWindow(const char* kernel, const Axis& axis, Message& message) {
  if (!atLeast(kernel, axis.kernelName, axis.kernel, 1, message) ||
      !atLeast(kernel, axis.strideName, axis.stride, 1, message) ||
      !atLeast(kernel, axis.dilationName, axis.dilation, 1, message) ||
      !atMost(kernel, axis.strideName, axis.stride, longestStep, message) ||
      !atMost(kernel, axis.dilationName, axis.dilation, longestStep, message) ||
      !atMost(kernel, axis.padName, axis.pad, longestStep, message) ||
      !atMost(kernel, axis.padEndName, axis.padEnd, longestStep, message)) {
    return false;
  }
  const int64_t end =
      axis.lastStart() + axis.extent();  // of the last window, from the first element
  if (axis.extent() <= widest && end - axis.size <= widest && end <= farthest &&
      axis.size <= farthest) {
    return true;
  }
  return message.set(
      "%s: expected windows of at most 2^24 that end at most so far beyond x, but got %s %lld, "
      "dilation %lld, %s %lld and windows up to %lld on %lld",
      kernel, axis.kernelName, static_cast<long long>(axis.kernel),
      static_cast<long long>(axis.dilation), axis.strideName, static_cast<long long>(axis.stride),
      static_cast<long long>(end), static_cast<long long>(axis.size));
}

// 0: the kernel chooses; 1: direct; 2: Winograd's.
template <class Shape>
bool checkAlgorithm(const char* kernel, const Shape& s, Message& message) {
  if (!atMost(kernel, "algorithm", s.algorithm, 2, message)) return false;
  const bool fits = s.kernelHeight == 3 && s.kernelWidth == 3 && s.strideHeight == 1 &&
                    s.strideWidth == 1 && s.dilationHeight == 1 && s.dilationWidth == 1 &&
                    s.groups == 1;
  if (fits || s.algorithm < 2) return true;
  return message.set(
      "%s: expected algorithm 0 or 1, because that of Winograd is for windows of 3 x 3, stride 1, "
      "dilation 1 and one group, but got %d",
      kernel, s.algorithm);
}

template <class Shape>
bool checkConv(const char* kernel, const Shape& s, Message& message) {
  Axis down = rows(s), across = columns(s);
  down.dilation = s.dilationHeight;
  across.dilation = s.dilationWidth;
  if (!checkWindow(kernel, down, message) || !checkWindow(kernel, across, message)) return false;
  if (!atLeast(kernel, "groups", s.groups, 1, message)) return false;
  if (s.outChannels % s.groups != 0) {
    return message.set(
        "%s: expected outChannels as a multiple of %d, because there are so many groups, but got "
        "%d",
        kernel, s.groups, s.outChannels);
  }
  if (int64_t{s.groupChannels} * s.groups != s.inChannels) {
    return message.set("%s: expected inChannels as groupChannels x groups, %d x %d, but got %d",
                       kernel, s.groupChannels, s.groups, s.inChannels);
  }
  return checkAlgorithm(kernel, s, message);
}

inline bool conv(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<Conv2dShape>(call);
  return checkConv(kernel, s, message) && flag(kernel, "activation", s.activation, message);
}

inline bool convBackward(const char* kernel, const Call& call, Message& message) {
  return checkConv(kernel, shapeOf<Conv2dBackwardShape>(call), message);
}

// Every window holds at least one element of x: the first, and the last.
inline bool checkPoolAxis(const char* kernel, const Axis& axis, Message& message) {
  if (!checkWindow(kernel, axis, message)) return false;
  const auto padding = [&](const char* name, int64_t pad) {
    if (pad < axis.kernel) return true;
    return message.set("%s: expected %s below %s %lld, but got %lld", kernel, name, axis.kernelName,
                       static_cast<long long>(axis.kernel), static_cast<long long>(pad));
  };
  if (!padding(axis.padName, axis.pad) || !padding(axis.padEndName, axis.padEnd)) return false;
  if (axis.out == 0 || axis.lastStart() < axis.size) return true;
  return message.set(
      "%s: expected every window to hold an element of x, but got the last starting at %lld of "
      "%lld",
      kernel, static_cast<long long>(axis.lastStart()), static_cast<long long>(axis.size));
}

inline bool maxPool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<MaxPool2dShape>(call);
  return checkPoolAxis(kernel, rows(s), message) && checkPoolAxis(kernel, columns(s), message);
}

inline bool avgPool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<AvgPool2dShape>(call);
  Axis down = rows(s), across = columns(s);
  down.padEnd = s.padBottom;
  across.padEnd = s.padRight;
  return checkPoolAxis(kernel, down, message) && checkPoolAxis(kernel, across, message) &&
         flag(kernel, "countPadding", s.countPadding, message);
}

inline bool adaptivePool(const char* kernel, const Call& call, Message& message) {
  const auto s = shapeOf<AdaptivePool2dShape>(call);
  return (s.outHeight == 0 || atLeast(kernel, "height", s.height, 1, message)) &&
         (s.outWidth == 0 || atLeast(kernel, "width", s.width, 1, message));
}

}  // namespace
}  // namespace fovea
