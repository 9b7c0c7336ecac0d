#include "sim/search/next_tile.hpp"

namespace tilewright {
namespace {

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

}  // namespace

void NextTile::enter(const std::vector<OpenTransfer>& open, const Figures& spent, std::size_t moved) {
  transfers_.clear();
  all_ = spent;
  ++round_;
  std::uint32_t cells = 0;
  for (const OpenTransfer& one : open) {
    const std::size_t operand = bounds_.transfers[one.transfer].operand;
    Figures unstripped;
    bounds_.price(one.transfer, one.words, one.held, unstripped);
    bounds_.add(all_, unstripped);
    if (moved > 0 && bounds_.transfers[one.transfer].child == moved) continue;
    Transfer& made =
        transfers_.emplace_back(Transfer{one, operand, space_.operands[operand].moved_by, unstripped, {}, cells});
    std::uint32_t size = 1;
    for (std::size_t d = 0; d < space_.dims.size(); ++d) {
      made.strides[d] = has(made.moved_by, d) ? 0 : size;
      if (!has(made.moved_by, d)) size *= static_cast<std::uint32_t>(bounds_.divisors(d).values.size());
    }
    cells += size;
  }
  if (known_.size() < cells) {
    known_.resize(cells, 0);
    cells_.resize(cells * bounds_.width);
  }
}

/// `alone`: no loop between moves the operand, so that it stays over whatever comes.
const double* NextTile::saved(const Transfer& transfer, const Steps& tile, bool alone) {
  const Steps& extents = alone ? bounds_.whole() : tile;
  std::uint32_t cell = transfer.first;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) cell += extents[d] * transfer.strides[d];
  double* row = cells_.data() + cell * bounds_.width;
  if (known_[cell] == round_) return row;
  known_[cell] = round_;
  Steps held = transfer.open.held;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) {
    if (!has(transfer.moved_by, d)) held[d] = extents[d];
  }
  Figures stripped;
  bounds_.price(transfer.open.transfer, transfer.open.words, held, stripped);
  for (std::size_t i = 0; i < bounds_.width; ++i) row[i] = transfer.unstripped.of[i] - stripped.of[i];
  return row;
}

Figures NextTile::least(const Steps& tile, const Steps& inner) {
  DimSet looped = 0;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) {
    if (tile[d] != inner[d]) looped |= DimSet{1} << d;
  }
  Figures figures = all_, saving;
  for (std::size_t i = 0; i < transfers_.size();) {
    const Transfer& first = transfers_[i++];
    const bool alone = (looped & first.moved_by) == 0;
    const double* of_operand = saved(first, tile, alone);
    if (i == transfers_.size() || transfers_[i].operand != first.operand) {
      bounds_.raise(saving, of_operand);
      continue;
    }
    Figures of_all;
    bounds_.add(of_all, of_operand);
    for (; i < transfers_.size() && transfers_[i].operand == first.operand; ++i)
      bounds_.add(of_all, saved(transfers_[i], tile, alone));
    bounds_.raise(saving, of_all.of.data());
  }
  bounds_.subtract(figures, saving);
  return figures;
}

}  // namespace tilewright
