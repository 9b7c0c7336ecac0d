#include "gui/viewmodels/layers_model.hpp"

#include <QCoreApplication>
#include <array>

#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

QString text(const std::string& words) { return QString::fromStdString(words); }

struct Column {
  const char* key;     // in the report's JSON
  const char* header;  // translated
  QVariant (*figure)(const LayerEvaluation&);
  QString (*words)(const LayerEvaluation&);
};

const std::array columns{
    Column{"name", QT_TRANSLATE_NOOP("LayersModel", "Layer"),
           [](const LayerEvaluation& l) { return QVariant(text(l.name)); },
           [](const LayerEvaluation& l) { return text(l.name); }},
    Column{"op", QT_TRANSLATE_NOOP("LayersModel", "Operator"),
           [](const LayerEvaluation& l) { return QVariant(text(l.op)); },
           [](const LayerEvaluation& l) { return text(l.op); }},
    Column{"repeat", QT_TRANSLATE_NOOP("LayersModel", "Repeat"),
           [](const LayerEvaluation& l) { return QVariant(qlonglong{l.repeat}); },
           [](const LayerEvaluation& l) { return QString::number(l.repeat); }},
    Column{"macs", QT_TRANSLATE_NOOP("LayersModel", "MACs"),
           [](const LayerEvaluation& l) { return QVariant(qlonglong{l.macs}); },
           [](const LayerEvaluation& l) { return text(human_count(static_cast<double>(l.macs))); }},
    Column{"latency_s", QT_TRANSLATE_NOOP("LayersModel", "Latency"),
           [](const LayerEvaluation& l) { return QVariant(l.latency.value); },
           [](const LayerEvaluation& l) { return text(human(l.latency)); }},
    Column{"energy_j", QT_TRANSLATE_NOOP("LayersModel", "Energy"),
           [](const LayerEvaluation& l) { return QVariant(l.energy.total().value); },
           [](const LayerEvaluation& l) { return text(human(l.energy.total())); }},
    Column{"bound", QT_TRANSLATE_NOOP("LayersModel", "Bound by"),
           [](const LayerEvaluation& l) { return QVariant(text(l.bound)); },
           [](const LayerEvaluation& l) { return text(l.bound); }},
    Column{"utilization", QT_TRANSLATE_NOOP("LayersModel", "Utilisation"),
           [](const LayerEvaluation& l) { return QVariant(l.utilization); },
           [](const LayerEvaluation& l) { return text(percent(l.utilization)); }},
    Column{"arithmetic_intensity", QT_TRANSLATE_NOOP("LayersModel", "Operations per byte"),
           [](const LayerEvaluation& l) { return QVariant(l.arithmetic_intensity); },
           [](const LayerEvaluation& l) { return QString::number(l.arithmetic_intensity, 'g', 3); }},
    Column{"optimality_gap", QT_TRANSLATE_NOOP("LayersModel", "Gap"),
           [](const LayerEvaluation& l) { return QVariant(l.optimality_gap); },
           [](const LayerEvaluation& l) { return text(percent(l.optimality_gap)); }},
    Column{"precision", QT_TRANSLATE_NOOP("LayersModel", "Format"),
           [](const LayerEvaluation& l) { return QVariant(text(l.precision)); },
           [](const LayerEvaluation& l) { return text(l.precision); }},
};

}  // namespace

void LayersModel::show(AnalysisPtr analysis) {
  beginResetModel();
  analysis_ = std::move(analysis);
  endResetModel();
}

int LayersModel::column(const QString& key) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (key == columns[c].key) return static_cast<int>(c);
  }
  return -1;
}

QString LayersModel::key(int column) { return columns[static_cast<std::size_t>(column)].key; }

int LayersModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || !analysis_ ? 0 : static_cast<int>(analysis_->result.layers.size());
}

int LayersModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(columns.size());
}

QVariant LayersModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const LayerEvaluation& layer = analysis_->result.layers[static_cast<std::size_t>(index.row())];
  const Column& column = columns[static_cast<std::size_t>(index.column())];
  if (role == figure_role) return column.figure(layer);
  if (role == Qt::DisplayRole) return column.words(layer);
  if (role == Qt::TextAlignmentRole) {
    const bool words = column.figure(layer).typeId() == QMetaType::QString;
    return QVariant(Qt::AlignVCenter | (words ? Qt::AlignLeft : Qt::AlignRight));
  }
  return {};
}

QVariant LayersModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (orientation == Qt::Vertical) return section + 1;
  return QCoreApplication::translate("LayersModel", columns[static_cast<std::size_t>(section)].header);
}

}  // namespace tilewright::gui
