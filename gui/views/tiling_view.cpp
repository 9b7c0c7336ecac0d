#include "gui/views/tiling_view.hpp"

#include <QComboBox>
#include <QEvent>
#include <QFontDatabase>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright::gui {

TilingView::TilingView(Selection& selection, QWidget* parent)
    : View(selection, parent), kernel_(new QComboBox), text_(new QPlainTextEdit) {
  text_->setReadOnly(true);
  text_->setLineWrapMode(QPlainTextEdit::NoWrap);
  text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(kernel_);
  layout->addWidget(text_, 1);
  connect(kernel_, &QComboBox::currentIndexChanged, this, &TilingView::show_kernel);
  retranslate();
}

void TilingView::retranslate() {
  setAccessibleName(tr("Tiling"));
  kernel_->setAccessibleName(tr("Kernel of the layer"));
  text_->setAccessibleName(tr("Loop nest"));
  text_->setPlaceholderText(tr("Select a layer."));
}

const LayerEvaluation* TilingView::layer() const {
  if (!analysis_ || selection_.row() < 0) return nullptr;
  const auto row = static_cast<std::size_t>(selection_.row());
  return row < analysis_->result.layers.size() ? &analysis_->result.layers[row] : nullptr;
}

void TilingView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  show_kernels();
}

void TilingView::show_selection() { show_kernels(); }

void TilingView::show_kernels() {
  const int before = kernel_->currentIndex();
  {
    const QSignalBlocker quiet(kernel_);
    kernel_->clear();
    if (const LayerEvaluation* shown = layer()) {
      for (std::size_t k = 0; k < shown->kernels.size(); ++k)
        kernel_->addItem(
            tr("%1, kernel %2 of %3").arg(QString::fromStdString(shown->name)).arg(k + 1).arg(shown->kernels.size()));
    }
    if (before > 0 && before < kernel_->count()) kernel_->setCurrentIndex(before);
  }
  show_kernel(kernel_->currentIndex());
}

void TilingView::show_kernel(int kernel) {
  const LayerEvaluation* shown = layer();
  if (shown == nullptr || kernel < 0) return text_->clear();
  const Evaluation& evaluation = shown->kernels[static_cast<std::size_t>(kernel)].first;
  text_->setPlainText(QString::fromStdString(evaluation_text(evaluation, in_order_of(evaluation, analysis_->chip))));
}

void TilingView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

QString TilingView::csv() const {
  QString text = "level,tensor,reads,fills,updates,drains,energy_j\n";
  const LayerEvaluation* shown = layer();
  if (shown == nullptr) return text;
  for (const AccessRow& row : accesses(*shown)) {
    text += QString("%1,%2,%3,%4,%5,%6,%7\n")
                .arg(QString::fromStdString(row.level), QString::fromStdString(row.tensor))
                .arg(row.reads)
                .arg(row.fills)
                .arg(row.updates)
                .arg(row.drains)
                .arg(row.energy.value, 0, 'g', 17);
  }
  return text;
}

}  // namespace tilewright::gui
