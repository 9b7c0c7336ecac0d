// What one more unit of a resource would buy: exact finite differences.
#pragma once

#include "arch_models/one_more.hpp"
#include "sim/network/network.hpp"

namespace tilewright {

/// The graph on the chip with one more of `resource`, searched again with the present mappings among the candidates. Changes are new - old: negative is a gain.
struct Marginal {
  std::string resource, from, to;
  Seconds latency, latency_change;
  Joules energy, energy_change;
  std::string failure;  // not empty: the changed chip cannot run it; nothing else is valid
  bool slower_array =
      false;  // the objective got worse although the present mapping was tried: the array's own time grew
};

/// One for each of `one_more_of_each(chip)`, in its order. Precondition: `now` is the graph's evaluation on the chip, without failure.
std::vector<Marginal> marginals(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options,
                                const NetworkEvaluation& now);

}  // namespace tilewright
