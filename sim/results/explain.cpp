#include "sim/results/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/csv.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/table.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/surrogate.hpp"
#include "sim/study/sweep.hpp"

namespace tilewright {
namespace {

const Metric& metric_of(const StudyGoal& goal) { return study_metrics()[goal.metric]; }

double figure(const StudyRows& rows, std::size_t row, const StudyGoal& goal) {
  return rows.points[row].result.figures[goal.metric];
}

std::string short_identity(const StoredPoint& point) { return point.identity.substr(0, 8); }

bool predicted(const StoredPoint& point) {
  for (std::size_t m = 0; m < study_metrics().size(); ++m) {
    if (study_metrics()[m].name == "predicted") return point.result.figures[m] == 1;
  }
  return false;
}

std::string gain(double joint, double other) {
  return other > 0 ? fmt::format("{:+.1f} %", 100 * (joint / other - 1)) : "no volume to compare";
}

std::string sides_text(const StudyRows& rows) {
  const auto sides = one_sided(rows);
  if (!sides) return "";
  std::string text = "\nHypervolume (share of the box between the best and the worst figures)\n";
  Table table({"search", "points on its front", "hypervolume", "joint gains"});
  const auto add = [&](const std::string& name, std::size_t size, double volume) {
    table.add({name, fmt::format("{}", size), fmt::format("{:.4f}", volume), gain(sides->joint_volume, volume)});
  };
  add("joint", sides->joint.size(), sides->joint_volume);
  add("best chip for the baseline's network", sides->chip_only.size(), sides->chip_volume);
  add("best network for the baseline's chip", sides->network_only.size(), sides->network_volume);
  add("both one-sided fronts together", sides->chip_only.size() + sides->network_only.size(), sides->both_volume);
  return text + table.text();
}

/// Per chip its compromise: the least sum of squares of the objectives in [0, 1].
std::string winners_text(const StudyRows& rows) {
  std::map<std::size_t, std::size_t> best;  // by chip: row
  std::vector<double> sums(rows.points.size(), 0);
  for (std::size_t i = 0; i < rows.points.size(); ++i) {
    for (const double goal : rows.goals[i]) sums[i] += goal * goal;
    const std::size_t chip = rows.points[i].position[1];
    const auto found = best.find(chip);
    if (found == best.end() || sums[i] < sums[found->second]) best[chip] = i;
  }
  if (best.size() < 2) return "";
  std::string text = "\nThe point of each chip that lies nearest to the best figures of all objectives\n";
  std::vector<std::string> header{"chip", "<point"};
  for (const StudyGoal& goal : rows.request.goals) header.emplace_back(metric_of(goal).column);
  Table table(header);
  for (const auto& [chip, row] : best) {
    std::vector<std::string> cells{rows.request.chips[chip], describe(rows.request, rows.points[row])};
    for (const StudyGoal& goal : rows.request.goals) cells.push_back(fmt::format("{:.4g}", figure(rows, row, goal)));
    table.add(cells);
  }
  return text + table.text();
}

std::string prediction_text(const StudyRows& rows) {
  if (!rows.request.accuracy) return "";
  const auto error = rows.request.accuracy->prediction_error();
  if (!error) return "";
  const auto count = std::ranges::count_if(rows.points, predicted);
  return fmt::format(
      "\n{} accuracies are predicted (marked ~). On rows left out in ten folds the predictor is off by {:.4g} (root "
      "mean square), rank "
      "correlation {:.3f}, {} rows\n",
      count, error->rmse, error->spearman, error->rows);
}

/// How well the surrogate that chose the points knows them.
std::string surrogate_text(const StudyRows& rows) {
  const StudyRequest& request = rows.request;
  if (request.proposals == 0 || request.engines.size() > 1) return "";
  std::vector<EvaluatedPoint> points;
  for (const StoredPoint& point : rows.points)
    points.push_back({on_surrogate_axes(request, point.position), score_of(request, point.result)});
  std::string text;
  const auto errors = Surrogate(surrogate_axes(request), request.goals.size()).errors(points);
  for (std::size_t g = 0; g < errors.size(); ++g) {
    if (!errors[g]) continue;
    text += fmt::format("; {} {:.2g} %, rank correlation {:.3f}, {} different ones", metric_of(request.goals[g]).name,
                        100 * std::expm1(errors[g]->rmse), errors[g]->spearman, errors[g]->rows);
  }
  if (text.empty()) return "";
  return fmt::format(
      "\nA Gaussian process chose among {} proposals a generation. Each point told by all others is off by (root mean "
      "square of the logarithm){}\n",
      request.proposals, text.substr(1));
}

}  // namespace

std::string front_text(const StudyRows& rows) {
  const std::vector<std::size_t> front = pareto_front(rows.goals);
  std::string text = fmt::format("{}: {} points of {} that meet all constraints are on the front\n", rows.request.name,
                                 front.size(), rows.points.size());
  std::vector<std::string> header{"identity"};
  for (const StudyGoal& goal : rows.request.goals) header.emplace_back(metric_of(goal).column);
  header.emplace_back("<point");
  Table table(header);
  std::vector<std::size_t> order = front;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return rows.goals[i]; });
  constexpr std::size_t most_shown = 40;
  for (std::size_t i = 0; i < std::min(order.size(), most_shown); ++i) {
    const StoredPoint& point = rows.points[order[i]];
    std::vector<std::string> cells{short_identity(point) + (predicted(point) ? " ~" : "")};
    for (const StudyGoal& goal : rows.request.goals)
      cells.push_back(fmt::format("{:.5g}", figure(rows, order[i], goal)));
    cells.push_back(describe(rows.request, point));
    table.add(cells);
  }
  text += table.text();
  if (order.size() > most_shown)
    text += fmt::format("... and {} more (--format csv has all)\n", order.size() - most_shown);
  return text + winners_text(rows) + prediction_text(rows) + surrogate_text(rows) + sides_text(rows);
}

