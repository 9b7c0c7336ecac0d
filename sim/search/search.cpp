#include "sim/search/search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "sim/search/branch_and_bound.hpp"
#include "sim/search/descent.hpp"
#include "sim/search/frame_bounds.hpp"
#include "sim/search/solved.hpp"
#include "sim/search/space.hpp"

namespace tilewright {
namespace {

constexpr std::size_t best_kept = 5;             // the best and four runners-up
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

/// With the smallest change that lets the trivial mapping in, at every level that is too small: every mapping needs at least a word of
/// each kept operand.
Infeasible with_remedy(Infeasible fault, const Problem& problem, const Mapping& trivial, const Chip& chip) {
  Chip enough = chip;
  std::string changes;
  for (std::optional<Infeasible> next = fault; next;) {
    const auto level = std::ranges::find(enough.levels, next->level, &BufferLevel::name);
    if (level == enough.levels.end() || next->needed <= next->available) return fault;
    changes += fmt::format("{}{} needs {:.0f} B instead of {:.0f} B", changes.empty() ? "" : ", and ", next->level,
                           next->needed, next->available);
    level->capacity = Bytes{next->needed};
    auto fits = check(problem, trivial, enough);
    next = fits ? std::nullopt : std::optional(std::move(fits.error()));
  }
  fault.remedy = std::move(changes);
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
  /// What a quick descent finds.
  void add_good_ones(const Goal& goal, Incumbents& incumbents);
  /// Improves the incumbents; returns the bound.
  double solve(const Goal& goal, std::int64_t budget, Incumbents& incumbents);

  const CostModel& model() const { return model_; }
  std::int64_t evaluated() const { return evaluated_; }
  std::string space_sentence() const;
  double most_steps(const Goal& goal, double best) const;
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
  struct Searched {
    Space space;
    std::optional<BranchAndBound> proof;
    bool time_counts = false;
    double most_steps = 0;  // of the frames: a goal that allows no more finds all its frames among them
  };
  std::array<Searched, 2> searched_;  // perfect frames, those that only imperfect factors add
  std::optional<Infeasible> trivial_fault_;
  bool all_frames_ = true;
  std::int64_t evaluated_ = 0;
};

Request::Request(const Problem& problem, const Chip& chip, MapRules rules, const SearchOptions& options)
    : model_(cost_model(problem, chip)), rules_(std::move(rules)), options_(options) {
  const auto fault = [&] { return check(problem, trivial_mapping(problem, chip, rules_.keeps), chip); };
  if (!fault()) rules_.keeps = storable(std::move(rules_.keeps), problem, chip);
  if (auto fits = fault(); !fits) {
    const Mapping trivial = trivial_mapping(problem, chip, rules_.keeps);
    trivial_fault_ = with_remedy(std::move(fits.error()), problem, trivial, chip);
  }
  keeps_ = options_.free_keeps ? all_keeps(rules_.keeps, problem, chip) : std::vector<Keeps>{rules_.keeps};
}

void Request::add_trivial(const Goal& goal, Incumbents& incumbents) const {
  const Chip& chip = *model_.chip;
  const Mapping mapping = trivial_mapping(*model_.problem, chip, rules_.keeps);
  if (trivial_fault_ || !passes_outside_columns(*model_.problem, mapping)) return;
  const Evaluation e = evaluate(model_, mapping);
  incumbents.add({score(e, chip, goal.objective), e.cycles, e.energy.total(), mapping});
}

bool divides_all(const Problem& problem, const Mapping& mapping) {
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    std::int64_t covered = 1;
    for (const LevelMapping& level : mapping.levels) {
      for (const Loop& loop : level.loops) covered *= static_cast<std::size_t>(loop.dim) == d ? loop.bound : 1;
    }
    if (covered != problem.dims[d].bound) return false;
  }
  return true;
}

void Request::add_good_ones(const Goal& goal, Incumbents& incumbents) {
  if (trivial_fault_) return;
  const Mapping trivial = trivial_mapping(*model_.problem, *model_.chip, rules_.keeps);
  const Descent descent = descend_from_starts(model_, rules_, trivial, goal.objective);
  evaluated_ += descent.evaluated;
  for (const Mapping& mapping : descent.best) {
    if (options_.factors == Factors::perfect && !divides_all(*model_.problem, mapping)) continue;
    const Evaluation e = evaluate(model_, mapping);
    incumbents.add({score(e, *model_.chip, goal.objective), e.cycles, e.energy.total(), mapping});
  }
}

/// Temporal steps of the tiled dims beyond which no mapping scores less than `best`: the array takes too long, whatever the traffic.
double Request::most_steps(const Goal& goal, double best) const {
  const Chip& chip = *model_.chip;
  const double step = cycles_per_step(model_, rules_);
  const Joules dynamic = model_.energy_bound.compute + model_.energy_bound.memory + model_.energy_bound.link;
  const auto beaten = [&](double cycles) {
    const Joules energy = dynamic + static_power(chip) * (Cycles{cycles} / chip.clock);
    return cycles > goal.most_cycles.value * (1 + rounding) ||
           score(Cycles{cycles}, energy, chip, goal.objective) > best * (1 + rounding);
  };
  constexpr double endless = 1e30;
  if (step <= 0 || !beaten(endless)) return std::numeric_limits<double>::infinity();
  double least = 1, most = endless;
  while (most > least * 1.001) {
    const double middle = std::sqrt(least * most);
    (beaten(middle) ? most : least) = middle;
  }
  return most / step;
}

double Request::solve(const Goal& goal, std::int64_t budget, Incumbents& incumbents) {
  const Chip& chip = *model_.chip;
  const double least = score(model_.cycles_bound, model_.energy_bound.total(), chip, goal.objective);
  if (!representable()) return std::min(least, incumbents.score());
  Effort effort{0, 0};
  double bound = std::numeric_limits<double>::infinity();
  const bool both = options_.factors == Factors::imperfect;  // then each half of the space may take half of the effort
  for (const Factors factors : {Factors::perfect, Factors::imperfect}) {
    if (factors == Factors::imperfect && !both) continue;
    effort.left += both ? budget / 2 : budget;
    Searched& searched = searched_[factors == Factors::imperfect];
    Space& space = searched.space;
    const double steps = most_steps(goal, incumbents.score());
    if (space.model == nullptr || !space.all_frames || steps > searched.most_steps) {
      searched.proof.reset();
      space = make_space(model_, rules_, factors, effort.left, steps);
      searched.most_steps = steps;
    }
    all_frames_ = all_frames_ && space.all_frames;
    if (!space.all_frames) bound = std::min(bound, least);
    if (space.frames.empty() && !space.all_frames) break;  // too many for this effort: the descent's answer stands
    for (const Keeps& keeps : keeps_) {
      if (!searched.proof || keeps_.size() > 1 || time_counts(goal, chip) != searched.time_counts) {
        space.rules.keeps = keeps;
        searched.proof.emplace(space, goal);
        searched.time_counts = time_counts(goal, chip);
      }
      bound = std::min(bound, searched.proof->improve(goal, effort, incumbents));
    }
  }
  evaluated_ += effort.evaluated;
  return std::min(std::max(bound, least), incumbents.score());
}

std::string Request::space_sentence() const {
  if (!representable())
    return "the trivial mapping alone: the chip has more levels or the problem more operands than are searched";
  return fmt::format(
      "{} factors{}, all loop orders, {}{}{}{}",
      options_.factors == Factors::perfect ? "perfect" : "perfect and one-cut",
      rules_.menu.empty() ? "" : " around the tiles of the family's menu",
      all_frames_ ? "all unrollings that the chip allows"
                  : "more unrollings than the effort could look into, bounded over all mappings",
      options_.free_keeps ? ", any level keeps any operand that it can store" : ", operands kept as the chip says",
      options_.uneven ? ", single-operand register levels in any order" : "",
      model_.problem->dims.size() > most_dims ? ", the twelve largest dims tiled" : "");
}

Answer solve(const Problem& problem, const Chip& chip, const MapRules& rules, const SearchOptions& options) {
  Request request(problem, chip, rules, options);
  Goal goal{options.objective, Cycles{std::numeric_limits<double>::infinity()}};
  Incumbents incumbents(best_kept);
  request.add_trivial(goal, incumbents);
  // Mappings whose factors do not divide are met by the descent alone; among perfect ones the proof finds its own.
  const bool perfect = options.factors == Factors::perfect;
  if (!perfect) request.add_good_ones(goal, incumbents);
  const bool latency = options.objective == Objective::latency;
  const std::int64_t first = latency ? options.budget / 2 : options.budget;
  SearchResult result;
  result.bound = request.solve(goal, first, incumbents);
  if (perfect && result.bound < incumbents.score() * (1 - rounding)) request.add_good_ones(goal, incumbents);
  if (incumbents.best().empty()) return std::unexpected(request.fault());
  const double score = incumbents.score();
  if (result.bound >= score * (1 - rounding)) result.bound = score;
  result.gap = score > 0 ? (score - result.bound) / score : 0;

  std::vector<Found> best = incumbents.best();
  if (latency && result.gap == 0) {
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

constexpr std::array objectives{Objective::latency, Objective::energy, Objective::edp};

/// Positions of the innermost levels that may change places: each keeps one operand, and nothing is unrolled between them.
std::vector<std::size_t> free_levels(const Chip& chip, const Keeps& keeps) {
  std::vector<std::size_t> found;
  for (std::size_t l = chip.levels.size(); l-- > 1;) {
    const BufferLevel& level = chip.levels[l];
    const bool alone = std::count(keeps[l].begin(), keeps[l].end(), true) == 1;
    if (!alone || level.fanout_x * level.fanout_y != 1 || level.instances != chip.levels.back().instances) break;
    found.insert(found.begin(), l);
  }
  return found;
}

/// The best over all orders of the free levels.
Answer solve_uneven(const Problem& problem, const Chip& chip, const MapRules& rules, const SearchOptions& options) {
  const std::vector<std::size_t> free = free_levels(chip, rules.keeps);
  std::vector<std::size_t> order = free;
  Answer best = solve(problem, chip, rules, options);
  double bound = best ? best->bound : std::numeric_limits<double>::infinity();
  while (std::next_permutation(order.begin(), order.end())) {
    Chip turned = chip;
    MapRules turned_rules = rules;
    std::vector<std::size_t> positions(chip.levels.size());
    std::iota(positions.begin(), positions.end(), std::size_t{0});
    for (std::size_t i = 0; i < free.size(); ++i) {
      turned.levels[free[i]] = chip.levels[order[i]];
      turned_rules.keeps[free[i]] = rules.keeps[order[i]];
      positions[free[i]] = order[i];
    }
    Answer other = solve(problem, turned, turned_rules, options);
    if (!other) continue;
    bound = std::min(bound, other->bound);
    if (!best || score(other->best, chip, options.objective) < score(best->best, chip, options.objective)) {
      best = std::move(other);
      best->level_order = std::move(positions);
    }
  }
  if (best) {
    const double least = score(best->best, chip, options.objective);
    best->bound = std::min(bound, least);
    best->gap = least > 0 ? (least - best->bound) / least : 0;
  }
  return best;
}

Answer solve_as_asked(const Problem& problem, const Chip& chip, const MapRules& rules, const SearchOptions& options) {
  return options.uneven ? solve_uneven(problem, chip, rules, options) : solve(problem, chip, rules, options);
}

/// One objective on its own, remembered.
Answer alone(const Problem& problem, const Chip& chip, const SearchOptions& options) {
  return solved_once("alone" + question(problem, chip, options),
                     [&] { return solve_as_asked(problem, chip, family_of(chip).rules(chip, problem), options); });
}

/// Where the effort ran out, the search for another objective may have met a better mapping: no objective is worse served than by the
/// answer to another one.
Answer of_all_objectives(const Problem& problem, const Chip& chip, const SearchOptions& options) {
  Answer answer = alone(problem, chip, options);
  if (!answer) return answer;
  for (const Objective objective : objectives) {
    if (objective == options.objective) continue;
    SearchOptions other = options;
    other.objective = objective;
    Answer found = alone(problem, chip, other);
    if (!found || score(found->best, chip, options.objective) >= score(answer->best, chip, options.objective)) continue;
    std::swap(answer->best, found->best);
    std::swap(answer->level_order, found->level_order);
    answer->runners_up.insert(answer->runners_up.begin(), std::move(found->best));
    if (answer->runners_up.size() + 1 > best_kept) answer->runners_up.pop_back();
  }
  const double least = score(answer->best, chip, options.objective);
  answer->bound = std::min(answer->bound, least);
  answer->gap = least > 0 ? (least - answer->bound) / least : 0;
  return answer;
}

bool has_slack(const SearchOptions& options) {
  return options.objective == Objective::latency && options.latency_slack > 0 && !options.uneven;
}

/// `least` as a bound of `reached`, and the gap between them.
std::pair<double, double> certified(double least, double reached) {
  if (least >= reached * (1 - rounding)) return {reached, 0.0};
  return {least, (reached - least) / reached};
}

/// The slowest that a mapping may be. Where the fastest time is not proven, the slack counts from its bound.
Cycles most_cycles(const SearchResult& exact, const Chip& chip, const SearchOptions& options) {
  const Cycles proven = exact.gap > 0 ? Seconds{exact.bound} * chip.clock : exact.best.cycles;
  return std::max(exact.best.cycles, (1 + options.latency_slack / 100) * proven);
}

/// The most frugal mapping within the slack of `exact`, the answer without slack. Its mappings and those of `frugal`, the answer for energy,
/// are among the candidates: slack never costs energy.
SearchResult within_slack(const Problem& problem, const Chip& chip, const MapRules& rules, const SearchOptions& options,
                          SearchResult exact, const SearchResult& frugal) {
  const Goal goal{Objective::energy, most_cycles(exact, chip, options)};
  Incumbents incumbents(best_kept);
  const auto add = [&](const Evaluation& e) {
    if (e.cycles <= goal.most_cycles) incumbents.add({e.energy.total().value, e.cycles, e.energy.total(), e.mapping});
  };
  for (const SearchResult* met : {&std::as_const(exact), &frugal}) {
    add(met->best);
    for (const Evaluation& other : met->runners_up) add(other);
  }
  Request request(problem, chip, rules, options);
  const double bound = std::max(frugal.bound, request.solve(goal, options.budget, incumbents));
  const std::vector<Found>& best = incumbents.best();
  WithinSlack slack{std::move(exact.best), 0, 0};
  std::tie(slack.energy_bound, slack.energy_gap) = certified(bound, best.front().energy.value);
  exact.slack = std::move(slack);
  exact.best = evaluate(request.model(), best.front().mapping);
  exact.runners_up.clear();
  for (std::size_t i = 1; i < best.size(); ++i) exact.runners_up.push_back(evaluate(request.model(), best[i].mapping));
  exact.evaluated += request.evaluated();
  return exact;
}

/// `solve` for the options without slack and for energy, and within the slack of what they give.
template <class Solve>
Answer solve_with_slack(const Problem& problem, const Chip& chip, const MapRules& rules, const SearchOptions& options,
                        const Solve& solve) {
  SearchOptions plain = options;
  plain.latency_slack = 0;
  Answer exact = solve(plain);
  if (!exact || !has_slack(options)) return exact;
  plain.objective = Objective::energy;
  const Answer frugal = solve(plain);
  return within_slack(problem, chip, rules, options, std::move(*exact), *frugal);
}

}  // namespace

double unproven(const SearchResult& result) {
  return std::max(result.gap, result.slack ? result.slack->energy_gap : 0.0);
}

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, const MapRules& rules,
                                                  const SearchOptions& options) {
  return solve_with_slack(problem, chip, rules, options,
                          [&](const SearchOptions& plain) { return solve_as_asked(problem, chip, rules, plain); });
}

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip,
                                                  const SearchOptions& options) {
  const auto without_slack = [&](const SearchOptions& plain) {
    return plain.other_objectives
               ? solved_once(question(problem, chip, plain), [&] { return of_all_objectives(problem, chip, plain); })
               : alone(problem, chip, plain);
  };
  const auto with_slack = [&] {
    return solve_with_slack(problem, chip, family_of(chip).rules(chip, problem), options, without_slack);
  };
  Answer answer =
      has_slack(options) ? solved_once("slack" + question(problem, chip, options), with_slack) : without_slack(options);
  if (!answer) return answer;
  answer->best.problem = problem;  // an equal problem may have had other names
  for (Evaluation& other : answer->runners_up) other.problem = problem;
  if (answer->slack) answer->slack->fastest.problem = problem;
  return answer;
}

