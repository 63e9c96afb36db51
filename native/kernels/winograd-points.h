// The matrices of Winograd's minimal filtering F(m x m, 3 x 3), made at compile time from their
// interpolation points; and products with them that use the symmetry of the points.
//
// A tile of m x m outputs is y = A' [ (G w G') * (B' x B) ] A, with * by elements and x the tile of
// (m + 2) x (m + 2) inputs (Lavin & Gray 2016, "Fast algorithms for convolutional neural
// networks"). The points are 0, pairs p and -p, and infinity (Toom-Cook). Small fractions lose
// fewer digits than small integers (Barabasz et al. 2020, "Error analysis and improving the
// accuracy of Winograd convolution for deep neural networks").
#pragma once

#include "context.h"
#include "unroll.h"

namespace fovea {
namespace {

// The pairs of points of tiles of m outputs: those among fractions of few bits that lose fewest
// digits.
template <int m>
struct PointPairs;
template <>
struct PointPairs<2> {
  static constexpr double p[] = {1};
};
template <>
struct PointPairs<4> {
  static constexpr double p[] = {0.75, 1.5};
};
// Point j of m + 1 finite ones: 0, p, -p, q, -q, …; number m + 1 is infinity.
template <int m>
constexpr double pointAt(int j) {
  return j == 0 ? 0 : j % 2 == 1 ? PointPairs<m>::p[j / 2] : -PointPairs<m>::p[j / 2 - 1];
}

constexpr double power(double x, int exponent) {
  double product = 1;
  for (int i = 0; i < exponent; ++i) product *= x;
  return product;
}

// A matrix has a row for each point; in the row of -p the odd columns are those of p negated.

// B', [m + 2][m + 2]: row j holds the coefficients of the product of (x - q) over all finite points
// q but the j-th.
template <int m>
struct InputMatrix {
  static constexpr int rows = m + 2, columns = m + 2;
  static constexpr double at(int row, int column) {
    double coefficients[m + 2] = {1};
    int degree = 0;
    for (int j = 0; j <= m; ++j) {
      if (j == row) continue;
      ++degree;
      for (int i = degree; i >= 0; --i) {
        coefficients[i] =
            (i > 0 ? coefficients[i - 1] : 0) - (i < degree ? pointAt<m>(j) * coefficients[i] : 0);
      }
    }
    return column <= degree ? coefficients[column] : 0;
  }
};

// A, [m + 2][m]: powers of the points.
template <int m>
struct OutputMatrix {
  static constexpr int rows = m + 2, columns = m;
  static constexpr double at(int row, int column) {
    return row == m + 1 ? (column == m - 1 ? 1 : 0) : power(pointAt<m>(row), column);
  }
};

// G, [m + 2][3]: powers of the points over the product of their differences.
template <int m>
struct WeightMatrix {
  static constexpr int rows = m + 2, columns = 3;
  static constexpr double at(int row, int column) {
    if (row == m + 1) return column == 2 ? 1 : 0;
    double differences = 1;
    for (int j = 0; j <= m; ++j) {
      if (j != row) differences *= pointAt<m>(row) - pointAt<m>(j);
    }
    return power(pointAt<m>(row), column) / differences;
  }
};

// The terms of one sum: of coefficient at(i) times x[index(i)].
template <class Matrix, int row, int first, int step>
struct RowTerms {
  static constexpr int count = (Matrix::columns - first + step - 1) / step;
  static constexpr int index(int i) { return first + i * step; }
  static constexpr double at(int i) { return Matrix::at(row, index(i)); }
};
template <class Matrix, int column>
struct ColumnTerms {  // with pairs of rows folded into one
  static constexpr int count = Matrix::rows / 2 + 1;
  static constexpr int index(int i) { return i; }
  static constexpr double at(int i) {
    return Matrix::at(i == 0 ? 0 : i == count - 1 ? Matrix::rows - 1 : 2 * i - 1, column);
  }
};

template <class Terms, int i = 0, bool started = false>
FOVEA_INLINE Vec sumOfTerms(const Vec* x, Vec sum = broadcast(0)) {
  if constexpr (i == Terms::count) {
    return sum;
  } else {
    constexpr double c = Terms::at(i);
    if constexpr (c == 0) return sumOfTerms<Terms, i + 1, started>(x, sum);
    const Vec term = x[Terms::index(i)];
    if constexpr (!started) {
      sum = c == 1 ? term : c == -1 ? -term : broadcast(static_cast<float>(c)) * term;
    } else if constexpr (c == 1) {
      sum = sum + term;
    } else if constexpr (c == -1) {
      sum = sum - term;
    } else {
      sum = fma(broadcast(static_cast<float>(c)), term, sum);
    }
    return sumOfTerms<Terms, i + 1, true>(x, sum);
  }
}

// y = Matrix x: the rows of p and -p are the sum and the difference of two halves.
template <class Matrix>
FOVEA_INLINE void toPoints(const Vec* x, Vec* y) {
  constexpr int last = Matrix::rows - 1;
  y[0] = sumOfTerms<RowTerms<Matrix, 0, 0, 1>>(x);
  unroll<last / 2>([&](auto pair) {
    constexpr int row = 2 * pair + 1;
    const Vec even = sumOfTerms<RowTerms<Matrix, row, 0, 2>>(x);
    const Vec odd = sumOfTerms<RowTerms<Matrix, row, 1, 2>>(x);
    y[row] = even + odd;
    y[row + 1] = even - odd;
  });
  y[last] = sumOfTerms<RowTerms<Matrix, last, 0, 1>>(x);
}

// y = Matrix' x
template <class Matrix>
FOVEA_INLINE void fromPoints(const Vec* x, Vec* y) {
  constexpr int count = Matrix::rows / 2 + 1;
  Vec sums[count], differences[count];
  sums[0] = differences[0] = x[0];
  unroll<count - 2>([&](auto pair) {
    sums[pair + 1] = x[2 * pair + 1] + x[2 * pair + 2];
    differences[pair + 1] = x[2 * pair + 1] - x[2 * pair + 2];
  });
  sums[count - 1] = differences[count - 1] = x[Matrix::rows - 1];
  unroll<Matrix::columns>([&](auto column) {
    y[column] = sumOfTerms<ColumnTerms<Matrix, column>>(column % 2 == 0 ? sums : differences);
  });
}

}  // namespace
}  // namespace fovea
