#include "sim/network/shared_network.hpp"

#include <algorithm>
#include <limits>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/mapping_memo.hpp"
#include "sim/network/precision.hpp"
#include "sim/network/totals.hpp"

namespace tilewright {

bool shareable(const Chip& chip, const NetworkOptions& options) {
  return options.engine != Engine::systemc && options.residency == ResidencyOption::none &&
         family_of(chip).library == nullptr;
}

SharedNetwork::SharedNetwork(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options)
    : options_(options), graph_(graph), heading_(heading(graph, chip, options)), chip_(chip) {
  if (options.precision_given) {
    heading_.failure = unsupported_format(graph_, chip);
    if (!heading_.failure.empty()) return;
  } else {
    substitute_formats(graph_, chip);
  }
  heading_.peak_memory_bytes = checked_add(peak_activation_bytes(graph_), weight_bytes(graph_));
  plan_ = plan_layers(graph_, chip);
  candidates_.resize(plan_.problems.size());
  for (const Problem& problem : plan_.problems) models_.push_back(cost_model(problem, chip_));
}

NetworkEvaluation SharedNetwork::evaluate(const Chip& chip, const Anchors& anchors) {
  NetworkEvaluation result = heading_;
  if (!result.failure.empty()) return result;
  std::unique_ptr<Workspace> work = borrow();
  std::vector<Anchor*> found;
  bool bounded = false;
  for (std::size_t i = 0; i < anchors.keys.size(); ++i) {
    Anchor*& one = work->anchors[anchors.keys[i]];
    if (one == nullptr) one = &anchor(anchors, i);
    if (!one->chip) continue;
    found.push_back(one);
    bounded = anchors.last_bounds && i + 1 == anchors.keys.size();
  }
  std::vector<std::optional<Infeasible>> misfits(plan_.problems.size());
  bool fits = true;
  for (std::size_t p = 0; p < plan_.problems.size(); ++p) {
    misfits[p] = choose(p, chip, found, bounded, *work);
    fits = fits && !misfits[p];
  }
  if (fits) {
    total_up(result, time_layers(work->groups, graph_, chip, options_.objective), graph_, chip);
  } else {
    for (const LoweredGroup& lowered : plan_.groups) {
      const auto first = std::find_if(lowered.problems.begin(), lowered.problems.end(),
                                      [&](std::size_t p) { return misfits[p].has_value(); });
      if (first == lowered.problems.end() || !result.failure.empty()) continue;
      result.infeasible = misfits[*first];
      result.failure =
          misfit(graph_.layers[static_cast<std::size_t>(lowered.group.layer)].name, chip, *result.infeasible);
    }
  }
  give_back(std::move(work));
  return result;
}

/// Sets work.chosen[problem] to the best candidate, priced for the chip; or says why nothing fits.
std::optional<Infeasible> SharedNetwork::choose(std::size_t problem, const Chip& chip, std::span<Anchor* const> anchors,
                                                bool bounded, Workspace& work) {
  CostModel& model = work.models[problem];
  move_to(model, chip);
  const auto fits = [&](const Candidate& candidate) {
    for (std::size_t l = 0; l < chip.levels.size(); ++l) {
      if (chip.levels[l].capacity && candidate.used[l] > chip.levels[l].capacity->value) return false;
    }
    return true;
  };
  const Candidate *best = nullptr, *last = nullptr;
  std::pair<double, double> least;
  for (const Anchor* anchor : anchors) {
    const Candidate* one = anchor->found[problem].candidate;
    if (one == nullptr || one == last || !fits(*one)) continue;
    last = one;
    const CostFigures figures = cost_figures(model, one->evaluation.counts, one->array);
    const Joules energy = figures.energy.total();
    const std::pair now{score(figures.cycles, energy, chip, options_.objective), energy.value};
    if (best != nullptr && now >= least) continue;
    best = one;
    least = now;
  }
  Evaluation& e = work.chosen[problem];
  double bound = score(model.cycles_bound, model.energy_bound.total(), chip, options_.objective);
  if (best == nullptr) {
    auto own = find_best(plan_.problems[problem], chip, search_options(options_));
    work.candidate[problem] = nullptr;
    if (!own) return std::move(own.error());
    e = std::move(own->best);
    bound = std::max(bound, own->bound);
  } else {
    if (work.candidate[problem] != best) e = best->evaluation;
    work.candidate[problem] = best;
    price(model, e);
    if (bounded) bound = std::max(bound, anchors.back()->found[problem].bound);
  }
  constexpr double rounding = 1e-9;
  const double reached = score(e, chip, options_.objective);
  e.search_gap = reached * (1 - rounding) > bound ? (reached - bound) / reached : 0;
  if (options_.engine == Engine::roofline) {
    e = as_roofline(std::move(e), chip);
    work.candidate[problem] = nullptr;  // its array cost was changed
  }
  return std::nullopt;
}

/// The anchor, solved: threads that need it at the same time share the work.
SharedNetwork::Anchor& SharedNetwork::anchor(const Anchors& anchors, std::size_t i) {
  Anchor* one = nullptr;
  {
    std::unique_lock lock(mutex_);
    auto& slot = anchors_[anchors.keys[i]];
    if (!slot) {
      slot = std::make_unique<Anchor>();
      one = slot.get();
      lock.unlock();
      std::optional<Chip> chip = anchors.chip(i);
      lock.lock();
      one->chip = std::move(chip);
      one->found.resize(plan_.problems.size());
      one->ready = true;
      solved_.notify_all();
    } else {
      one = slot.get();
      solved_.wait(lock, [&] { return one->ready; });
    }
  }
  if (one->chip) solve(*one);
  return *one;
}

void SharedNetwork::solve(Anchor& anchor) {
  const std::size_t count = plan_.problems.size();
  for (std::size_t p = anchor.next++; p < count; p = anchor.next++) {
    std::exception_ptr error;
    Found found;
    try {
      found = search(p, *anchor.chip);
    } catch (...) { error = std::current_exception(); }
    const std::lock_guard lock(mutex_);
    anchor.found[p] = found;
    if (error && !anchor.error) anchor.error = error;
    if (++anchor.solved == count) solved_.notify_all();
  }
  std::unique_lock lock(mutex_);
  solved_.wait(lock, [&] { return anchor.solved == count; });
  if (anchor.error) std::rethrow_exception(anchor.error);
}

SharedNetwork::Found SharedNetwork::search(std::size_t problem, const Chip& chip) {
  if (options_.limits.stop && options_.limits.stop()) throw Stopped();
  auto best = find_best(plan_.problems[problem], chip, search_options(options_));
  if (!best) return {};
  Candidate candidate{std::move(best->best), {}, {}};
  candidate.array = array_figures(models_[problem], candidate.evaluation.compute);
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    candidate.used.push_back(
        static_cast<double>(occupied_bytes(plan_.problems[problem], candidate.evaluation.mapping, chip, l)));
  }
  const std::lock_guard lock(mutex_);
  std::deque<Candidate>& known = candidates_[problem];
  const auto same = std::find_if(known.begin(), known.end(), [&](const Candidate& other) {
    return other.evaluation.mapping == candidate.evaluation.mapping;
  });
  return {same != known.end() ? &*same : &known.emplace_back(std::move(candidate)), best->bound};
}

std::unique_ptr<SharedNetwork::Workspace> SharedNetwork::borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      const auto mine =
          std::find_if(idle_.begin(), idle_.end(), [](const auto& w) { return w->user == std::this_thread::get_id(); });
      if (mine != idle_.end()) std::iter_swap(mine, idle_.end() - 1);
      std::unique_ptr<Workspace> work = std::move(idle_.back());
      idle_.pop_back();
      work->user = std::this_thread::get_id();
      return work;
    }
  }
  auto work = std::make_unique<Workspace>();
  work->user = std::this_thread::get_id();
  work->models = models_;
  work->chosen.resize(plan_.problems.size());
  work->candidate.assign(plan_.problems.size(), nullptr);
  for (const LoweredGroup& lowered : plan_.groups) {
    GroupView view{lowered.group.layer, lowered.group.repeat, {}, {}, false};
    for (std::size_t k = 0; k < lowered.kernels.size(); ++k) {
      view.kernels.push_back({&work->chosen[lowered.problems[k]], lowered.kernels[k].repeat, lowered.kernels[k].fused});
    }
    work->groups.push_back(std::move(view));
  }
  return work;
}

void SharedNetwork::give_back(std::unique_ptr<Workspace> work) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(work));
}

}  // namespace tilewright
