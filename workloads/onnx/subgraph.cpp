#include "workloads/onnx/subgraph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/diagnostics.hpp"

namespace tilewright::importer {
namespace {

using Names = std::unordered_map<std::string, std::string>;
using Body = std::shared_ptr<const Subgraph>;

constexpr std::size_t most_inlined_nodes = 100'000;
constexpr std::size_t most_inlined_text = std::size_t{64} << 20;

void rename(std::vector<std::string>& list, const Names& names) {
  for (std::string& name : list) {
    if (const auto found = names.find(name); found != names.end()) name = found->second;
  }
}

NodeRecord filled_in(NodeRecord node, const Names& names, const NodeRecord& call);

/// A body inside a body. Names must not be hidden by others in ONNX, so each name means the same everywhere in it.
Body filled_in(const Body& body, const Names& names, const NodeRecord& call) {
  Subgraph result = *body;
  rename(result.inputs, names);
  rename(result.outputs, names);
  for (auto& [name, value] : result.initialisers) {
    if (const auto found = names.find(name); found != names.end()) name = found->second;
  }
  for (NodeRecord& node : result.nodes) node = filled_in(std::move(node), names, call);
  return std::make_shared<const Subgraph>(std::move(result));
}

NodeRecord filled_in(NodeRecord node, const Names& names, const NodeRecord& call) {
  rename(node.inputs, names);
  rename(node.outputs, names);
  for (auto entry = node.attributes.begin(); entry != node.attributes.end();) {
    if (const auto* body = std::get_if<Body>(&entry->second)) entry->second = filled_in(*body, names, call);
    if (const auto* reference = std::get_if<Reference>(&entry->second)) {
      const auto given = call.attributes.find(reference->name);
      if (given == call.attributes.end()) {  // the operator's own default holds
        entry = node.attributes.erase(entry);
        continue;
      }
      entry->second = Attribute(given->second);
    }
    ++entry;
  }
  return node;
}

/// Names that the nodes and initialisers of a body make.
std::unordered_set<std::string> made_in(const Subgraph& body) {
  std::unordered_set<std::string> made;
  for (const auto& [name, value] : body.initialisers) made.insert(name);
  for (const NodeRecord& node : body.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  made.erase("");
  return made;
}

class Inliner {
 public:
  Inliner(const std::string& file, const Functions& functions) : file_(file), functions_(functions) {}

  void inline_nodes(std::vector<NodeRecord> nodes, std::vector<NodeRecord>& result) {
    for (NodeRecord& node : nodes) {
      for (auto& [name, attribute] : node.attributes) {
        if (const auto* body = std::get_if<Body>(&attribute)) attribute = inlined(**body);
      }
      const auto function = functions_.find(std::pair(node.domain, node.type));
      if (function == functions_.end() || !answers(function->second, node)) {
        result.push_back(std::move(node));
        continue;
      }
      if (std::find(calls_.begin(), calls_.end(), &function->second) != calls_.end()) {
        fail(node, "is a function that calls itself");
      }
      calls_.push_back(&function->second);
      std::vector<NodeRecord> body = instantiate(function->second, node);
      nodes_ += body.size();
      for (const NodeRecord& inner : body) {
        text_ += inner.name.size();
        for (const auto* list : {&inner.inputs, &inner.outputs}) {
          for (const std::string& name : *list) text_ += name.size();
        }
      }
      if (nodes_ > most_inlined_nodes || text_ > most_inlined_text) {
        fail(node, fmt::format("its functions unfold to more than {} nodes or {} MiB of names", most_inlined_nodes,
                               most_inlined_text >> 20));
      }
      inline_nodes(std::move(body), result);
      calls_.pop_back();
    }
  }

 private:
  /// A call with an operand or result that the function lacks (a cache in fused attention) means something else.
  static bool answers(const Subgraph& function, const NodeRecord& call) {
    const auto fits = [](const std::vector<std::string>& given, const std::vector<std::string>& known) {
      return given.size() <= known.size() ||
             std::all_of(given.begin() + static_cast<std::ptrdiff_t>(known.size()), given.end(),
                         [](const std::string& name) { return name.empty(); });
    };
    return fits(call.inputs, function.inputs) && fits(call.outputs, function.outputs);
  }

  Body inlined(const Subgraph& body) {
    Subgraph result{body.inputs, body.outputs, body.initialisers, {}};
    inline_nodes(body.nodes, result.nodes);
    return std::make_shared<const Subgraph>(std::move(result));
  }

  [[noreturn]] void fail(const NodeRecord& node, std::string_view message) const {
    throw InputError(Place{file_, 0, 0, fmt::format("node '{}' ({})", shown(node.name), shown(node.type))}, message);
  }

  const std::string& file_;
  const Functions& functions_;
  std::vector<const Subgraph*> calls_;  // the functions around the present node
  std::size_t nodes_ = 0, text_ = 0;
};

}  // namespace

std::vector<NodeRecord> instantiate(const Subgraph& body, const NodeRecord& call) {
  const auto named = std::find_if(call.outputs.begin(), call.outputs.end(), [](const auto& o) { return !o.empty(); });
  // A body's result takes the call's name, so that a call inside it may have the same; its type then differs.
  const std::string scope = fmt::format("{}/{}/", named != call.outputs.end() ? *named : call.name, call.type);
  Names names;
  for (std::size_t i = 0; i < body.inputs.size(); ++i) {
    names[body.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
  }
  const std::unordered_set<std::string> made = made_in(body);
  for (const std::string& name : made) names[name] = scope + name;
  std::vector<std::size_t> copied;  // results that are operands, or are given twice
  for (std::size_t i = 0; i < std::min(body.outputs.size(), call.outputs.size()); ++i) {
    if (call.outputs[i].empty()) continue;
    const bool first = std::find(body.outputs.begin(), body.outputs.begin() + static_cast<std::ptrdiff_t>(i),
                                 body.outputs[i]) == body.outputs.begin() + static_cast<std::ptrdiff_t>(i);
    if (first && made.contains(body.outputs[i]))
      names[body.outputs[i]] = call.outputs[i];
    else
      copied.push_back(i);
  }
  std::vector<NodeRecord> result;
  for (const auto& [name, value] : body.initialisers) {
    result.push_back({call.name + "/" + name, "Constant", "", {}, {names[name]}, {{"value", value}}});
  }
  for (NodeRecord node : body.nodes) {
    node.name = call.name + "/" + node.name;
    result.push_back(filled_in(std::move(node), names, call));
  }
  for (const std::size_t i : copied) {
    std::vector<std::string> source{body.outputs[i]};
    rename(source, names);
    result.push_back({call.name + "/result_" + std::to_string(i), "Identity", "", source, {call.outputs[i]}, {}});
  }
  return result;
}

std::vector<NodeRecord> inline_functions(const std::string& file, std::vector<NodeRecord> nodes,
                                         const Functions& functions) {
  std::vector<NodeRecord> result;
  Inliner(file, functions).inline_nodes(std::move(nodes), result);
  return result;
}

void for_each_capture(const NodeRecord& node, const std::function<void(const std::string&)>& visit) {
  for (const auto& [name, attribute] : node.attributes) {
    const auto* body = std::get_if<Body>(&attribute);
    if (body == nullptr) continue;
    std::unordered_set<std::string> own = made_in(**body);
    own.insert((*body)->inputs.begin(), (*body)->inputs.end());
    const std::function<void(const std::string&)> outer = [&](const std::string& read) {
      if (!read.empty() && !own.contains(read)) visit(read);
    };
    for (const NodeRecord& inner : (*body)->nodes) {
      std::for_each(inner.inputs.begin(), inner.inputs.end(), outer);
      for_each_capture(inner, outer);
    }
    std::for_each((*body)->outputs.begin(), (*body)->outputs.end(), outer);
  }
}

}  // namespace tilewright::importer
