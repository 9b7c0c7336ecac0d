#include "sim/search/search.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/search/branch_and_bound.hpp"
#include "sim/search/space.hpp"

namespace tilewright {
namespace {

constexpr std::size_t best_kept = 5;           // the best and four runners-up
constexpr std::size_t most_keep_choices = 4096;  // with free keeps; more are not tried
constexpr double rounding = 1e-9;

using Keeps = std::vector<std::vector<bool>>;

/// The rules of a family may place an operand by what it does (a second activation as the stationary one); where a level cannot store
/// its role, the operand goes where the chip keeps its role.
Keeps storable(Keeps keeps, const Problem& problem, const Chip& chip) {
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    const auto stores = [&](std::size_t l) { return chip.levels[l].keeps[static_cast<int>(problem.operands[o].role)]; };
    bool misplaced = false;
    for (std::size_t l = 1; l < keeps.size(); ++l) misplaced |= keeps[l][o] && !stores(l);
    for (std::size_t l = 1; misplaced && l < keeps.size(); ++l) keeps[l][o] = stores(l);
  }
  return keeps;
}

/// The given keeps first, then every other choice of levels that can store each operand.
std::vector<Keeps> all_keeps(const Keeps& given, const Problem& problem, const Chip& chip) {
  std::vector<Keeps> choices{given};
  std::vector<std::pair<std::size_t, std::size_t>> open;
  for (std::size_t l = 1; l < given.size(); ++l) {
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      if (chip.levels[l].keeps[static_cast<int>(problem.operands[o].role)]) open.emplace_back(l, o);
    }
  }
  Keeps now = given;
  const auto choose = [&](const auto& self, std::size_t i) -> void {
    if (choices.size() >= most_keep_choices) return;
    if (i == open.size()) {
      if (now != given) choices.push_back(now);
      return;
    }
    const auto [l, o] = open[i];
    for (const bool keep : {true, false}) {
      now[l][o] = keep;
      self(self, i + 1);
    }
    now[l][o] = given[l][o];
  };
  choose(choose, 0);
  return choices;
}

/// The smallest change that lets the trivial mapping in: every mapping needs at least a word of each kept operand.
Infeasible with_remedy(Infeasible fault) {
  if (fault.needed > fault.available && !fault.level.empty()) {
    fault.remedy = fmt::format("{} needs {:.0f} B instead of {:.0f} B", fault.level, fault.needed, fault.available);
  }
  return fault;
}

/// True if the passes over a row enclose the loops over its columns, as the problem demands.
bool passes_outside_columns(const Problem& problem, const Mapping& mapping) {
  const int passes = passes_dim(problem), columns = problem.dim("C");
  bool columns_seen = false;
  for (const LevelMapping& level : mapping.levels) {
    for (const Loop& loop : level.loops) {
      columns_seen = columns_seen || (loop.dim == columns && loop.kind == LoopKind::temporal);
      if (loop.dim == passes && columns_seen) return false;
    }
  }
  return true;
}

/// One request: a problem on a chip under rules.
class Request {
 public:
  Request(const Problem& problem, const Chip& chip, MapRules rules, const SearchOptions& options);

  /// The trivial mapping, where it is legal: something to beat.
  void add_trivial(const Goal& goal, Incumbents& incumbents) const;
  /// Improves the incumbents; returns the bound.
  double solve(const Goal& goal, std::int64_t budget, Incumbents& incumbents);

  const CostModel& model() const { return model_; }
  std::int64_t evaluated() const { return evaluated_; }
  std::string space_sentence() const;
  bool representable() const {
    return model_.chip->levels.size() <= most_levels && model_.problem->operands.size() <= most_operands;
  }
  /// Why not even the trivial mapping is legal.
  Infeasible fault() const { return trivial_fault_.value_or(Infeasible{"", "no mapping is legal", 0, 0, {}}); }

 private:
  CostModel model_;
  MapRules rules_;
  const SearchOptions& options_;
  std::vector<Keeps> keeps_;
  std::optional<Infeasible> trivial_fault_;
  bool all_frames_ = true;
  std::int64_t evaluated_ = 0;
};

Request::Request(const Problem& problem, const Chip& chip, MapRules rules, const SearchOptions& options)
    : model_(cost_model(problem, chip)), rules_(std::move(rules)), options_(options) {
  const auto fault = [&] { return check(problem, trivial_mapping(problem, chip, rules_.keeps), chip); };
  if (!fault()) rules_.keeps = storable(std::move(rules_.keeps), problem, chip);
  if (auto fits = fault(); !fits) trivial_fault_ = with_remedy(std::move(fits.error()));
  keeps_ = options_.free_keeps ? all_keeps(rules_.keeps, problem, chip) : std::vector<Keeps>{rules_.keeps};
}

