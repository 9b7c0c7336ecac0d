#include "gui/views/chip_view.hpp"

#include <QEvent>
#include <QFileDialog>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>
#include <algorithm>

#include "arch_models/load.hpp"
#include "gui/views/theme.hpp"

namespace tilewright::gui {
namespace {

QString words(const std::string& text) { return QString::fromStdString(text); }

/// A label of one line that ends in "…" where there is no room; the whole text is its tool tip.
class Elided : public QLabel {
 public:
  explicit Elided(const QString& text) : QLabel(text) {
    setToolTip(text);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  }

 protected:
  void paintEvent(QPaintEvent* /*event*/) override {
    QPainter painter(this);
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(text(), Qt::ElideRight, width()));
  }
};

QString cell(const std::string& text) { return '"' + words(text).replace('"', "\"\"") + '"'; }

}  // namespace

ChipCanvas::ChipCanvas(QWidget* parent) : QWidget(parent) {
  setMinimumHeight(118);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ChipCanvas::show_boxes(std::vector<ChipBox> boxes) {
  boxes_ = std::move(boxes);
  update();
}

void ChipCanvas::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::Base));
  if (boxes_.empty()) return;
  painter.setRenderHint(QPainter::Antialiasing);
  const QColor ink = palette().color(QPalette::Text);
  const auto count = static_cast<double>(boxes_.size());
  // Boxes take three parts of the width where a link takes two.
  const double part = (width() - 16.0) / (3 * count + 2 * (count - 1));
  const double top = 12, tall = height() - 2 * top, line = 18;
  QFont bold = font();
  bold.setBold(true);
  const auto put = [&](const QRectF& place, const QString& text) {
    draw_fitted(painter, place, Qt::AlignCenter, text);
  };
  for (std::size_t b = 0; b < boxes_.size(); ++b) {
    const ChipBox& box = boxes_[b];
    const QRectF place(8 + static_cast<double>(b) * 5 * part, top, 3 * part, tall);
    QColor ground = series_colour(b);
    painter.setPen(QPen(ground, 2));
    ground.setAlpha(50);
    painter.setBrush(ground);
    // Several instances stand one behind the other.
    if (!box.count.isEmpty()) painter.drawRect(place.translated(5, -5));
    painter.setBrush(palette().color(QPalette::Base));
    painter.drawRect(place);
    painter.setBrush(ground);
    painter.drawRect(place);
    painter.setPen(ink);
    double y = place.y() + 6;
    painter.setFont(bold);
    put({place.x() + 3, y, place.width() - 6, line}, box.name);
    painter.setFont(font());
    for (const QString* text : {&box.count, &box.size, &box.energy}) {
      if (text->isEmpty()) continue;
      y += line;
      put({place.x() + 3, y, place.width() - 6, line}, *text);
    }
    if (b + 1 == boxes_.size()) break;
    const double left = place.right() + 6, right = place.right() + 2 * part - 2, middle = place.center().y();
    painter.setPen(QPen(ink, 2));
    painter.drawLine(QPointF(left, middle), QPointF(right, middle));
    for (const auto& [tip, back] : {std::pair{right, -6.0}, std::pair{left, 6.0}}) {
      painter.drawLine(QPointF(tip, middle), QPointF(tip + back, middle - 4));
      painter.drawLine(QPointF(tip, middle), QPointF(tip + back, middle + 4));
    }
    put({left, middle - line - 4, right - left, line}, box.link);
    put({left, middle + 4, right - left, line}, box.fan_out);
  }
}

ChipView::ChipView(Selection& selection, QWidget* parent)
    : View(selection, parent),
      canvas_(new ChipCanvas),
      area_(new QScrollArea),
      file_(new QLabel),
      save_(new QPushButton) {
  area_->setWidgetResizable(true);
  file_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  save_->setObjectName("chip.save");
  area_->setObjectName("chip.fields");
  auto* bottom = new QHBoxLayout;
  bottom->addWidget(file_, 1);
  bottom->addWidget(save_);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(canvas_);
  layout->addWidget(area_, 1);
  layout->addLayout(bottom);
  connect(save_, &QPushButton::clicked, this, [this] {
    const QString path = QFileDialog::getSaveFileName(this, tr("Save chip"), {}, tr("Chips (*.yaml)"));
    if (path.isEmpty()) return;
    const QString why = save(path);
    file_->setText(why.isEmpty() ? tr("Saved as %1; open it to go on from there.").arg(path) : path + ": " + why);
  });
  retranslate();
}

void ChipView::retranslate() {
  setAccessibleName(tr("Chip"));
  canvas_->setAccessibleName(tr("Levels of the chip and their links"));
  area_->setAccessibleName(tr("Figures of the chip file"));
  save_->setText(tr("Save chip as…"));
  if (analysis_) canvas_->show_boxes(chip_boxes(analysis_->chip));
  if (document_) build_rows();
}

void ChipView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  canvas_->show_boxes(chip_boxes(analysis->chip));
  if (analysis->project.chip != chip_) {
    chip_ = analysis->project.chip;
    document_.reset();
    try {
      document_ = chip_document(chip_);
      file_->setText(words(document_->place().file));
    } catch (const std::exception& error) { file_->setText(words(error.what())); }
    save_->setEnabled(document_.has_value());
    build_rows();
  }
  follow();
}

