#include "sim/mapping/stored_words.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tilewright {
namespace {

/// Words of the tensor's last axis: what one row pointer of csr stands for.
double row_words(const Problem& problem, const Operand& operand) {
  double words = 1;
  if (operand.axes.empty()) return words;
  for (const Term& term : operand.axes.back()) {
    const std::int64_t bound = problem.dims[static_cast<std::size_t>(term.dim)].bound;
    words += static_cast<double>(std::abs(term.coefficient)) * static_cast<double>(bound - 1);
  }
  return words;
}

/// Words that a run-length code stores for each word of the tensor. A gap of g zeros needs floor(g / longest) filler words; gaps are
/// geometric: their expectation is q^longest / (1 - q^longest) a non-zero, q = 1 - density.
double run_length_words(const Operand& operand, std::int64_t run_bits) {
  const double longest = std::exp2(static_cast<double>(run_bits));
  const double zeros_between = 2.0 * static_cast<double>(operand.block) * (1.0 - operand.density);
  if (operand.block > 0 && zeros_between < longest) return operand.density;
  return operand.density / (1.0 - std::pow(1.0 - operand.density, longest));
}

}  // namespace

double stored_bits(const Problem& problem, const Operand& operand, const BufferLevel& level) {
  const Compression& stored = level.stored[static_cast<int>(operand.role)];
  const double word = bits(operand.type), index = static_cast<double>(stored.index_bits);
  switch (stored.format) {
    case StorageFormat::dense: break;
    case StorageFormat::bitmask: return operand.density * word + 1;
    case StorageFormat::run_length: return run_length_words(operand, stored.index_bits) * (word + index);
    case StorageFormat::coordinate: return operand.density * (word + index);
    case StorageFormat::csr:
      return operand.density * (word + index) + static_cast<double>(stored.pointer_bits) / row_words(problem, operand);
  }
  return word;
}

double partial_bits(const Operand& operand, const Chip& chip) {
  return std::max(bits(operand.type), chip.accumulator ? bits(*chip.accumulator) : 0);
}

}  // namespace tilewright
