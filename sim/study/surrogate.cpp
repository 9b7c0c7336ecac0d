#include "sim/study/surrogate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <queue>
#include <set>
#include <utility>

#include "sim/study/improvement.hpp"

namespace tilewright {
namespace {

/// Those that no other dominates.
std::vector<std::vector<double>> front_of(std::vector<std::vector<double>> goals) {
  std::sort(goals.begin(), goals.end());
  std::vector<std::vector<double>> front;
  for (std::vector<double>& point : goals) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const std::vector<double>& other) {
      return std::equal(other.begin(), other.end(), point.begin(), std::less_equal<>{});
    });
    if (!beaten) front.push_back(std::move(point));
  }
  return front;
}

double normal_below(double t, double mean, double deviation) {
  if (deviation == 0) return mean <= t ? 1 : 0;
  return 0.5 * std::erfc((mean - t) / deviation / std::numbers::sqrt2);
}

/// The beliefs about all proposals, goal by goal.
struct Beliefs {
  std::vector<Belief> goals;
  std::vector<std::vector<std::size_t>> places;  // per goal and proposal: its point in the belief
  std::vector<double> allowed;                   // probability that all limits are met
};

}  // namespace

PointCode Surrogate::code_for(const Position& position, std::size_t goal) const {
  const PointCode all = options_.code(position);
  if (goal >= options_.reads.size()) return all;
  PointCode read;
  for (const std::size_t axis : options_.reads[goal]) read.push_back(all[axis]);
  return read;
}

std::optional<GaussianProcess> Surrogate::fitted(const std::vector<EvaluatedPoint>& points, std::size_t goal) {
  const bool limits = goal == options_.reads.size();
  std::vector<PointCode> rows;
  std::vector<double> values;
  std::set<PointCode> seen;
  for (const EvaluatedPoint& point : points) {
    if (!limits && point.score.violation > 0) continue;
    PointCode code = code_for(point.position, goal);
    if (!seen.insert(code).second) continue;
    rows.push_back(std::move(code));
    values.push_back(limits ? (point.score.violation > 0 ? 1.0 : 0.0) : point.score.goals[goal]);
  }
  if (rows.size() < 2) return std::nullopt;
  std::vector<double> spans = options_.spans;
  if (!limits) {
    spans.clear();
    for (const std::size_t axis : options_.reads[goal]) spans.push_back(options_.spans[axis]);
  }
  GaussianProcess process(std::move(spans), std::move(rows), values, starts_[goal]);
  starts_[goal] = process.parameters();
  return process;
}

std::vector<Position> Surrogate::chosen(const std::vector<EvaluatedPoint>& points,
                                        const std::vector<Position>& proposals, std::size_t count) {
  const std::size_t goals = options_.reads.size();
  std::vector<std::vector<double>> met;
  for (const EvaluatedPoint& point : points) {
    if (point.score.violation <= 0) met.push_back(point.score.goals);
  }
  std::vector<GaussianProcess> processes;
  for (std::size_t g = 0; g < goals; ++g) {
    if (auto process = fitted(points, g)) processes.push_back(std::move(*process));
  }
  Beliefs beliefs;
  const auto places_of = [&](std::size_t goal, std::vector<PointCode>& distinct) {
    std::map<PointCode, std::size_t> place;
    std::vector<std::size_t> places;
    for (const Position& proposal : proposals) {
      PointCode code = code_for(proposal, goal);
      const auto [found, fresh] = place.try_emplace(code, distinct.size());
      if (fresh) distinct.push_back(std::move(code));
      places.push_back(found->second);
    }
    return places;
  };
  const bool known = processes.size() == goals;  // else nothing meets the limits yet, or all is alike
  for (std::size_t g = 0; known && g < goals; ++g) {
    std::vector<PointCode> distinct;
    beliefs.places.push_back(places_of(g, distinct));
    beliefs.goals.emplace_back(processes[g], std::move(distinct));
  }
  beliefs.allowed.assign(proposals.size(), 1);
  if (met.size() < points.size()) {
    if (const auto process = fitted(points, goals)) {
      std::vector<PointCode> distinct;
      const std::vector<std::size_t> places = places_of(goals, distinct);
      const Belief belief(*process, std::move(distinct));
      for (std::size_t p = 0; p < proposals.size(); ++p)
        beliefs.allowed[p] = normal_below(0.5, belief.mean(places[p]), belief.deviation(places[p]));
    }
  }

  std::vector<double> worst(goals, -INFINITY);
  for (const std::vector<double>& point : met) {
    for (std::size_t g = 0; g < goals; ++g) worst[g] = std::max(worst[g], point[g]);
  }
  std::vector<std::vector<double>> front = front_of(std::move(met));
  std::optional<UndominatedRegion> region;
  if (known) region.emplace(front, worst);
  const auto mean_of = [&](std::size_t proposal) {
    std::vector<double> mean;
    for (std::size_t g = 0; g < goals; ++g) mean.push_back(beliefs.goals[g].mean(beliefs.places[g][proposal]));
    return mean;
  };
  const auto worth = [&](std::size_t proposal, bool hopeful) {
    if (!known) return beliefs.allowed[proposal];
    std::vector<double> mean = mean_of(proposal), deviation;
    for (std::size_t g = 0; g < goals; ++g)
      deviation.push_back(beliefs.goals[g].deviation(beliefs.places[g][proposal]));
    if (hopeful) {
      for (std::size_t g = 0; g < goals; ++g) mean[g] -= std::exchange(deviation[g], 0);
    }
    return beliefs.allowed[proposal] * region->expected_improvement(mean, deviation);
  };

  // What is chosen makes every other proposal worth less, never more: only the one on top has to be weighed again (Minoux, 1978).
  struct Weighed {
    double worth = 0;
    std::size_t proposal = 0, chosen_before = 0;
    bool operator<(const Weighed& other) const {
      return worth < other.worth || (worth == other.worth && proposal > other.proposal);
    }
  };
  std::array<std::priority_queue<Weighed>, 2> queues;
  for (const bool hopeful : {false, true}) {
    for (std::size_t p = 0; p < proposals.size(); ++p) queues[hopeful ? 1 : 0].push({worth(p, hopeful), p, 0});
  }
  std::vector<bool> taken(proposals.size(), false);
  std::vector<Position> result;
  while (result.size() < count) {
    const bool hopeful = result.size() % 2 == 1;
    std::priority_queue<Weighed>& queue = queues[hopeful ? 1 : 0];
    while (!queue.empty() && taken[queue.top().proposal]) queue.pop();
    if (queue.empty()) break;
    const Weighed top = queue.top();
    queue.pop();
    if (known && top.chosen_before < result.size()) {
      queue.push({worth(top.proposal, hopeful), top.proposal, result.size()});
      continue;
    }
    taken[top.proposal] = true;
    result.push_back(proposals[top.proposal]);
    if (!known) continue;
    front.push_back(mean_of(top.proposal));
    front = front_of(std::move(front));
    region.emplace(front, worst);
    for (std::size_t g = 0; g < goals; ++g) beliefs.goals[g].believe(beliefs.places[g][top.proposal]);
  }
  return result;
}

std::vector<std::optional<PredictionError>> Surrogate::errors(const std::vector<EvaluatedPoint>& points) {
  std::vector<std::optional<PredictionError>> all;
  for (std::size_t g = 0; g < options_.reads.size(); ++g) {
    const auto process = fitted(points, g);
    all.push_back(process ? std::optional(process->leave_one_out()) : std::nullopt);
  }
  return all;
}

}  // namespace tilewright