void Request::add_trivial(const Goal& goal, Incumbents& incumbents) const {
  const Chip& chip = *model_.chip;
  const Mapping mapping = trivial_mapping(*model_.problem, chip, rules_.keeps);
  if (trivial_fault_ || !passes_outside_columns(*model_.problem, mapping)) return;
  const Evaluation e = evaluate(model_, mapping);
  incumbents.add({score(e, chip, goal.objective), e.cycles, e.energy.total(), mapping});
}

double Request::solve(const Goal& goal, std::int64_t budget, Incumbents& incumbents) {
  const Chip& chip = *model_.chip;
  const double least = score(model_.cycles_bound, model_.energy_bound.total(), chip, goal.objective);
  if (!representable()) return std::min(least, incumbents.score());
  Effort effort{budget, 0};
  double bound = std::numeric_limits<double>::infinity();
  for (const Factors factors : {Factors::perfect, Factors::imperfect}) {
    if (factors == Factors::imperfect && options_.factors == Factors::perfect) continue;
    Space space = make_space(model_, rules_, factors);
    all_frames_ = all_frames_ && space.all_frames;
    if (!space.all_frames) bound = std::min(bound, least);
    for (const Keeps& keeps : keeps_) {
      space.rules.keeps = keeps;
      bound = std::min(bound, branch_and_bound(space, goal, effort, incumbents));
    }
  }
  evaluated_ += effort.evaluated;
  return std::min(std::max(bound, least), incumbents.score());
}

std::string Request::space_sentence() const {
  if (!representable()) return "the trivial mapping alone: the chip has more levels or the problem more operands than are searched";
  return fmt::format(
      "{} factors{}, all loop orders, {}{}{}{}", options_.factors == Factors::perfect ? "perfect" : "perfect and one-cut",
      rules_.menu.empty() ? "" : " around the tiles of the family's menu",
      all_frames_ ? "all unrollings that the chip allows" : "three unrolled factors a dim, bounded over all mappings",
      options_.free_keeps ? ", any level keeps any operand that it can store" : ", operands kept as the chip says",
      options_.uneven ? ", single-operand register levels in any order" : "",
      model_.problem->dims.size() > most_dims ? ", the twelve largest dims tiled" : "");
}

std::expected<SearchResult, Infeasible> solve(const Problem& problem, const Chip& chip, const MapRules& rules,
                                              const SearchOptions& options) {
  Request request(problem, chip, rules, options);
  Goal goal{options.objective, Cycles{std::numeric_limits<double>::infinity()}};
  Incumbents incumbents(best_kept);
  request.add_trivial(goal, incumbents);
  const bool latency = options.objective == Objective::latency;
  const std::int64_t first = latency ? options.budget / 2 : options.budget;
  SearchResult result;
  result.bound = request.solve(goal, first, incumbents);
  if (incumbents.best().empty()) return std::unexpected(request.fault());
  const double score = incumbents.score();
  if (result.bound >= score * (1 - rounding)) result.bound = score;
  result.gap = score > 0 ? (score - result.bound) / score : 0;

  std::vector<Found> best = incumbents.best();
  if (latency) {
    // Many mappings are equally fast: the most frugal of them, as far as the effort allows.
    const Goal frugal{Objective::energy, best.front().cycles};
    incumbents.restart(frugal, chip);
    request.solve(frugal, options.budget - first, incumbents);
    std::vector<Found> ordered = incumbents.best();
    for (Found& found : best) {
      if (std::none_of(ordered.begin(), ordered.end(), [&](const Found& o) { return o.mapping == found.mapping; }))
        ordered.push_back(std::move(found));
    }
    std::stable_sort(ordered.begin(), ordered.end(), [](const Found& a, const Found& b) {
      return std::pair{a.cycles, a.energy} < std::pair{b.cycles, b.energy};
    });
    best = std::move(ordered);
  }
  result.evaluated = request.evaluated();
  result.space = request.space_sentence();
  result.best = evaluate(request.model(), best.front().mapping);
  for (std::size_t i = 1; i < std::min(best.size(), best_kept); ++i) {
    result.runners_up.push_back(evaluate(request.model(), best[i].mapping));
  }
  return result;
}

}  // namespace

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, const MapRules& rules,
                                                  const SearchOptions& options) {
  return solve(problem, chip, rules, options);
}

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip,
                                                  const SearchOptions& options) {
  return solve(problem, chip, family_of(chip).rules(chip, problem), options);
}

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, Objective objective) {
  SearchOptions options;
  options.objective = objective;
  return find_best(problem, chip, options);
}

}  // namespace tilewright
