// A study put together without writing its file: networks, what varies, goals, and how it is searched.
#pragma once

#include <QDialog>
#include <vector>

#include "gui/viewmodels/study_draft.hpp"

class QCheckBox;
class QComboBox;
class QDialogButtonBox;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace tilewright::gui {

class StudyDialog : public QDialog {
  Q_OBJECT

 public:
  /// `knobs`: the sliders of the project; each can be an axis.
  StudyDialog(Project project, std::vector<Knob> knobs, QWidget* parent = nullptr);
  /// The study file as it stands.
  QString text() const;

 private:
  struct Axis {
    Knob knob;
    QCheckBox* varies;
    QLineEdit* values;
  };

  StudyDraft draft() const;
  void build_axes(QWidget& room);
  void refresh();

  Project project_;
  std::vector<Knob> knobs_;
  std::vector<Axis> axes_;
  std::vector<QCheckBox*> goals_;
  QComboBox *networks_, *strategy_;
  QLineEdit* chips_;
  QSpinBox* budget_;
  QLabel* told_;
  QDialogButtonBox* buttons_;
};

}  // namespace tilewright::gui
