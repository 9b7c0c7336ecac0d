// Explanations as a tree.
#pragma once

#include <QAbstractItemModel>
#include <memory>
#include <vector>

#include "sim/report/explain.hpp"

namespace tilewright::gui {

class WhyModel : public QAbstractItemModel {
  Q_OBJECT

 public:
  using QAbstractItemModel::QAbstractItemModel;

  void show(std::vector<Explanation> explanations);

  QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
  QModelIndex parent(const QModelIndex& child) const override;
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  /// One explanation with the way back.
  struct Node {
    const Explanation* explanation = nullptr;
    Node* parent = nullptr;
    int row = 0;
    std::vector<std::unique_ptr<Node>> operands;
  };
  static std::unique_ptr<Node> node_of(const Explanation& explanation, Node* parent, int row);
  const std::vector<std::unique_ptr<Node>>& children(const QModelIndex& parent) const;

  std::vector<Explanation> explanations_;
  std::vector<std::unique_ptr<Node>> roots_;
};

}  // namespace tilewright::gui
