#include "gui/viewmodels/graph_layout.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace tilewright::gui {
namespace {

/// layers [first, first + period x repeat): the same `period` kinds again and again.
struct Repetition {
  std::size_t first = 0, period = 0, repeat = 1;
  std::size_t saved() const { return period * (repeat - 1); }
};

/// The repetition within [begin, end) that saves most; of equals the shortest period, then the first.
Repetition best_repetition(const std::vector<std::size_t>& kinds, std::size_t begin, std::size_t end) {
  Repetition best;
  for (std::size_t period = 1; begin + 2 * period <= end; ++period) {
    std::size_t run = 0;
    for (std::size_t i = begin; i + period < end; ++i) {
      run = kinds[i] == kinds[i + period] ? run + 1 : 0;
      const std::size_t repeat = run / period + 1;
      const Repetition found{i + 1 - (repeat - 1) * period, period, repeat};
      if (repeat > 1 && found.saved() > best.saved()) best = found;
    }
  }
  return best;
}

void find_repetitions(const std::vector<std::size_t>& kinds, std::size_t begin, std::size_t end,
                      std::vector<Repetition>& found) {
  constexpr std::size_t least_saved = 2;  // a block that saves one node is harder to read than the node
  const Repetition best = best_repetition(kinds, begin, end);
  if (best.saved() < least_saved) return;
  find_repetitions(kinds, begin, best.first, found);
  found.push_back(best);
  find_repetitions(kinds, best.first + best.period * best.repeat, end, found);
}

void collapse_into(GraphDrawing& drawing, const std::vector<std::size_t>& kinds, bool collapse) {
  std::vector<Repetition> repetitions;
  if (collapse) find_repetitions(kinds, 0, kinds.size(), repetitions);
  drawing.node_of.resize(kinds.size());
  auto next = repetitions.begin();
  for (std::size_t layer = 0; layer < kinds.size();) {
    if (next == repetitions.end() || layer < next->first) {
      drawing.node_of[layer] = drawing.nodes.size();
      drawing.nodes.push_back({layer, 1, 0, 0});
      ++layer;
      continue;
    }
    const std::size_t first = drawing.nodes.size();
    for (std::size_t i = 0; i < next->period; ++i) drawing.nodes.push_back({layer + i, next->repeat, 0, 0});
    for (std::size_t i = 0; i < next->period * next->repeat; ++i) drawing.node_of[layer + i] = first + i % next->period;
    drawing.blocks.push_back({first, drawing.nodes.size(), next->repeat});
    layer += next->period * next->repeat;
    ++next;
  }
}

using Neighbours = std::vector<std::vector<std::size_t>>;

/// Rows of a rank, sorted by the mean position of each node's neighbours; those without keep their place.
void order_by_neighbours(std::vector<std::size_t>& row, const Neighbours& neighbours, std::vector<double>& position) {
  std::vector<std::pair<double, std::size_t>> keys;
  for (const std::size_t node : row) {
    double mean = position[node];
    if (!neighbours[node].empty()) {
      mean = 0;
      for (const std::size_t other : neighbours[node]) mean += position[other];
      mean /= static_cast<double>(neighbours[node].size());
    }
    keys.emplace_back(mean, node);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const double middle = static_cast<double>(row.size() - 1) / 2;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    row[i] = keys[i].second;
    position[row[i]] = static_cast<double>(i) - middle;
  }
}

}  // namespace

GraphDrawing draw_graph(const std::vector<std::size_t>& kinds, const std::vector<std::pair<int, int>>& edges,
                        bool collapse) {
  GraphDrawing drawing;
  collapse_into(drawing, kinds, collapse);
  const std::size_t nodes = drawing.nodes.size();
  std::set<std::pair<std::size_t, std::size_t>> distinct;
  for (const auto& [from, to] : edges) {
    const std::size_t a = drawing.node_of[static_cast<std::size_t>(from)],
                      b = drawing.node_of[static_cast<std::size_t>(to)];
    if (a < b) distinct.emplace(a, b);
  }
  drawing.edges.assign(distinct.begin(), distinct.end());
  Neighbours above(nodes), below(nodes);
  int ranks = 0;
  for (const auto& [from, to] :
       drawing.edges) {  // by `from`, and from < to: a node's rank is final when it is met as `from`
    drawing.nodes[to].rank = std::max(drawing.nodes[to].rank, drawing.nodes[from].rank + 1);
    below[from].push_back(to);
    above[to].push_back(from);
  }
  for (const GraphNode& node : drawing.nodes) ranks = std::max(ranks, node.rank + 1);
  std::vector<std::vector<std::size_t>> rows(static_cast<std::size_t>(ranks));
  for (std::size_t node = 0; node < nodes; ++node)
    rows[static_cast<std::size_t>(drawing.nodes[node].rank)].push_back(node);
  std::vector<double> position(nodes, 0);
  for (const std::vector<std::size_t>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      position[row[i]] = static_cast<double>(i) - static_cast<double>(row.size() - 1) / 2;
  }
  constexpr int sweeps = 4;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::vector<std::size_t>& row : rows) order_by_neighbours(row, above, position);
    for (std::size_t r = rows.size(); r-- > 0;) order_by_neighbours(rows[r], below, position);
  }
  for (std::size_t node = 0; node < nodes; ++node) drawing.nodes[node].x = position[node];
  return drawing;
}

}  // namespace tilewright::gui
