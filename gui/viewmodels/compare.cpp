#include "gui/viewmodels/compare.hpp"

#include <algorithm>

#include "sim/report/layer_view.hpp"

namespace tilewright::gui {

void CompareModel::show(std::vector<AnalysisPtr> answers) {
  beginResetModel();
  answers_ = std::move(answers);
  layers_.clear();
  columns_.clear();
  for (std::size_t a = 0; a < answers_.size(); ++a) {
    for (const bool energy : {false, true}) {
      columns_.push_back({a, energy, false});
      if (a > 0) columns_.push_back({a, energy, true});
    }
    for (const LayerEvaluation& layer : answers_[a]->result.layers) {
      if (std::find(layers_.begin(), layers_.end(), layer.name) == layers_.end()) layers_.push_back(layer.name);
    }
  }
  rows_.assign(answers_.size(), std::vector<int>(layers_.size(), -1));
  for (std::size_t a = 0; a < answers_.size(); ++a) {
    const std::vector<LayerEvaluation>& own = answers_[a]->result.layers;
    for (std::size_t r = 0; r < own.size(); ++r) {
      const auto layer = std::find(layers_.begin(), layers_.end(), own[r].name) - layers_.begin();
      rows_[a][static_cast<std::size_t>(layer)] = static_cast<int>(r);
    }
  }
  endResetModel();
}

int CompareModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || answers_.empty() ? 0 : static_cast<int>(layers_.size()) + 1;
}

int CompareModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() || answers_.empty() ? 0 : static_cast<int>(columns_.size()) + 1;
}

std::optional<double> CompareModel::amount(int row, std::size_t answer, bool energy) const {
  const NetworkEvaluation& result = answers_[answer]->result;
  if (row == 0) return energy ? result.energy.total().value : result.latency.value;
  const int r = rows_[answer][static_cast<std::size_t>(row - 1)];
  if (r < 0) return std::nullopt;
  const LayerEvaluation& layer = result.layers[static_cast<std::size_t>(r)];
  return static_cast<double>(layer.repeat) * (energy ? layer.energy.total().value : layer.latency.value);
}

std::optional<double> CompareModel::figure(int row, const Column& column) const {
  const std::optional<double> own = amount(row, column.answer, column.energy);
  if (!column.difference || !own) return column.difference ? std::nullopt : own;
  const std::optional<double> first = amount(row, 0, column.energy);
  if (!first || *first <= 0) return std::nullopt;
  return *own / *first - 1;
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  if (index.column() == 0) {
    if (role != Qt::DisplayRole && role != figure_role) return {};
    return index.row() == 0 ? tr("whole network")
                            : QString::fromStdString(layers_[static_cast<std::size_t>(index.row() - 1)]);
  }
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignVCenter | Qt::AlignRight);
  const Column& column = columns_[static_cast<std::size_t>(index.column() - 1)];
  const std::optional<double> value = figure(index.row(), column);
  if (!value) return {};
  if (role == figure_role) return *value;
  if (role != Qt::DisplayRole) return {};
  if (column.difference) return QString("%1%2 %").arg(*value > 0 ? "+" : "").arg(100 * *value, 0, 'f', 1);
  return QString::fromStdString(column.energy ? human(Joules{*value}) : human(Seconds{*value}));
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (orientation == Qt::Vertical) return section == 0 ? QVariant() : QVariant(section);
  if (section == 0) return tr("Layer");
  const Column& column = columns_[static_cast<std::size_t>(section - 1)];
  const NetworkEvaluation& result = answers_[column.answer]->result;
  const QString of = QString::fromStdString(result.workload + "\n" + result.chip) + '\n';
  if (column.difference) return of + tr("against the first");
  return of + (column.energy ? tr("energy") : tr("latency"));
}

}  // namespace tilewright::gui
