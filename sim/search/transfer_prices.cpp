#include <algorithm>
#include <cmath>

#include "core/checked.hpp"
#include "sim/search/frame_bounds.hpp"

// Prices of transfers between levels: the words that all tiles of a child need, the accesses and bytes that they cost at both ends.

namespace tilewright {
namespace {

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

/// Rounded up, unless sums in another order may have put it above a whole number.
double whole_number(double x) {
  return x < 0x1p50 ? static_cast<double>(static_cast<std::int64_t>(x * (1 - 1e-12) + (1 - 1e-9))) : x;
}

}  // namespace

void FrameBounds::resolve_stores() {
  const CostModel& model = *space_.model;
  const std::size_t operands = space_.operands.size();
  std::array<std::array<std::size_t, 2>, most_levels> ports{};
  for (std::size_t l = 0; l < levels(); ++l) {
    const BufferLevel& at = level(l);
    ports[l] = {Figures::most_channels, Figures::most_channels};
    if (!time_counts || at.bandwidth.value <= 0) continue;
    const bool apart = model.peer_compatible || at.separate_ports;
    for (std::size_t port = 0; port < 2; ++port) {
      if (port == 0 || apart) {
        if (channel_.size() == Figures::most_channels) break;
        channel_.push_back({l, at.bandwidth.value});
      }
      ports[l][port] = channel_.size() - 1;
    }
  }
  channels_ = channel_.size();
  for (std::size_t l = 0; l < levels(); ++l) {
    const BufferLevel& at = level(l);
    for (std::size_t o = 0; o < operands; ++o) {
      const StoredWord& word = model.words[l * operands + o];
      const bool output = space_.operands[o].output;
      Store& made = stores_.emplace_back();
      made.bits = {word.final_bits, word.final_bits};
      if (output) made.bits = {std::min(word.final_bits, word.partial_bits), word.partial_bits};
      for (std::size_t sums = 0; sums < 2; ++sums)
        made.per_word[sums] = at.access_bits > 0 ? made.bits[sums] / static_cast<double>(at.access_bits) : 0;
      made.read = at.read_energy.value;
      made.write = at.write_energy.value;
      made.read_channel = ports[l][0];
      made.write_channel = ports[l][1];
      made.merged = at.link.reads_merged() && !output && !space_.operands[o].simple;
      const double link = at.transfer_energy_per_bit.value, hop = at.link.hop_energy_per_bit.value;
      if (at.link.forwarding && !output) {  // distinct words pay the link, copies a hop
        made.link = std::min(link, hop);
        made.spread = std::max(0.0, link - hop);
      } else {
        made.link = link;
      }
      if (output && !model.peer_compatible) {
        made.collect = link;
        made.reduce = at.link.reduction_energy_per_bit.value;
      }
    }
  }
}

double FrameBounds::volume(const TiledOperand& operand, std::size_t l, const Steps& tile, int moving, double times,
                           double step) const {
  double words = 1, kept = 1;
  for (const Axis& axis : operand.axes) {
    double boxes = 1, sum = 0, overlap = 0, shared = 1, others = 1;
    bool moves = false;
    for (const Term& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      const auto c = static_cast<double>(term.coefficient);
      const double n = count(l, d, tile[d]), bound = static_cast<double>(space_.bounds[d]);
      sum = sum * n + boxes * c * (bound - n);
      boxes *= n;
      // Full tiles of the other dims: never less than what clipped ones share.
      shared += c * reach(l, d, tile[d]);
      others *= n;
      if (term.dim != moving) continue;
      moves = true;
      shared -= c * step;
      others -= others / times;
    }
    sum += boxes;
    if (moves) overlap = std::max(0.0, shared) * others;
    words *= sum;
    kept *= moves ? std::min(overlap, sum) : sum;
  }
  return moving >= 0 ? words - kept : words;
}

double FrameBounds::least_volume(const TiledOperand& operand, std::size_t l, const Steps& tile) const {
  if (operand.simple) return operand.words;
  if (operand.diagonal) return 1;  // tiles may coincide: only a word is sure
  double least = volume(operand, l, tile, -1, 1, 0);
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!has(operand.window, d) || tile[d] == whole_steps_[d]) continue;
    const auto step = static_cast<double>(steps(d, tile[d]) * in_[l][d]);
    least = std::min(least, volume(operand, l, tile, static_cast<int>(d), count(l, d, tile[d]), step));
  }
  return least;
}

