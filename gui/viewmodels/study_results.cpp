#include "gui/viewmodels/study_results.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "sim/results/front.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/store.hpp"

namespace tilewright::gui {
namespace {

/// A coordinate of the points and the words that it takes.
struct Coordinate {
  std::string name;
  std::vector<std::string> words;
  std::unordered_map<std::string, double> position;  // by word
};

std::vector<Coordinate> coordinates_in(const StudyRequest& request) {
  std::vector<Coordinate> coordinates{{"workload", request.workloads, {}}, {"chip", request.chips, {}}};
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) coordinates.push_back({axis.key, axis.values, {}});
  }
  for (Coordinate& each : coordinates) {
    for (std::size_t i = 0; i < each.words.size(); ++i) each.position.emplace(each.words[i], static_cast<double>(i));
  }
  return coordinates;
}

/// The words of a point in the order of `coordinates_in`.
std::vector<std::string> words_of(const StudyPoint& point) {
  std::vector<std::string> words{point.workload, point.chip};
  words.insert(words.end(), point.values.begin(), point.values.end());
  return words;
}

/// Metrics that are goals in the order of the study, then the others.
std::vector<std::size_t> metrics_in_order(const StudyRequest& request) {
  std::vector<std::size_t> order;
  const auto add = [&](std::size_t metric) {
    if (std::find(order.begin(), order.end(), metric) == order.end()) order.push_back(metric);
  };
  for (const StudyGoal& goal : request.goals) add(goal.metric);
  for (std::size_t m = 0; m < study_metrics().size(); ++m) add(m);
  return order;
}

}  // namespace

std::shared_ptr<const StudyResults> study_results(const std::string& store_file) {
  const StudyStore store = StudyStore::read(store_file);
  auto results = std::make_shared<StudyResults>();
  results->request = std::make_shared<const StudyRequest>(store.request());
  const StudyRequest& request = *results->request;
  const StudyRows rows = read_rows(store);
  const std::vector<std::size_t> sizes = axis_sizes(request);
  std::unordered_set<std::string> front;  // keys of positions
  for (const std::size_t row : pareto_front(rows.goals)) front.insert(key_of(rows.points[row].position, sizes));

  std::vector<std::vector<std::string>> words;  // [point][coordinate]
  std::vector<std::vector<double>> figures;     // [point][metric]; empty: none
  store.for_each([&](const StoredPoint& stored) {
    if (stored.stage + 1 != request.engines.size()) return;
    words.push_back(words_of(point_at(request, stored.position)));
    figures.push_back(stored.result.figures);
    results->positions.push_back(stored.position);
    results->front.push_back(front.contains(key_of(stored.position, sizes)) ? 1 : 0);
  });

  const std::vector<Coordinate> coordinates = coordinates_in(request);
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    if (coordinates[c].words.size() < 2) continue;
    results->columns.push_back({coordinates[c].name, coordinates[c].words, false});
    std::vector<double>& column = results->values.emplace_back();
    for (const std::vector<std::string>& point : words) column.push_back(coordinates[c].position.at(point[c]));
  }
  for (const std::size_t metric : metrics_in_order(request)) {
    const bool goal = std::ranges::find(request.goals, metric, &StudyGoal::metric) != request.goals.end();
    std::vector<double> column;
    for (const std::vector<double>& point : figures) column.push_back(point.empty() ? no_figure : point[metric]);
    if (!goal && std::ranges::all_of(column, [](double figure) { return std::isnan(figure); })) continue;
    if (goal) results->goals.push_back(results->columns.size());
    results->columns.push_back({std::string(study_metrics()[metric].column), {}, goal});
    results->values.push_back(std::move(column));
  }
  return results;
}

}  // namespace tilewright::gui
