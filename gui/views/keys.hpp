// Keys that a picture takes besides those of the menus: what the shortcut sheet says of them.
#pragma once

#include <QList>
#include <QString>

namespace tilewright::gui {

struct KeyHelp {
  QList<Qt::Key> keys;
  QString shown;  // "← →"
  QString does;
};

}  // namespace tilewright::gui
