#include "gui/viewmodels/study_results.hpp"

#include <algorithm>
#include <set>

#include "sim/study/metrics.hpp"
#include "sim/study/store.hpp"
#include "sim/study/sweep.hpp"

namespace tilewright::gui {
namespace {

/// Axes of more than one word, the metrics behind them.
std::vector<StudyColumn> columns_of(const StudyRequest& request, std::vector<std::size_t>& axes) {
  std::vector<std::vector<std::string>> words{request.workloads, request.chips};
  std::vector<std::string> names{"workload", "chip"};
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) {
      names.push_back(axis.key);
      words.push_back(axis.values);
    }
  }
  std::vector<StudyColumn> columns;
  for (std::size_t a = 0; a < names.size(); ++a) {
    if (words[a].size() < 2) continue;
    axes.push_back(a);
    columns.push_back({names[a], words[a], false});
  }
  for (const Metric& metric : study_metrics()) columns.push_back({std::string(metric.column), {}, false});
  return columns;
}

/// The words of a point in the order of `columns_of`, before those of one word are left out.
std::vector<std::string> words_of(const StudyPoint& point) {
  std::vector<std::string> words{point.workload, point.chip};
  words.insert(words.end(), point.values.begin(), point.values.end());
  return words;
}

}  // namespace

std::shared_ptr<const StudyResults> study_results(const std::string& store_file) {
  const StudyStore store = StudyStore::read(store_file);
  StudyRequest request = store.request();
  auto results = std::make_shared<StudyResults>();
  std::vector<std::size_t> axes;
  results->columns = columns_of(request, axes);
  results->values.resize(results->columns.size());
  for (const StudyGoal& goal : request.goals) {
    results->goals.push_back(axes.size() + goal.metric);
    results->columns[results->goals.back()].goal = true;
  }
  const std::size_t last = request.engines.size() - 1;
  request.keep = 1e-12;  // one point is enough: the first front alone
  const std::vector<Position> best = survivors(request, store, last);
  const std::set<Position> front(best.begin(), best.end());
  store.for_each([&](const StoredPoint& stored) {
    if (stored.stage != last) return;
    const std::vector<std::string> words = words_of(point_at(request, stored.position));
    for (std::size_t c = 0; c < results->columns.size(); ++c) {
      const std::vector<std::string>& known = results->columns[c].words;
      double value = no_figure;
      if (c < axes.size()) {
        value = static_cast<double>(std::find(known.begin(), known.end(), words[axes[c]]) - known.begin());
      } else if (!stored.result.figures.empty()) {
        value = stored.result.figures[c - axes.size()];
      }
      results->values[c].push_back(value);
    }
    results->front.push_back(front.contains(stored.position) ? 1 : 0);
  });
  return results;
}

}  // namespace tilewright::gui
