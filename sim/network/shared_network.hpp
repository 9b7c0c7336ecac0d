// One network on many chips that differ in the capacities and bandwidths of their memories alone: mappings are searched on a few of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>

#include "sim/cost/cost_model.hpp"
#include "sim/network/network.hpp"
#include "sim/network/plan.hpp"
#include "sim/network/timed_layer.hpp"

namespace tilewright {

/// Access counts and the time on the array follow from the mapping, the fan-outs and the formats; capacities only decide whether it fits,
/// bandwidths only how long its traffic takes. So the best mapping of one chip has an exact cost on every other one, and each chip takes the cheapest of
/// a few candidates: the best mappings of its anchors. Candidates depend on the anchors alone, never on what was evaluated before. Where no candidate
/// fits, the mapping is searched for the chip itself. Safe to use from several threads.
class SharedNetwork {
 public:
  /// `chip`: any of them. Precondition: engine roofline or analytical, no residency, a family without a library of kernels (`shareable`).
  SharedNetwork(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options);

  /// A chip on which mappings are searched. Equal keys mean equal chips.
  struct Anchors {
    std::vector<std::string> keys;
    /// The chip of keys[i]; none: no such chip can be built, and it gives no candidates. Asked once for each key.
    std::function<std::optional<Chip>(std::size_t i)> chip;
    /// On the chip of the last key no mapping scores worse than here: its proven bounds hold here too.
    bool last_bounds = false;
  };

  /// As evaluate_network, but layers come without their kernels, and without notes. `optimality_gap` of a layer: against the larger of the roofline bound and
  /// the bound proven on the last anchor.
  NetworkEvaluation evaluate(const Chip& chip, const Anchors& anchors);

 private:
  /// A mapping that was best somewhere.
  struct Candidate {
    Evaluation evaluation;
    ArrayFigures array;
    std::vector<double> used;  // bytes of one instance of each level
  };
  /// What was found on an anchor, by problem.
  struct Found {
    const Candidate* candidate = nullptr;  // none: nothing fits
    double bound = 0;                      // no mapping scores less
  };
  struct Anchor {
    std::optional<Chip> chip;
    std::vector<Found> found;
    std::atomic<std::size_t> next{0};
    std::size_t solved = 0;
    std::exception_ptr error;
    bool ready = false;
  };
  /// What a thread works with: the problems' models and the chosen mappings, priced for one chip after the other.
  struct Workspace {
    std::thread::id user;  // who had it last: its core has it in its caches
    std::vector<CostModel> models;
    std::vector<Evaluation> chosen;
    std::vector<const Candidate*> candidate;  // that `chosen` was copied from; null: from none
    std::vector<GroupView> groups;
    std::unordered_map<std::string, Anchor*> anchors;  // solved ones: no lock is needed for them
  };

  Anchor& anchor(const Anchors& anchors, std::size_t i);
  void solve(Anchor& anchor);
  Found search(std::size_t problem, const Chip& chip);
  std::optional<Infeasible> choose(std::size_t problem, const Chip& chip, std::span<Anchor* const> anchors,
                                   bool bounded, Workspace& work);
  std::unique_ptr<Workspace> borrow();
  void give_back(std::unique_ptr<Workspace> work);

  NetworkOptions options_;
  WorkloadGraph graph_;
  NetworkEvaluation heading_;
  Chip chip_;  // with the fan-outs and formats of all
  Plan plan_;
  std::vector<CostModel> models_;
  std::mutex mutex_;
  std::condition_variable solved_;
  std::unordered_map<std::string, std::unique_ptr<Anchor>> anchors_;
  std::vector<std::deque<Candidate>> candidates_;  // by problem; entries stay where they are
  std::vector<std::unique_ptr<Workspace>> idle_;
};

/// True where SharedNetwork can stand for evaluate_network.
bool shareable(const Chip& chip, const NetworkOptions& options);

}  // namespace tilewright