void ChipView::build_rows() {
  for (const Row& row : rows_) row.edit->blockSignals(true);  // losing the focus is no edit
  delete area_->takeWidget();
  rows_.clear();
  auto* content = new QWidget;
  auto* grid = new QGridLayout(content);
  grid->setContentsMargins(8, 4, 8, 4);
  grid->setVerticalSpacing(3);
  grid->setColumnStretch(1, 2);
  grid->setColumnStretch(3, 3);
  std::vector<ChipField> fields;
  if (document_) fields = chip_fields(*document_);
  int at = 0;
  std::string section;
  for (ChipField& field : fields) {
    if (field.section != section) {
      section = field.section;
      auto* title = new QLabel("<b>" + words(section).toHtmlEscaped() + "</b>");
      grid->addWidget(title, at++, 0, 1, 4);
    }
    add_row(*grid, at, std::move(field));
    at += 2;
  }
  grid->setRowStretch(at, 1);
  area_->setWidget(content);
  follow();
}

void ChipView::add_row(QGridLayout& grid, int at, ChipField field) {
  const std::size_t index = rows_.size();
  auto* label = new QLabel(words(field.label));
  auto* edit = new QLineEdit(words(field.text));
  auto* error = new QLabel;
  auto* source = new Elided(words(field.source));
  QSlider* slider = nullptr;
  const QString name = words(field.path);
  edit->setObjectName("field." + name);
  edit->setAccessibleName(name);
  edit->setReadOnly(field.fixed);
  edit->setCursorPosition(0);
  label->setBuddy(edit);
  error->setWordWrap(true);
  error->hide();
  error->setObjectName("error." + name);
  grid.addWidget(label, at, 0);
  grid.addWidget(edit, at, 1);
  grid.addWidget(source, at, 3);
  grid.addWidget(error, at + 1, 1, 1, 3);
  if (field.knob) {
    slider = new QSlider(Qt::Horizontal);
    slider->setRange(0, static_cast<int>(field.knob->values.size()) - 1);
    slider->setValue(field.knob->own);
    slider->setPageStep(1);
    slider->setFixedWidth(120);
    slider->setObjectName("slider." + name);
    slider->setAccessibleName(name);
    grid.addWidget(slider, at, 2);
    connect(slider, &QSlider::valueChanged, this, [this, index](int position) {
      const Row& row = rows_[index];
      row.edit->setText(words(row.field.knob->values[static_cast<std::size_t>(position)]));
      check(index);
      commit(index);
    });
  }
  connect(edit, &QLineEdit::textEdited, this, [this, index] { check(index); });
  connect(edit, &QLineEdit::editingFinished, this, [this, index] {
    if (rows_[index].edit->isModified()) commit(index);
  });
  rows_.push_back({std::move(field), edit, slider, error});
}

void ChipView::check(std::size_t index) {
  const Row& row = rows_[index];
  const std::string why = chip_error(*document_, analysis_->project, row.field, row.edit->text().toStdString());
  row.error->setText("<span style='color:" + series_colour(3).name() + "'>" + QString(QChar(0x26a0)) + "</span> " +
                     words(why).toHtmlEscaped());
  row.error->setVisible(!why.empty());
}

void ChipView::commit(std::size_t index) {
  const Row& row = rows_[index];
  if (!row.error->isHidden()) return;
  row.edit->setModified(false);
  const QString text = row.edit->text();
  Q_EMIT edited("chip." + words(row.field.path), text == words(row.field.text) ? QString() : text);
}

/// Puts the fields where the project has them; what is being typed stays.
void ChipView::follow() {
  if (!analysis_) return;
  for (const Row& row : rows_) {
    const std::string value = analysis_->project.value("chip." + row.field.path);
    if (!row.edit->isModified()) {
      const QString text = words(value.empty() ? row.field.text : value);
      if (row.edit->text() != text) row.edit->setText(text);
      row.edit->setCursorPosition(0);
      row.error->hide();
      QFont font = this->font();
      font.setBold(!value.empty());
      row.edit->setFont(font);
    }
    if (row.slider == nullptr || row.slider->isSliderDown()) continue;
    const QSignalBlocker quiet(row.slider);
    row.slider->setValue(row.field.knob->position(analysis_->project));
  }
}

QString ChipView::save(const QString& path) const {
  try {
    const QByteArray text = QByteArray::fromStdString(chip_yaml(with_changes(*document_, analysis_->project)));
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit())
      return file.errorString();
    return {};
  } catch (const std::exception& error) { return words(error.what()); }
}

QString ChipView::csv() const {
  QString text = "parameter,value,source\n";
  for (const Row& row : rows_) {
    const std::string value = analysis_->project.value("chip." + row.field.path);
    text +=
        cell(row.field.path) + ',' + cell(value.empty() ? row.field.text : value) + ',' + cell(row.field.source) + '\n';
  }
  return text;
}

void ChipView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace tilewright::gui
