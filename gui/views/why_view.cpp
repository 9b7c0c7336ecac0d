#include "gui/views/why_view.hpp"

#include <QEvent>
#include <QHeaderView>
#include <QTreeView>
#include <QVBoxLayout>

namespace tilewright::gui {

WhyView::WhyView(Selection& selection, QWidget* parent)
    : View(selection, parent), model_(new WhyModel(this)), tree_(new QTreeView) {
  tree_->setModel(model_);
  tree_->setAlternatingRowColors(true);
  tree_->setUniformRowHeights(true);
  tree_->setWordWrap(false);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(tree_);
  setAccessibleName(tr("Why?"));
  tree_->setAccessibleName(tr("Why?"));
}

void WhyView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  show_selection();
}

void WhyView::show_selection() {
  if (!analysis_) return;
  const int row = selection_.row();
  const bool layer = row >= 0 && static_cast<std::size_t>(row) < analysis_->result.layers.size();
  model_->show(layer ? explain(analysis_->result.layers[static_cast<std::size_t>(row)], analysis_->chip)
                     : explain(analysis_->result, analysis_->chip));
  tree_->expandToDepth(layer ? 2 : 0);
  for (int c = 0; c < 2; ++c) tree_->resizeColumnToContents(c);
  constexpr int formula_width = 480;
  tree_->setColumnWidth(2, formula_width);
}

void WhyView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() != QEvent::LanguageChange) return;
  setAccessibleName(tr("Why?"));
  tree_->setAccessibleName(tr("Why?"));
}

QString WhyView::csv() const {
  QString text = "depth,figure,value,formula,source\n";
  const auto visit = [&](const auto& next, const QModelIndex& parent, int depth) -> void {
    for (int r = 0; r < model_->rowCount(parent); ++r) {
      QStringList cells{QString::number(depth)};
      for (int c = 0; c < model_->columnCount(); ++c)
        cells << '"' + model_->index(r, c, parent).data().toString().replace('"', "\"\"") + '"';
      text += cells.join(',') + '\n';
      next(next, model_->index(r, 0, parent), depth + 1);
    }
  };
  visit(visit, {}, 0);
  return text;
}

}  // namespace tilewright::gui
