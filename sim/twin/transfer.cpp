#include "sim/twin/transfer.hpp"

#include <algorithm>
#include <cmath>

namespace tilewright {

double run_bytes(const Problem& problem, const Mapping& mapping, std::size_t operand) {
  std::size_t keeper = 1;
  while (keeper < mapping.levels.size() && !mapping.levels[keeper].keeps[operand]) ++keeper;
  const std::vector<std::int64_t> tile = tile_extents(problem, mapping, keeper);
  const Operand& tensor = problem.operands[operand];
  double words = 1;
  for (std::size_t a = tensor.axes.size(); a-- > 0;) {
    double extent = 1, whole = 1;
    for (const Term& term : tensor.axes[a]) {
      const auto d = static_cast<std::size_t>(term.dim);
      const double step = std::abs(static_cast<double>(term.coefficient));
      extent += step * static_cast<double>(tile[d] - 1);
      whole += step * static_cast<double>(problem.dims[d].bound - 1);
    }
    words *= extent;
    if (extent < whole) break;
  }
  return words * (bits(tensor.type) / 8.0);
}

Ticks transfer_ticks(const BufferLevel& level, Hertz clock, double bytes, double run) {
  if (level.bandwidth.value <= 0) return 0;
  const Cycles ideal = Bytes{bytes} / level.bandwidth;
  if (!level.dram || bytes <= 0) return ticks_of(ideal);
  const DramTiming& dram = *level.dram;
  const double channels = static_cast<double>(dram.channels);
  const double rows = std::ceil(bytes / run) * std::ceil(std::min(run, bytes) / dram.row.value);
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
