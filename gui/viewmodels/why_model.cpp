#include "gui/viewmodels/why_model.hpp"

#include <utility>

namespace tilewright::gui {

std::unique_ptr<WhyModel::Node> WhyModel::node_of(const Explanation& explanation, Node* parent, int row) {
  auto node = std::make_unique<Node>(Node{&explanation, parent, row, {}});
  for (std::size_t i = 0; i < explanation.operands.size(); ++i)
    node->operands.push_back(node_of(explanation.operands[i], node.get(), static_cast<int>(i)));
  return node;
}

void WhyModel::show(std::vector<Explanation> explanations) {
  beginResetModel();
  roots_.clear();
  explanations_ = std::move(explanations);
  for (std::size_t i = 0; i < explanations_.size(); ++i)
    roots_.push_back(node_of(explanations_[i], nullptr, static_cast<int>(i)));
  endResetModel();
}

const std::vector<std::unique_ptr<WhyModel::Node>>& WhyModel::children(const QModelIndex& parent) const {
  return parent.isValid() ? static_cast<const Node*>(parent.internalPointer())->operands : roots_;
}

QModelIndex WhyModel::index(int row, int column, const QModelIndex& parent) const {
  if (!hasIndex(row, column, parent)) return {};
  return createIndex(row, column, children(parent)[static_cast<std::size_t>(row)].get());
}

QModelIndex WhyModel::parent(const QModelIndex& child) const {
  if (!child.isValid()) return {};
  Node* parent = static_cast<const Node*>(child.internalPointer())->parent;
  return parent == nullptr ? QModelIndex() : createIndex(parent->row, 0, parent);
}

int WhyModel::rowCount(const QModelIndex& parent) const {
  return parent.column() > 0 ? 0 : static_cast<int>(children(parent).size());
}

int WhyModel::columnCount(const QModelIndex& /*parent*/) const { return 4; }

QVariant WhyModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || (role != Qt::DisplayRole && role != Qt::ToolTipRole)) return {};
  const Explanation& e = *static_cast<const Node*>(index.internalPointer())->explanation;
  const std::string* texts[] = {&e.what, &e.value, &e.formula, &e.source};
  return QString::fromStdString(*texts[index.column()]);
}

QVariant WhyModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case 0: return tr("Figure");
    case 1: return tr("Value");
    case 2: return tr("Formula");
    default: return tr("Source");
  }
}

}  // namespace tilewright::gui
