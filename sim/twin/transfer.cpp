#include "sim/twin/transfer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/checked.hpp"

namespace tilewright {

Runs runs_of(const Problem& problem, const Mapping& mapping, std::size_t operand, std::size_t level) {
  std::size_t keeper = level + 1;
  while (keeper < mapping.levels.size() && !mapping.levels[keeper].keeps[operand]) ++keeper;
  const std::vector<std::int64_t> tile = tile_extents(problem, mapping, keeper);
  std::vector<std::int64_t> held = tile_extents(problem, mapping, level);
  for (std::size_t d = 0; d < held.size() && level == 0; ++d) held[d] = problem.dims[d].bound;
  const Operand& tensor = problem.operands[operand];
  const double word = bits(tensor.type) / 8.0;
  double words = 1, pitch = 1, together = 1;
  bool broken = false;
  for (std::size_t a = tensor.axes.size(); a-- > 0;) {
    double extent = 1, whole = 1;
    for (const Term& term : tensor.axes[a]) {
      const auto d = static_cast<std::size_t>(term.dim);
      const double step = std::abs(static_cast<double>(term.coefficient));
      extent += step * static_cast<double>(tile[d] - 1);
      whole += step * static_cast<double>(held[d] - 1);
    }
    if (broken) {
      together = extent;
      break;
    }
    words *= extent;
    pitch *= whole;
    broken = extent < whole;
  }
  return {words * word, pitch * word, together};
}

std::int64_t busiest_bank(std::int64_t banks, std::int64_t runs, std::int64_t length, std::int64_t pitch) {
  // Starts come back to the first bank after `period` runs.
  const std::int64_t step = pitch % banks, period = banks / std::gcd(step == 0 ? banks : step, banks);
  const std::int64_t rest = length % banks;
  std::vector<std::int64_t> begins(static_cast<std::size_t>(2 * banks + 1), 0);  // change of runs at work, bank by bank
  for (std::int64_t i = 0; i < std::min(period, runs) && rest > 0; ++i) {
    const auto start = static_cast<std::size_t>(i * step % banks);
    const std::int64_t times = runs / period + (i < runs % period ? 1 : 0);
    begins[start] += times;
    begins[start + static_cast<std::size_t>(rest)] -= times;
  }
  std::vector<std::int64_t> served(static_cast<std::size_t>(banks), 0);
  std::int64_t at_work = 0;
  for (std::size_t b = 0; b < static_cast<std::size_t>(2 * banks); ++b) {
    at_work += begins[b];
    served[b % served.size()] += at_work;
  }
  return checked_add(checked_mul(runs, length / banks), *std::ranges::max_element(served));
}

Ticks transfer_ticks(const BufferLevel& level, Hertz clock, double bytes, Runs runs) {
  if (level.bandwidth.value <= 0) return 0;
  const Cycles ideal = Bytes{bytes} / level.bandwidth;
  if (!level.dram || bytes <= 0) return ticks_of(ideal);
  const DramTiming& dram = *level.dram;
  const double channels = static_cast<double>(dram.channels);
  const double run = std::min(runs.bytes, bytes), count = std::ceil(bytes / run);
  const double together = std::min(runs.together, count);
  const double rows_together = std::min(together * std::ceil(run / dram.row.value),
                                        std::ceil(((together - 1) * runs.pitch + run) / dram.row.value));
  const double rows = std::ceil(count / together) * rows_together;
  const double on_busiest_channel = std::ceil(rows / channels);
  const double on_busiest_bank = std::ceil(on_busiest_channel / static_cast<double>(dram.banks));
  const Cycles transfer = (on_busiest_channel * channels / rows) * ideal;
  const Cycles activations = ((on_busiest_bank - 1) * dram.row_cycle) * clock;
  return ticks_of(std::max(transfer, activations));
}

Ticks transfer_latency(const BufferLevel& level, Hertz clock) {
  return level.dram ? ticks_of(level.dram->latency * clock) : 0;
}

}  // namespace tilewright