/// Words of a result that the instances of a level ever own: exact for plain tensors, else at most the whole axis each.
double FrameBounds::most_owned(std::size_t o, std::size_t l) const {
  const TiledOperand& operand = space_.operands[o];
  if (operand.diagonal) return std::numeric_limits<double>::infinity();
  double words = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!has(operand.moved_by, d)) words *= static_cast<double>(above_[l][d]);
  }
  for (std::size_t a = 0; a < operand.axes.size(); ++a) {
    double span = 1, instances = 1;
    for (const Term& term : operand.axes[a]) {
      const auto d = static_cast<std::size_t>(term.dim);
      span += static_cast<double>(term.coefficient * (space_.bounds[d] - 1));
      if (operand.shared[a] || term.coefficient != 1) instances *= static_cast<double>(above_[l][d]);
    }
    words *= span * instances;
  }
  return words;
}

/// Whole accesses of the level's instances, which share the words.
double FrameBounds::accesses(double words, const Store& at, std::size_t l, bool sums) const {
  if (at.per_word[sums] <= 0) return words;
  return stores_in_use_[l] * whole_number(words * at.per_word[sums] * share_[l]);
}

/// Adds what a transfer costs when the child's tiles hold `words` in all and reach the children `arriving` times, the parent `sent`.
/// Sums that are sent more than once miss terms until the last time: with a lower bound on the times the fewest bits count where it is 1.
void FrameBounds::charge(std::size_t t, double words, double arriving, double sent, Figures& into) const {
  const Transfer& transfer = transfers[t];
  const TiledOperand& operand = space_.operands[transfer.operand];
  const std::size_t above = transfer.parent, below = transfer.child;
  const Store &parent = store(above, transfer.operand), &child = store(below, transfer.operand);
  const bool silent = operand.on_chip && above == 0;
  if (!operand.output) {
    const double fills = whole_number(words * arriving), bits = child.bits[0];
    into.energy() += accesses(fills, child, below, false) * child.write;
    into.bytes(child.write_channel) += fills * bits / 8;
    if (silent) return;
    const double distinct = parent.merged ? std::min(words, touched_[transfer.operand]) : words;
    const double reads = whole_number(distinct * sent), sent_bits = parent.bits[0];
    into.energy() +=
        accesses(reads, parent, above, false) * parent.read + sent_bits * (fills * parent.link + reads * parent.spread);
    into.bytes(parent.read_channel) += reads * sent_bits / 8;
    return;
  }
  const Repeats& repeats = repeats_[t];
  const bool sums_above = operand.overlapping || sent > 1;
  const bool sums_below =
      below == innermost_[transfer.operand] ? sums_at_lanes_[transfer.operand] : operand.overlapping || arriving > 1;
  const double drains = whole_number(words * arriving), updates = whole_number(words * sent);
  const double fills = std::max(0.0, drains - repeats.owned_here);
  const double again = std::max(0.0, updates - repeats.owned_there);
  const bool peer = space_.model->peer_compatible;
  const double bits = child.bits[sums_below], sent_bits = parent.bits[sums_above];
  into.energy() += accesses(fills, child, below, sums_below) * child.write;
  into.bytes(child.write_channel) += fills * bits / 8;
  if (!peer) {
    into.energy() += accesses(drains, child, below, sums_below) * child.read;
    into.bytes(child.read_channel) += drains * bits / 8;
  }
  if (silent) return;
  into.energy() += accesses(updates, parent, above, sums_above) * parent.write +
                   accesses(again, parent, above, sums_above) * parent.read +
                   sent_bits * (fills * parent.link + drains * parent.collect + (drains - updates) * parent.reduce);
  into.bytes(parent.write_channel) += updates * sent_bits / 8;
  into.bytes(parent.read_channel) += again * sent_bits / 8;
}

