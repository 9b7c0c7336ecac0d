// Problem: one einsum-like loop nest body: named dims with bounds, operands with affine projections.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/data_type.hpp"

namespace tilewright {

struct Dim {
  std::string name;        // the field's letters: N K C P Q R S for convolution, M N K (and B, G) for products
  std::int64_t bound = 1;  // >= 1
  friend bool operator==(const Dim&, const Dim&) = default;
};

/// coefficient x (index of dim): one addend of a tensor axis.
struct Term {
  int dim = 0;  // position in Problem::dims
  std::int64_t coefficient = 1;
  friend bool operator==(const Term&, const Term&) = default;
};

/// One axis of a tensor: the sum of its terms, e.g. {P, stride} + {R, dilation} for an input row.
using Axis = std::vector<Term>;

enum class Role { weight, input, output };

struct Operand {
  std::string name;  // "weights", "inputs", "outputs", or the names of a case file
  Role role = Role::input;
  DataType type = DataType::fp32;
  std::vector<Axis> axes;
  double density = 1.0;  // fraction of non-zero elements, (0, 1]
  /// Never leaves the chip: no traffic at the outermost level (the scores of fused attention, a result that the fused
  /// kernel behind this one consumes).
  bool on_chip = false;
  /// Structured sparsity: exactly density x block non-zeros in every `block` neighbours (2:4 is density 0.5, block 4).
  /// 0: spread evenly at random.
  std::int64_t block = 0;
  friend bool operator==(const Operand&, const Operand&) = default;
};

/// What one iteration point does: a multiply-accumulate, or `ops_per_point` operations of the vector path.
enum class Compute { mac, vector };

struct Problem {
  std::vector<Dim> dims;
  std::vector<Operand> operands;  // inputs first; exactly one output, last
  Compute compute = Compute::mac;
  double ops_per_point = 1.0;  // vector problems only: arithmetic operations per iteration point
  friend bool operator==(const Problem&, const Problem&) = default;

  int dim(std::string_view name) const;  // position, -1 if absent
  /// Number of iteration points (MACs of a mac problem); OverflowError above 2^62.
  std::int64_t points() const;
};

/// The widest format among the operands that are read: what the arithmetic works in. The result's where nothing is read.
DataType compute_format(const Problem& problem);

/// True if the index of `dim` moves the operand (some term with a non-zero coefficient).
bool relevant(const Operand& operand, int dim);

/// Words of the bounding box that the operand needs for the given extents of all dims (inclusive intervals:
/// a strided axis with terms (P, stride) + (R, 1) spans (P-1) stride + R). Exact; OverflowError when too large.
std::int64_t box_words(const Operand& operand, const std::vector<std::int64_t>& extents);

/// box_words for the whole problem.
std::int64_t tensor_words(const Problem& problem, const Operand& operand);

/// Throws InputError when a bound is < 1, a term names no dim, an operand repeats a name, there is not exactly one
/// output (the last operand; there may be no input at all), a density is outside (0, 1] or a size overflows.
void validate(const Problem& problem);

}  // namespace tilewright
