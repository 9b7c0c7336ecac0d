// Sliders over the figures of the chip and of the network.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

#include "gui/viewmodels/knobs.hpp"

class QFormLayout;
class QLabel;
class QSlider;

namespace tilewright::gui {

class WhatIfView : public QWidget {
  Q_OBJECT

 public:
  explicit WhatIfView(QWidget* parent = nullptr);

  /// Sliders for a network and chip as their files have them.
  void show_knobs(std::vector<Knob> knobs);
  /// Puts the sliders where the project has them.
  void follow(const Project& project);
  void retranslate();

 Q_SIGNALS:
  /// A slider was moved to this value; "" where it stands on what the file says. `last`: the mouse has let go.
  void turned(const QString& key, const QString& value, bool last);

 private:
  void turn(std::size_t knob, int position, bool last);
  void label(std::size_t knob);

  QFormLayout* form_;
  std::vector<Knob> knobs_;
  std::vector<QSlider*> sliders_;
  std::vector<QLabel*> values_;
};

}  // namespace tilewright::gui