void FrameBounds::price(std::size_t t, double words, const Steps& held, Figures& into) const {
  const Transfer& transfer = transfers[t];
  const DimSet moved_by = space_.operands[transfer.operand].moved_by;
  double arriving = 1, sent = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (has(moved_by, d)) continue;
    arriving *= count(transfer.child, d, held[d]);
    sent *= count(transfer.parent, d, held[d]);
  }
  charge(t, words, arriving, sent, into);
}

FrameBounds::Relaxed FrameBounds::relaxed(const std::vector<OpenTransfer>& open, std::size_t moved) const {
  Relaxed sum;
  Figures saving, saving_moved;
  for (std::size_t i = 0; i < open.size();) {
    const std::size_t operand = transfers[open[i].transfer].operand;
    Figures saved, saved_moved;
    for (; i < open.size() && transfers[open[i].transfer].operand == operand; ++i) {
      const std::size_t t = open[i].transfer;
      const bool fetched = transfers[t].child == moved;
      Figures full, least;
      price(t, open[i].words, open[i].held, full);
      if (space_.operands[operand].simple) {
        least = least_prices_[t];
      } else {
        charge(t, open[i].words, repeats_[t].least_arriving, repeats_[t].least_sent, least);
      }
      add(sum.any, full);
      subtract(full, least);
      add(saved, full);
      if (!fetched) add(saved_moved, full);
    }
    if (space_.one_still) {
      raise(saving, saved);
      raise(saving_moved, saved_moved);
    } else {
      add(saving, saved);
      add(saving_moved, saved_moved);
    }
  }
  sum.moved = sum.any;
  subtract(sum.any, saving);
  subtract(sum.moved, saving_moved);
  return sum;
}

Figures FrameBounds::lanes_of_frame() const {
  Figures figures;
  const std::size_t operands = space_.operands.size();
  for (const Transfer& transfer : transfers) {
    if (transfer.child != levels()) continue;
    const TiledOperand& operand = space_.operands[transfer.operand];
    const std::size_t l = transfer.parent;
    if (operand.on_chip && l == 0) continue;
    double words = 1, points = 1;
    for (std::size_t d = 0; d < dims(); ++d) {
      const auto bound = static_cast<double>(space_.bounds[d]);
      points *= bound;
      words *= has(operand.moved_by, d) ? bound : static_cast<double>(ceil_div(space_.bounds[d], in_[l][d]));
    }
    const Store& at = store(l, transfer.operand);
    const double share = space_.model->words[l * operands + transfer.operand].lane_share;
    if (at.merged) words = std::min(words, touched_[transfer.operand]);
    const bool sums = operand.output && sums_at_lanes_[transfer.operand];
    const double bits = at.bits[sums], moved = share * words, bytes = l == feeds_lanes_ && l > 0 ? 0.0 : bits / 8;
    // bytes: the array's time pays for its operands
    if (operand.output) {
      const double again = std::max(0.0, words - most_owned(transfer.operand, l));
      figures.energy() += accesses(moved, at, l, sums) * at.write + accesses(share * again, at, l, sums) * at.read +
                          share * bits * (again * at.link + points * at.collect + (points - words) * at.reduce);
      figures.bytes(at.write_channel) += moved * bytes;
      figures.bytes(at.read_channel) += share * again * bytes;
    } else {
      figures.energy() +=
          accesses(moved, at, l, false) * at.read + share * bits * (points * at.link + words * at.spread);
      figures.bytes(at.read_channel) += moved * bytes;
    }
  }
  return figures;
}

}  // namespace tilewright
