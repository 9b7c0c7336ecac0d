// What a user could not read: found by walking all visible widgets, not by looking.
#pragma once

#include <QMap>
#include <QStringList>

class QWidget;

namespace tilewright::gui {

/// Texts of labels, buttons, boxes, tabs, titles, headings and number cells that are cut off, texts of plots and graphs that leave their
/// room or cross each other, and widgets that cover their neighbours. A text whose tool tip holds all of it may end in "…".
QStringList layout_faults(const QWidget& window);

/// All words that the window itself says (not names of layers, chips and files), by the place where it says them.
QMap<QString, QString> words_of(const QWidget& window);

}  // namespace tilewright::gui
