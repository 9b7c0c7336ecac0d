// A small dense matrix: what the array multiplies.
#pragma once

#include <cstdint>
#include <vector>

namespace tilewright {

struct Matrix {
  Matrix() = default;
  Matrix(std::int64_t row_count, std::int64_t col_count)
      : rows(row_count), cols(col_count), values(static_cast<std::size_t>(row_count * col_count)) {}

  std::int64_t rows = 0, cols = 0;
  std::vector<double> values;  // row by row

  double& at(std::int64_t row, std::int64_t col) { return values[static_cast<std::size_t>(row * cols + col)]; }
  double at(std::int64_t row, std::int64_t col) const { return values[static_cast<std::size_t>(row * cols + col)]; }
  friend bool operator==(const Matrix&, const Matrix&) = default;
};

/// a x b by the definition, summed over k in order. Precondition: a.cols == b.rows.
Matrix multiply(const Matrix& a, const Matrix& b);

}  // namespace tilewright
