// Average pooling to a given number of windows, whatever the size of x, and its gradient.
#pragma once

#include "list.h"
#include "pool2d-window.h"

namespace fovea {
namespace {

// Window i of `outputs` over `length`: [floor(i length / outputs), ceil((i + 1) length / outputs)).
struct Window {
  int64_t begin, end;
  Window(int64_t i, int64_t length, int64_t outputs)
      : begin(i * length / outputs), end(ceilDiv((i + 1) * length, outputs)) {}
  int64_t length() const { return end - begin; }
};

// body(i, first element, rows, columns) for each window i of a plane; one as wide as the plane is a
// single long row.
template <class Body>
void forAdaptiveWindows(const AdaptivePool2dShape& s, const Body& body) {
  for (int64_t i = 0; i < s.outHeight; ++i) {
    const Window tall(i, s.height, s.outHeight);
    for (int64_t j = 0; j < s.outWidth; ++j) {
      const Window wide(j, s.width, s.outWidth);
      const bool whole = wide.length() == s.width;
      body(i * s.outWidth + j, tall.begin * s.width + wide.begin, whole ? 1 : tall.length(),
           whole ? tall.length() * s.width : wide.length());
    }
  }
}

void adaptiveAvgPool2d(const AdaptivePool2dShape& s, const Context& context, const float* x,
                       float* y) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  const int64_t outPlane = static_cast<int64_t>(s.outHeight) * s.outWidth;
  forPlanes(context, s.planes, 1 + 32768 / larger(1, plane), [&](int64_t p, int) {
    forAdaptiveWindows(s, [&](int64_t out, int64_t first, int64_t rows, int64_t columns) {
      const float* from = x + p * plane + first;
      Vec total = broadcast(0);
      for (int64_t i = 0; i < rows; ++i, from += s.width) {
        for (int64_t j = 0; j < columns; j += Vec::width) {
          total = total + loadUpTo(from + j, lanesLeft(columns - j));
        }
      }
      y[p * outPlane + out] = sum(total) / static_cast<float>(rows * columns);
    });
  });
}

void adaptiveAvgPool2dBackward(const AdaptivePool2dShape& s, const Context& context,
                               const float* gradY, float* gradX) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  const int64_t outPlane = static_cast<int64_t>(s.outHeight) * s.outWidth;
  forPlanes(context, s.planes, 1 + 32768 / larger(1, plane), [&](int64_t p, int) {
    fillRow(gradX + p * plane, plane, 0);
    forAdaptiveWindows(s, [&](int64_t out, int64_t first, int64_t rows, int64_t columns) {
      const Vec g = broadcast(gradY[p * outPlane + out] / static_cast<float>(rows * columns));
      float* to = gradX + p * plane + first;
      for (int64_t i = 0; i < rows; ++i, to += s.width) {
        for (int64_t j = 0; j < columns; j += Vec::width) {
          const int n = lanesLeft(columns - j);
          storeUpTo(to + j, loadUpTo(to + j, n) + g, n);
        }
      }
    });
  });
}

}  // namespace
}  // namespace fovea
