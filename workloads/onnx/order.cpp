#include "workloads/onnx/order.hpp"

#include <fmt/format.h>

#include <functional>
#include <queue>
#include <string_view>

#include "core/diagnostics.hpp"
#include "workloads/onnx/subgraph.hpp"

namespace tilewright::importer {
namespace {

constexpr int outside = -1;  // graph input or initialiser

[[noreturn]] void fail(const Model& model, const NodeRecord& node, std::string_view message) {
  throw InputError(Place{model.file, 0, 0, fmt::format("node '{}' ({})", shown(node.name), shown(node.type))}, message);
}

std::unordered_map<std::string_view, int> producers(const Model& model) {
  std::unordered_map<std::string_view, int> result;
  for (const Declared& input : model.inputs) result.emplace(input.name, outside);
  for (const auto& [name, value] : model.initialisers) result.emplace(name, outside);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string& name : model.nodes[i].outputs) {
      if (!name.empty() && !result.emplace(name, static_cast<int>(i)).second) {
        fail(model, model.nodes[i], fmt::format("writes tensor '{}', which already has a value", shown(name)));
      }
    }
  }
  return result;
}

std::string some_names(const Model& model, const std::vector<int>& waiting) {
  std::string names;
  int listed = 0;
  for (std::size_t i = 0; i < waiting.size() && listed < 8; ++i) {
    if (waiting[i] == 0) continue;
    names += fmt::format("{}'{}'", listed++ == 0 ? "" : ", ", shown(model.nodes[i].name));
  }
  return names;
}

}  // namespace

std::vector<int> execution_order(const Model& model) {
  const auto made_by = producers(model);
  std::vector<int> waiting(model.nodes.size(), 0);
  std::vector<std::vector<int>> consumers(model.nodes.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto wait_for = [&](int producer) {
      if (producer == outside) return;
      consumers[static_cast<std::size_t>(producer)].push_back(static_cast<int>(i));
      ++waiting[i];
    };
    for (const std::string& name : model.nodes[i].inputs) {
      if (name.empty()) continue;
      const auto producer = made_by.find(name);
      if (producer == made_by.end()) {
        fail(model, model.nodes[i], fmt::format("reads tensor '{}', which nothing produces", shown(name)));
      }
      wait_for(producer->second);
    }
    for_each_capture(model.nodes[i], [&](const std::string& name) {
      if (const auto producer = made_by.find(name); producer != made_by.end()) wait_for(producer->second);
    });
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const int consumer : consumers[static_cast<std::size_t>(order.back())]) {
      if (--waiting[static_cast<std::size_t>(consumer)] == 0) ready.push(consumer);
    }
  }
  if (order.size() != model.nodes.size()) {
    throw InputError(
        Place{model.file, 0, 0, ""},
        fmt::format("the graph is cyclic: these nodes wait for each other: {}", some_names(model, waiting)));
  }
  return order;
}

}  // namespace tilewright::importer