std::string front_csv(const StudyRows& rows) {
  std::string text = "identity,point";
  for (const StudyGoal& goal : rows.request.goals) text += fmt::format(",{}", metric_of(goal).column);
  text += "\n";
  for (const std::size_t row : pareto_front(rows.goals)) {
    text += rows.points[row].identity + "," + csv_cell(describe(rows.request, rows.points[row]));
    for (const StudyGoal& goal : rows.request.goals) text += fmt::format(",{}", figure(rows, row, goal));
    text += "\n";
  }
  return text;
}

std::string explain_text(const StudyRows& rows, const std::string& identity) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < rows.points.size(); ++i) {
    if (rows.points[i].identity.starts_with(identity)) found.push_back(i);
  }
  if (identity.empty() || found.size() != 1)
    throw InputError(
        {"explain", 0, 0, "identity"},
        fmt::format("{} points that meet all constraints begin with '{}'; `tilewright front` lists the front",
                    found.size(), shown(identity)));
  const std::size_t row = found.front();
  const StoredPoint& point = rows.points[row];
  const std::vector<std::size_t> front = pareto_front(rows.goals);
  const bool on_front = std::ranges::binary_search(front, row);
  std::string text = fmt::format("{} {}\n", short_identity(point), describe(rows.request, point));
  for (const StudyGoal& goal : rows.request.goals) {
    const auto better =
        std::ranges::count_if(rows.goals, [&, g = &goal - rows.request.goals.data()](const auto& other) {
          return other[static_cast<std::size_t>(g)] < rows.goals[row][static_cast<std::size_t>(g)];
        });
    text += fmt::format("  {} {:.5g}: {} of {} points are better\n", metric_of(goal).column, figure(rows, row, goal),
                        better, rows.points.size());
  }
  if (!on_front) {
    text += "Not on the front. These points are as good in all objectives and better in one:\n";
    for (const std::size_t f : front) {
      bool worse = false;
      for (std::size_t g = 0; g < rows.goals[f].size(); ++g) worse |= rows.goals[f][g] > rows.goals[row][g];
      if (worse) continue;
      text += fmt::format("  {} {}", short_identity(rows.points[f]), describe(rows.request, rows.points[f]));
      for (const StudyGoal& goal : rows.request.goals)
        text += fmt::format("; {} {:.5g}", metric_of(goal).column, figure(rows, f, goal));
      text += "\n";
    }
  } else {
    text +=
        "On the front: no point is as good in all objectives and better in one. A better figure of one objective costs "
        "at least:\n";
    for (std::size_t g = 0; g < rows.request.goals.size(); ++g) {
      const StudyGoal& goal = rows.request.goals[g];
      std::optional<std::size_t> next;  // the nearest better one on the front
      for (const std::size_t f : front) {
        if (rows.goals[f][g] < rows.goals[row][g] && (!next || rows.goals[f][g] > rows.goals[*next][g])) next = f;
      }
      if (!next) {
        text += fmt::format("  {}: none of the study is better\n", metric_of(goal).column);
        continue;
      }
      text += fmt::format("  {} {:.5g} instead of {:.5g}:", metric_of(goal).column, figure(rows, *next, goal),
                          figure(rows, row, goal));
      for (const StudyGoal& other : rows.request.goals) {
        if (other.metric != goal.metric)
          text += fmt::format(" {} {:+.3g} %", metric_of(other).column,
                              100 * (figure(rows, *next, other) / figure(rows, row, other) - 1));
      }
      text += fmt::format(" ({} {})\n", short_identity(rows.points[*next]), describe(rows.request, rows.points[*next]));
    }
    std::vector<std::size_t> others;
    for (const std::size_t f : front) {
      if (f != row) others.push_back(f);
    }
    const double all = hypervolume(rows.goals, front), without = hypervolume(rows.goals, others);
    text += fmt::format("Without it the front would lose {:.2f} % of its hypervolume.\n",
                        all > 0 ? 100 * (1 - without / all) : 0);
  }
  for (const StudyConstraint& constraint : rows.request.constraints) {
    const double at = point.result.figures[constraint.metric];
    const double used = constraint.comparison == Comparison::at_most ? at / constraint.limit : constraint.limit / at;
    text += fmt::format("Constraint {}: {:.5g}, {:.1f} % of the limit{}\n", constraint.text, at, 100 * used,
                        used > 0.95 ? ": it binds" : "");
  }
  PointEvaluator evaluator(rows.request);
  const NetworkEvaluation network =
      evaluator.network_of(point_at(rows.request, point.position), rows.request.engines.at(point.stage));
  text += "Its time is bound by";
  std::string_view separator = " ";
  for (const auto& [bound, share] : time_by_bound(network)) {
    if (share < 0.005) continue;
    text += fmt::format("{}{} {:.0f} %", separator, bound, 100 * share);
    separator = ", ";
  }
  const EnergyBy& energy = network.energy;
  const double total = energy.total().value;
  text +=
      fmt::format("; its energy goes to arithmetic {:.0f} %, memory {:.0f} %, links {:.0f} %, static power {:.0f} %.\n",
                  100 * energy.compute.value / total, 100 * energy.memory.value / total,
                  100 * energy.link.value / total, 100 * energy.static_.value / total);
  return text;
}

}  // namespace tilewright
