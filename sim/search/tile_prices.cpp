#include "sim/search/tile_prices.hpp"

#include <algorithm>

namespace tilewright {
namespace {

constexpr std::size_t most_cells = 1 << 14;  // of a transfer

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

/// Dims whose tiles decide how many words all tiles of an operand hold together.
DimSet overlapping_dims(const TiledOperand& operand) {
  DimSet dims = 0;
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) {
      if (!operand.simple && !operand.diagonal && (axis.size() > 1 || term.coefficient != 1))
        dims |= DimSet{1} << term.dim;
    }
  }
  return dims;
}

}  // namespace

void TilePrices::enter(std::size_t level) {
  level_ = level;
  seen_.clear();
  ++round_;
  std::size_t cells = 1, words = 0;  // the first cell is for prices that are not kept
  for (std::size_t t = 0; t < bounds_.transfers.size(); ++t) {
    if (bounds_.transfers[t].child != level) continue;
    Seen seen{t, bounds_.transfers[t].operand, {}, {}, cells, words, true};
    const TiledOperand& operand = space_.operands[seen.operand];
    const DimSet overlapping = overlapping_dims(operand);
    std::size_t size = 1, size_of_words = 1;
    for (std::size_t d = 0; d < space_.dims.size() && size <= most_cells; ++d) {
      const std::size_t steps = bounds_.divisors(d).values.size();
      if (has(overlapping, d)) {
        seen.of_words[d] = static_cast<std::uint32_t>(size_of_words);
        size_of_words *= steps;
      }
      if (has(overlapping, d) || !has(operand.moved_by, d)) {
        seen.strides[d] = static_cast<std::uint32_t>(size);
        size *= steps;
      }
    }
    seen.tabled = size <= most_cells;
    if (seen.tabled) {
      cells += size;
      words += size_of_words;
    }
    seen_.push_back(seen);
  }
  rows_.resize(std::max(rows_.size(), cells * 2 * bounds_.width));
  rows_known_.resize(std::max(rows_known_.size(), cells), 0);
  words_.resize(std::max(words_.size(), words));
  words_known_.resize(std::max(words_known_.size(), words), 0);
}

void TilePrices::price(const Seen& seen, const Steps& tile, double words, double* row) const {
  Figures full, stayed;
  bounds_.price(seen.transfer, words, tile, full);
  bounds_.price_least(seen.transfer, words, stayed);
  for (std::size_t f = 0; f < bounds_.width; ++f) {
    row[f] = full.of[f];
    row[bounds_.width + f] = full.of[f] - stayed.of[f];
  }
}

const double* TilePrices::prices(const Seen& seen, const Steps& tile) {
  const TiledOperand& operand = space_.operands[seen.operand];
  if (!seen.tabled) {
    price(seen, tile, bounds_.least_volume(operand, level_, tile), rows_.data());
    return rows_.data();
  }
  std::size_t cell = seen.cell, at = seen.words;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) cell += tile[d] * seen.strides[d];
  double* row = rows_.data() + cell * 2 * bounds_.width;
  if (rows_known_[cell] == round_) return row;
  rows_known_[cell] = round_;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) at += tile[d] * seen.of_words[d];
  if (words_known_[at] != round_) {
    words_known_[at] = round_;
    words_[at] = bounds_.least_volume(operand, level_, tile);
  }
  price(seen, tile, words_[at], row);
  return row;
}

void TilePrices::least(const Steps& tile, double* whatever, double* moved) {
  const std::size_t n = bounds_.width;
  Figures all, saving;
  for (std::size_t i = 0; i < seen_.size();) {
    const std::size_t operand = seen_[i].operand;
    Figures saved;
    for (; i < seen_.size() && seen_[i].operand == operand; ++i) {
      const double* row = prices(seen_[i], tile);
      bounds_.add(all, row);
      bounds_.add(saved, row + n);
    }
    space_.one_still ? bounds_.raise(saving, saved) : bounds_.add(saving, saved);
  }
  bounds_.subtract(all, saving);
  std::copy_n(all.of.data(), n, whatever);
  std::copy_n(saving.of.data(), n, moved);
}

}  // namespace tilewright
