// A network as a drawing: repeated blocks drawn once, nodes in layers from top to bottom.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tilewright::gui {

/// A run of nodes that follows itself `repeat` times and is drawn once: [first, last) of the drawing's nodes.
struct GraphBlock {
  std::size_t first = 0, last = 0, repeat = 1;
};

struct GraphNode {
  std::size_t layer = 0;  // of the network: the first that the node stands for
  std::size_t stands_for = 1;
  int rank = 0;  // layer of the drawing, from the top
  double x = 0;  // centre, in widths of a node
};

struct GraphDrawing {
  std::vector<GraphNode> nodes;                            // in the order of execution
  std::vector<std::pair<std::size_t, std::size_t>> edges;  // of nodes, downwards
  std::vector<GraphBlock> blocks;                          // apart, in order
  std::vector<std::size_t> node_of;                        // per layer of the network
};

/// `kinds`: equal numbers for equal layers, in the order of execution; `edges`: pairs of layers, each from earlier to later. Blocks are the
/// repetitions, one behind the other, that save most nodes; edges that lead from one copy into the next are left out. Ranks are longest paths from
/// the sources; within a rank nodes stand in the order of their neighbours' means (Sugiyama, Tagawa and Toda, 1981). n layers and m
/// edges: time n^2 + m log n.
GraphDrawing draw_graph(const std::vector<std::size_t>& kinds, const std::vector<std::pair<int, int>>& edges,
                        bool collapse);

}  // namespace tilewright::gui
