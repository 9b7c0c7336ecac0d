#include "sim/network/mapping_memo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

bool within(Reserved reserved, Reserved from, Reserved to) {
  return reserved.activations >= from.activations && reserved.activations <= to.activations &&
         reserved.weights >= from.weights && reserved.weights <= to.weights;
}

std::size_t index(int level) { return static_cast<std::size_t>(level); }

}  // namespace

bool passes_through_home(const Evaluation& e, std::size_t operand, Homes homes) {
  const Role role = e.problem.operands[operand].role;
  const int home = role == Role::weight ? homes.weights : homes.activations;
  if (home >= 0 && e.mapping.levels[index(home)].keeps[operand]) return true;
  if (role != Role::output) return false;
  for (std::size_t l = 1; l < e.mapping.levels.size(); ++l) {
    if (e.mapping.levels[l].keeps[operand]) return e.counts.levels[l][operand].fills == 0;
  }
  return false;
}

Evaluation as_roofline(Evaluation e, const Chip& chip) {
  e.utilization = e.cycles_bound.value > 0 ? e.utilization * (e.cycles / e.cycles_bound) : 0.0;
  e.cycles = e.cycles_bound;
  e.overhead = chip.launch_overhead * chip.clock;
  e.compute.fill_drain = {};
  e.compute.fill_share = 0;
  e.energy.static_ = static_power(chip) * (e.cycles / chip.clock);
  return e;
}

Homes homes_of(const Chip& chip) {
  const auto first_with = [&](Role role) {
    for (std::size_t l = 1; l < chip.levels.size(); ++l) {
      const BufferLevel& level = chip.levels[l];
      if (level.instances == 1 && level.capacity && level.keeps[static_cast<int>(role)]) return static_cast<int>(l);
    }
    return -1;
  };
  return {first_with(Role::input), first_with(Role::weight)};
}

MappingMemo::MappingMemo(const Chip& chip, Homes homes, SearchOptions search, Engine engine)
    : chip_(chip), homes_(homes), options_(search), engine_(engine) {}

std::size_t MappingMemo::number(const Problem& problem) {
  for (std::size_t i = 0; i < problems_.size(); ++i) {
    if (problems_[i].problem == problem) return i;
  }
  problems_.push_back({problem, {}});
  return problems_.size() - 1;
}

void MappingMemo::set_unreserved(std::size_t number, const Outcome& outcome) {
  Known& known = problems_[number];
  // With a slack the fastest mapping counts as well: the search remembers it.
  known.steps.push_front(options_.latency_slack > 0 ? search(known.problem, {}) : step_of({}, outcome));
}

const Outcome& MappingMemo::best(std::size_t number, Reserved reserved) {
  if (homes_.activations == homes_.weights) {  // one level: one sum
    reserved = {checked_add(reserved.activations, reserved.weights), 0};
  }
  Known& known = problems_[number];
  for (const Step& step : known.steps) {
    if (within(reserved, step.from, step.to)) return step.outcome;
  }
  known.steps.push_back(search(known.problem, reserved));
  return known.steps.back().outcome;
}

Chip MappingMemo::with_reserved(Reserved reserved) const {
  Chip chip = chip_;
  const auto take = [&](int level, std::int64_t bytes) {
    if (level >= 0 && bytes > 0) chip.levels[index(level)].capacity->value -= static_cast<double>(bytes);
  };
  take(homes_.activations, reserved.activations);
  take(homes_.weights, reserved.weights);
  return chip;
}

MappingMemo::Step MappingMemo::search(const Problem& problem, Reserved reserved) {
  const Chip chip = with_reserved(reserved);
  for (const int home : {homes_.activations, homes_.weights}) {
    if (home < 0 || chip.levels[index(home)].capacity->value > 0) continue;
    return step_of(reserved, std::unexpected(Infeasible{
                                 chip.levels[index(home)].name, "tensors that stay on chip leave no room", 0, 0, {}}));
  }
  ++searches_;
  auto found = find_best(problem, chip, options_);
  if (!found) return step_of(reserved, std::unexpected(std::move(found.error())));
  found->best.search_gap = unproven(*found);
  Step step = step_of(
      reserved, engine_ == Engine::roofline ? as_roofline(std::move(found->best), chip_) : std::move(found->best));
  if (found->slack) end_where_it_fits(step, found->slack->fastest);
  return step;
}

/// Bytes of the tiles at a level, double buffering included.
std::int64_t MappingMemo::used_bytes(const Evaluation& evaluation, int level) const {
  return occupied_bytes(evaluation.problem, evaluation.mapping, chip_, index(level));
}

MappingMemo::Step MappingMemo::step_of(Reserved reserved, Outcome outcome) const {
  Step step{reserved, {unlimited, unlimited}, std::move(outcome)};
  if (step.outcome) end_where_it_fits(step, *step.outcome);
  return step;
}

/// The step ends, at the latest, where the mapping no longer fits.
void MappingMemo::end_where_it_fits(Step& step, const Evaluation& evaluation) const {
  const auto last = [&](int level) {
    if (level < 0) return std::int64_t{0};
    return static_cast<std::int64_t>(chip_.levels[index(level)].capacity->value) - used_bytes(evaluation, level);
  };
  step.to.activations = std::min(step.to.activations, last(homes_.activations));
  step.to.weights = homes_.weights == homes_.activations ? 0 : std::min(step.to.weights, last(homes_.weights));
}

}  // namespace tilewright
