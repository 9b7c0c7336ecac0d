#include "gui/views/layers_view.hpp"

#include <QEvent>
#include <QHeaderView>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>

namespace tilewright::gui {

LayersView::LayersView(Selection& selection, QWidget* parent)
    : View(selection, parent),
      model_(new LayersModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      search_(new QLineEdit),
      table_(new QTableView) {
  sorted_->setSourceModel(model_);
  sorted_->setSortRole(LayersModel::figure_role);
  sorted_->setFilterCaseSensitivity(Qt::CaseInsensitive);
  sorted_->setFilterKeyColumn(-1);
  search_->setClearButtonEnabled(true);
  table_->setModel(sorted_);
  table_->setSortingEnabled(true);
  table_->sortByColumn(-1, Qt::AscendingOrder);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setAlternatingRowColors(true);
  table_->verticalHeader()->setDefaultSectionSize(22);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(search_);
  layout->addWidget(table_);
  connect(search_, &QLineEdit::textChanged, sorted_, &QSortFilterProxyModel::setFilterFixedString);
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
    if (current.isValid()) selection_.select(sorted_->mapToSource(current).row());
  });
  retranslate();
  widen();
}

void LayersView::retranslate() {
  setAccessibleName(tr("Layers"));
  table_->setAccessibleName(tr("Layers"));
  search_->setAccessibleName(tr("Filter of the layers"));
  search_->setPlaceholderText(tr("filter"));
}

void LayersView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  model_->show(analysis);
  widen();
  show_selection();
}

/// Columns grow with their contents, and stay where the user has made them wider.
void LayersView::widen() {
  const QAbstractItemView& cells = *table_;
  QHeaderView& header = *table_->horizontalHeader();
  for (int c = 0; c < model_->columnCount(); ++c) {
    const int needs = std::max(cells.sizeHintForColumn(c), header.sectionSizeHint(c));
    if (header.sectionSize(c) < needs) header.resizeSection(c, needs);
  }
}

void LayersView::show_selection() {
  const QModelIndex row = sorted_->mapFromSource(model_->index(selection_.row(), 0));
  if (row.isValid() && row.row() != table_->currentIndex().row()) table_->setCurrentIndex(row);
}

void LayersView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() != QEvent::LanguageChange) return;
  retranslate();
  widen();
}

QString LayersView::csv() const {
  QStringList keys;
  for (int c = 0; c < model_->columnCount(); ++c) keys << LayersModel::key(c);
  QString text = keys.join(',') + '\n';
  for (int r = 0; r < sorted_->rowCount(); ++r) {
    QStringList cells;
    for (int c = 0; c < sorted_->columnCount(); ++c) {
      const QVariant figure = sorted_->index(r, c).data(LayersModel::figure_role);
      cells << (figure.typeId() == QMetaType::QString    ? '"' + figure.toString().replace('"', "\"\"") + '"'
                : figure.typeId() == QMetaType::LongLong ? QString::number(figure.toLongLong())
                                                         : QString::number(figure.toDouble(), 'g', 17));
    }
    text += cells.join(',') + '\n';
  }
  return text;
}

}  // namespace tilewright::gui
