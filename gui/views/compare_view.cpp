#include "gui/views/compare_view.hpp"

#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

namespace tilewright::gui {

CompareView::CompareView(Selection& selection, QWidget* parent)
    : View(selection, parent), model_(new CompareModel(this)), table_(new QTableView), hint_(new QLabel) {
  auto* keep_it = new QPushButton;
  auto* forget = new QPushButton;
  keep_it->setObjectName("keep");
  forget->setObjectName("forget");
  auto* choices = new QHBoxLayout;
  choices->addWidget(keep_it);
  choices->addWidget(forget);
  choices->addWidget(hint_, 1);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(choices);
  layout->addWidget(table_, 1);
  table_->setModel(model_);
  table_->setAlternatingRowColors(true);
  table_->verticalHeader()->setDefaultSectionSize(20);
  connect(keep_it, &QPushButton::clicked, this, &CompareView::keep);
  connect(forget, &QPushButton::clicked, this, &CompareView::clear);
  retranslate();
}

void CompareView::retranslate() {
  setAccessibleName(tr("Compare"));
  table_->setAccessibleName(tr("Compare"));
  findChild<QPushButton*>("keep")->setText(tr("Put this answer aside"));
  findChild<QPushButton*>("forget")->setText(tr("Clear"));
  hint_->setText(tr("Put an answer aside, then choose another chip or network: both stand here side by side."));
}

void CompareView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) {
  analysis_ = analysis;
  for (AnalysisPtr& kept : kept_) {  // put aside while its mappings were still searched
    if (kept->searched || !analysis->searched || kept->project != analysis->project) continue;
    kept = analysis;
    Q_EMIT put_aside(kept_);
  }
  if (pinned && kept_.empty()) kept_.push_back(pinned);
  fill();
}

void CompareView::keep() {
  constexpr std::size_t most = 2;
  if (!analysis_) return;
  if (kept_.size() == most) kept_.erase(kept_.begin());
  kept_.push_back(analysis_);
  fill();
  Q_EMIT put_aside(kept_);
}

void CompareView::clear() {
  kept_.clear();
  fill();
  Q_EMIT put_aside(kept_);
}

void CompareView::fill() {
  std::vector<AnalysisPtr> answers = kept_;
  if (analysis_ && (answers.empty() || answers.back() != analysis_)) answers.push_back(analysis_);
  model_->show(std::move(answers));
  table_->resizeColumnsToContents();
}

void CompareView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

QString CompareView::csv() const {
  QString text;
  for (int r = -1; r < model_->rowCount(); ++r) {
    QStringList cells;
    for (int c = 0; c < model_->columnCount(); ++c) {
      const QVariant cell = r < 0 ? model_->headerData(c, Qt::Horizontal, Qt::DisplayRole)
                                  : model_->index(r, c).data(CompareModel::figure_role);
      cells << (cell.typeId() == QMetaType::Double
                    ? QString::number(cell.toDouble(), 'g', 17)
                    : '"' + cell.toString().replace('\n', ' ').replace('"', "\"\"") + '"');
    }
    text += cells.join(',') + '\n';
  }
  return text;
}

}  // namespace tilewright::gui