void offer(SearchResult& result, const Problem& problem, const Chip& chip, const SearchOptions& options,
           const Mapping& mapping) {
  if (!check(problem, mapping, chip)) return;
  Evaluation offered = evaluate(problem, mapping, chip);
  const Objective objective = result.slack ? Objective::energy : options.objective;
  const auto rank = [&](const Evaluation& e) {
    return std::pair{score(e, chip, objective), score(e, chip, Objective::edp)};
  };
  const bool in_time =
      !result.slack || offered.cycles <= (1 + options.latency_slack / 100) * result.slack->fastest.cycles;
  if (!in_time || rank(offered) >= rank(result.best)) return;
  std::swap(result.best, offered);
  result.level_order.clear();  // the mapping stands on the chip as it is
  result.runners_up.insert(result.runners_up.begin(), std::move(offered));
  if (result.runners_up.size() + 1 > best_kept) result.runners_up.pop_back();
  const double reached = score(result.best, chip, objective);
  if (result.slack) {
    std::tie(result.slack->energy_bound, result.slack->energy_gap) = certified(result.slack->energy_bound, reached);
  } else {
    std::tie(result.bound, result.gap) = certified(result.bound, reached);
  }
}

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, Objective objective) {
  SearchOptions options;
  options.objective = objective;
  return find_best(problem, chip, options);
}

