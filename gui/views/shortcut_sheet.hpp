// The sheet of all keys: those of the menus and those that single pictures take.
#pragma once

#include <QDialog>

class QAction;

namespace tilewright::gui {

class ShortcutSheet : public QDialog {
  Q_OBJECT

 public:
  /// `actions` in the order of the menus; those without a key are left out.
  explicit ShortcutSheet(const QList<QAction*>& actions, QWidget* parent = nullptr);
};

}  // namespace tilewright::gui
