// Nodes that stand for other nodes: local functions and branches.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "workloads/onnx/model.hpp"

namespace tilewright::importer {

/// The model's own functions by (domain, name).
using Functions = std::map<std::pair<std::string, std::string>, Subgraph>;

/// The nodes of `body` in the place of `call`: its operands and results take the call's names, all other names are put
/// behind the name of the call's first result and its type (layers: behind the call's own name), and attributes that refer to the call's
/// are filled in. Names that the body does not make are those of the graph around it. Initialisers become Constant nodes.
std::vector<NodeRecord> instantiate(const Subgraph& body, const NodeRecord& call);

/// Every call of a function replaced by the function's nodes, also inside branches. InputError when a function calls itself,
/// or when the nodes become more than 100,000 or their names more than 64 MiB.
std::vector<NodeRecord> inline_functions(const std::string& file, std::vector<NodeRecord> nodes,
                                         const Functions& functions);

/// Calls visit(name) for each name that the node's branches and bodies read and do not make themselves.
void for_each_capture(const NodeRecord& node, const std::function<void(const std::string&)>& visit);

}  // namespace tilewright::importer
