#include "gui/views/what_if_view.hpp"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>

namespace tilewright::gui {

WhatIfView::WhatIfView(QWidget* parent) : QWidget(parent) {
  auto* area = new QScrollArea;
  auto* content = new QWidget;
  form_ = new QFormLayout(content);
  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  form_->setContentsMargins(0, 0, 0, 0);
  area->setWidget(content);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(area);
}

void WhatIfView::show_knobs(std::vector<Knob> knobs) {
  while (form_->rowCount() > 0) form_->removeRow(0);
  sliders_.clear();
  values_.clear();
  knobs_ = std::move(knobs);
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    auto* slider = new QSlider(Qt::Horizontal);
    auto* value = new QLabel;
    slider->setRange(0, static_cast<int>(knobs_[i].values.size()) - 1);
    slider->setPageStep(1);
    slider->setValue(knobs_[i].own);
    slider->setObjectName(QString::fromStdString(knobs_[i].key));
    value->setMinimumWidth(84);
    slider->setMinimumWidth(90);
    auto* row = new QHBoxLayout;
    row->addWidget(slider, 1);
    row->addWidget(value);
    form_->addRow(new QLabel, row);
    sliders_.push_back(slider);
    values_.push_back(value);
    label(i);
    connect(slider, &QSlider::valueChanged, this,
            [this, i, slider](int position) { turn(i, position, !slider->isSliderDown()); });
    connect(slider, &QSlider::sliderReleased, this, [this, i, slider] { turn(i, slider->value(), true); });
  }
  retranslate();
}

void WhatIfView::retranslate() {
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    const QString title = knobs_[i].title();
    sliders_[i]->setAccessibleName(title);
    qobject_cast<QLabel*>(form_->itemAt(static_cast<int>(i), QFormLayout::LabelRole)->widget())->setText(title);
  }
}

void WhatIfView::follow(const Project& project) {
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    if (sliders_[i]->isSliderDown()) continue;
    const QSignalBlocker quiet(sliders_[i]);
    sliders_[i]->setValue(knobs_[i].position(project));
    label(i);
  }
}

void WhatIfView::turn(std::size_t knob, int position, bool last) {
  label(knob);
  const Knob& turned_knob = knobs_[knob];
  const QString value = position == turned_knob.own
                            ? QString()
                            : QString::fromStdString(turned_knob.values[static_cast<std::size_t>(position)]);
  Q_EMIT turned(QString::fromStdString(turned_knob.key), value, last);
}

void WhatIfView::label(std::size_t knob) {
  const int position = sliders_[knob]->value();
  QString text = QString::fromStdString(knobs_[knob].values[static_cast<std::size_t>(position)]);
  if (position != knobs_[knob].own) text = "<b>" + text + "</b>";
  values_[knob]->setText(text);
}

}  // namespace tilewright::gui
