// The layer that all views show, by its row in the report; one selection for the whole window.
#pragma once

#include <QObject>

namespace tilewright::gui {

class Selection : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;
  int row() const { return row_; }  // -1: none

 public Q_SLOTS:
  void select(int row) {
    if (row == row_) return;
    row_ = row;
    Q_EMIT changed(row);
  }

 Q_SIGNALS:
  void changed(int row);

 private:
  int row_ = -1;
};

}  // namespace tilewright::gui
