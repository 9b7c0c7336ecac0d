#include "sim/systemc/pe_array/matrix.hpp"

namespace tilewright {

Matrix multiply(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows, b.cols);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < b.cols; ++j) {
      for (std::int64_t k = 0; k < a.cols; ++k) product.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return product;
}

}  // namespace tilewright