std::expected<std::vector<Evaluation>, Infeasible> pareto_set(const Problem& problem, const Chip& chip,
                                                              const SearchOptions& options) {
  constexpr int limits = 12;
  SearchOptions asked = options;
  asked.uneven = false;  // all points stand on the chip as it is
  asked.latency_slack = 0;
  std::vector<Evaluation> points;
  for (const Objective objective : objectives) {
    asked.objective = objective;
    Answer found = find_best(problem, chip, asked);
    if (!found) return std::unexpected(std::move(found.error()));
    points.push_back(std::move(found->best));
  }
  // Between the fastest and the most frugal mapping: the most frugal one under limits that part the ratio of their times evenly.
  const double fastest = points[0].cycles.value, ratio = points[1].cycles.value / fastest;
  Request request(problem, chip, family_of(chip).rules(chip, problem), asked);
  for (int i = 1; i < limits && ratio > 1; ++i) {
    const Goal goal{Objective::energy, Cycles{fastest * std::pow(ratio, static_cast<double>(i) / limits)}};
    Incumbents incumbents(1);
    for (const Evaluation& point : points) {
      if (point.cycles <= goal.most_cycles)
        incumbents.add({point.energy.total().value, point.cycles, point.energy.total(), point.mapping});
    }
    request.solve(goal, asked.budget / limits, incumbents);
    if (!incumbents.best().empty()) points.push_back(evaluate(request.model(), incumbents.best().front().mapping));
  }
  std::stable_sort(points.begin(), points.end(), [](const Evaluation& a, const Evaluation& b) {
    return std::pair{a.cycles, a.energy.total()} < std::pair{b.cycles, b.energy.total()};
  });
  std::vector<Evaluation> front;
  for (Evaluation& point : points) {
    if (front.empty() || point.energy.total() < front.back().energy.total()) front.push_back(std::move(point));
  }
  return front;
}

}  // namespace tilewright
