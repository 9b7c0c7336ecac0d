// What is measured: a shape is the key columns of its table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::cuda {

/// Words such as dtype and layout, and extents, by the column names of the table.
struct Shape {
  std::map<std::string, std::string> words;
  std::map<std::string, std::int64_t> sides;

  const std::string& word(const std::string& column) const { return words.at(column); }
  std::int64_t side(const std::string& column) const { return sides.at(column); }
  /// All of them as cells of a row.
  std::map<std::string, std::string> cells() const;
  /// "dtype=fp32 op=linear ... k=4096 m=64"
  std::string text() const;
  auto operator<=>(const Shape&) const = default;
};

/// gemm, conv, vector, attention, microbench.
std::vector<std::string> measured_tables();
/// The built-in list of a table: language-model layers and squares, layers of ResNet-50, rows of hidden sizes, prefill and decode. Precondition: a table with shapes.
std::vector<Shape> default_shapes(std::string_view table);

struct ShapeList {
  std::vector<Shape> shapes;  // each once, in the order of the file
  std::int64_t skipped = 0;   // rows of a number format or operator that the bench does not have
};
/// Shapes from a CSV file that has the key columns of the table; further columns are not read. InputError with line and column for a bad cell and for extents that are no operator.
ShapeList read_shapes(const std::string& path, std::string_view table);

/// Bytes of one element in GPU memory: fp32, tf32 4; fp16, bf16 2; fp8, int8 1.
std::int64_t element_size(std::string_view dtype);
/// Operands and result of a shape in bytes, without workspace.
double bytes_of(std::string_view table, const Shape& shape);
/// Multiply-adds of a product, convolution or attention counted twice; elements of a vector.
double operations_of(std::string_view table, const Shape& shape);

}  // namespace tilewright::cuda
