#include "tests/gui/layout_faults.hpp"

#include <qcustomplot.h>

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDockWidget>
#include <QGraphicsSimpleTextItem>
#include <QGraphicsView>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QTableView>
#include <QTextDocument>
#include <QToolButton>
#include <QTreeView>

namespace tilewright::gui {
namespace {

QString place_of(const QWidget& widget) {
  QStringList way;
  for (const QWidget* at = &widget; at != nullptr && !at->isWindow(); at = at->parentWidget())
    way.prepend(at->objectName().isEmpty() ? QString(at->metaObject()->className()).section("::", -1)
                                           : at->objectName());
  return way.join('/');
}

QString plain(const QString& text) {
  if (!Qt::mightBeRichText(text)) return text;
  QTextDocument document;
  document.setHtml(text);
  return document.toPlainText();
}

/// Contrast of two colours by the Web Content Accessibility Guidelines 2.1: 1 to 21, and 4.5 for text.
double contrast(const QColor& a, const QColor& b) {
  const auto luminance = [](const QColor& colour) {
    const auto linear = [](double part) {
      return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
  };
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

constexpr double least_contrast = 4.5;

class Faults {
 public:
  QStringList found;

  void visit(const QWidget& widget) {
    texts(widget);
    neighbours(widget);
    for (const QObject* child : widget.children()) {
      const auto* inner = qobject_cast<const QWidget*>(child);
      if (inner != nullptr && is_seen(*inner)) visit(*inner);
    }
  }

 private:
  /// Docks behind another one are visible to Qt, but stand outside the window.
  static bool is_seen(const QWidget& widget) {
    return widget.isVisible() && !widget.isWindow() && !widget.size().isEmpty() &&
           (qobject_cast<const QDockWidget*>(&widget) == nullptr || !widget.visibleRegion().isEmpty());
  }

  void fault(const QWidget& widget, const QString& what) { found << place_of(widget) + ": " + what; }

  void cut(const QWidget& widget, const QString& text, double needs, double has) {
    if (needs > has + 1)
      fault(widget, QString("'%1' is cut off: it needs %2 pixels and has %3").arg(text.left(60)).arg(needs).arg(has));
  }

  void faint(const QWidget& widget, const QString& text, const QColor& ink, const QColor& ground) {
    if (const double reached = contrast(ink, ground); reached < least_contrast)
      fault(widget, QString("'%1' is too faint: contrast %2").arg(text.left(60)).arg(reached, 0, 'f', 1));
  }

  void texts(const QWidget& widget) {
    const QPalette palette = widget.palette();
    if (widget.isEnabled())
      faint(widget, "text", palette.color(widget.foregroundRole()), palette.color(widget.backgroundRole()));
    if (const auto* label = qobject_cast<const QLabel*>(&widget)) {
      const QString text = plain(label->text());
      if (text.isEmpty() || label->toolTip() == text) return;
      if (label->wordWrap()) {
        cut(widget, text, label->heightForWidth(label->width()), label->height());
      } else {
        cut(widget, text, label->sizeHint().width(), label->width());
        cut(widget, text, label->sizeHint().height(), label->height());
      }
    } else if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) {
      if (!button->text().isEmpty()) cut(widget, button->text(), button->sizeHint().width(), button->width());
    } else if (const auto* box = qobject_cast<const QComboBox*>(&widget)) {
      QStyleOptionComboBox option;
      option.initFrom(box);
      option.editable = box->isEditable();
      const QRect room = box->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, box);
      if (box->toolTip() != box->currentText())
        cut(widget, box->currentText(), box->fontMetrics().horizontalAdvance(box->currentText()), room.width());
    } else if (const auto* line = qobject_cast<const QLineEdit*>(&widget)) {
      if (line->text().isEmpty())
        cut(widget, line->placeholderText(), line->fontMetrics().horizontalAdvance(line->placeholderText()) + 8,
            line->width());
      faint(widget, line->placeholderText(), palette.color(QPalette::PlaceholderText), palette.color(QPalette::Base));
    } else if (const auto* bar = qobject_cast<const QTabBar*>(&widget)) {
      for (int tab = 0; tab < bar->count(); ++tab) {
        const QRect room = bar->tabRect(tab);
        cut(widget, bar->tabText(tab), bar->fontMetrics().horizontalAdvance(bar->tabText(tab)) + 8, room.width());
        cut(widget, bar->tabText(tab), room.right() + 1, bar->width());
      }
    } else if (const auto* dock = qobject_cast<const QDockWidget*>(&widget)) {
      constexpr int buttons = 48;
      cut(widget, dock->windowTitle(), dock->fontMetrics().horizontalAdvance(dock->windowTitle()) + buttons,
          dock->width());
    } else if (const auto* progress = qobject_cast<const QProgressBar*>(&widget)) {
      cut(widget, progress->text(), progress->fontMetrics().horizontalAdvance(progress->text()), progress->width());
    } else if (const auto* table = qobject_cast<const QTableView*>(&widget)) {
      cells(*table);
    } else if (const auto* tree = qobject_cast<const QTreeView*>(&widget)) {
      headings(widget, *tree->header());
    } else if (const auto* plot = qobject_cast<const QCustomPlot*>(&widget)) {
      plotted(*plot);
    } else if (const auto* drawing = qobject_cast<const QGraphicsView*>(&widget)) {
      boxes(*drawing);
    }
    const auto* area = qobject_cast<const QScrollArea*>(&widget);
    if (area != nullptr && area->horizontalScrollBar()->isVisible())
      fault(widget, "is wider than its room: it has to be scrolled sideways");
  }

  void headings(const QWidget& widget, const QHeaderView& header) {
    const QAbstractItemModel& model = *header.model();
    for (int s = 0; s < header.count(); ++s) {
      if (header.isSectionHidden(s) || header.sectionViewportPosition(s) >= header.viewport()->width()) continue;
      const bool last = header.stretchLastSection() && header.visualIndex(s) == header.count() - 1;
      if (!last)
        cut(widget, "heading " + model.headerData(s, header.orientation()).toString(),
            header.fontMetrics()
                    .size(Qt::TextShowMnemonic, model.headerData(s, header.orientation()).toString())
                    .width() +
                8,
            header.sectionSize(s));
    }
  }

  /// Numbers must be whole; words may be cut when the tool tip has them.
  void cells(const QTableView& table) {
    if (table.model() == nullptr) return;
    if (table.horizontalHeader()->isVisible()) headings(table, *table.horizontalHeader());
    const QAbstractItemModel& model = *table.model();
    for (int r = 0; r < model.rowCount(); ++r) {
      const int y = table.rowViewportPosition(r);
      if (y < 0 || y >= table.viewport()->height()) continue;
      for (int c = 0; c < model.columnCount(); ++c) {
        const int x = table.columnViewportPosition(c);
        if (x < 0 || x + table.columnWidth(c) > table.viewport()->width()) continue;
        const QString text = model.index(r, c).data().toString();
        const QVariant ink = model.index(r, c).data(Qt::ForegroundRole);
        if (ink.isValid()) faint(table, text, ink.value<QBrush>().color(), table.palette().color(QPalette::Base));
        if (text == model.index(r, c).data(Qt::ToolTipRole).toString()) continue;
        cut(table, "cell " + text, table.fontMetrics().horizontalAdvance(text) + 6, table.columnWidth(c));
      }
    }
  }

  void plotted(const QCustomPlot& plot) {
    std::vector<std::pair<QRectF, QString>> placed;
    for (int i = 0; i < plot.itemCount(); ++i) {
      auto* text = qobject_cast<QCPItemText*>(plot.item(i));
      if (text == nullptr || !text->visible() || text->text().isEmpty()) continue;
      const QRectF room(text->topLeft->pixelPosition(), text->bottomRight->pixelPosition());
      if (text->clipToAxisRect() && !QRectF(plot.axisRect()->rect()).intersects(room)) continue;
      faint(plot, text->text(), text->color(), plot.palette().color(QPalette::Base));
      const QRectF outer = text->clipToAxisRect() ? QRectF(plot.axisRect()->rect()) : QRectF(plot.viewport());
      if (!outer.adjusted(-2, -2, 2, 2).contains(room)) fault(plot, "'" + text->text() + "' leaves the plot");
      for (const auto& [other, words] : placed) {
        const QRectF both = other.intersected(room);
        if (both.width() > 4 && both.height() > 4)
          fault(plot, QString("'%1' and '%2' cross each other").arg(words, text->text()));
      }
      placed.emplace_back(room, text->text());
    }
  }

  void boxes(const QGraphicsView& view) {
    for (const QGraphicsItem* item : view.scene()->items()) {
      const auto* text = dynamic_cast<const QGraphicsSimpleTextItem*>(item);
      if (text == nullptr || text->parentItem() == nullptr) continue;
      if (!text->parentItem()->sceneBoundingRect().adjusted(-1, -1, 1, 1).contains(text->sceneBoundingRect()))
        fault(view, "'" + text->text() + "' leaves its box");
    }
  }

  void neighbours(const QWidget& widget) {
    std::vector<const QWidget*> shown;
    for (const QObject* child : widget.children()) {
      const auto* inner = qobject_cast<const QWidget*>(child);
      if (inner != nullptr && is_seen(*inner)) shown.push_back(inner);
    }
    constexpr int touch = 2;  // frames of tabs and their page share a line
    for (std::size_t a = 0; a < shown.size(); ++a) {
      if (!widget.rect().adjusted(-touch, -touch, touch, touch).contains(shown[a]->geometry()) &&
          !in_scroll_area(*shown[a]))
        fault(*shown[a], "leaves its parent");
      for (std::size_t b = 0; b < a; ++b) {
        const QRect both = shown[a]->geometry().intersected(shown[b]->geometry());
        if (both.width() > touch && both.height() > touch) fault(*shown[a], "covers " + place_of(*shown[b]));
      }
    }
  }

  static bool in_scroll_area(const QWidget& widget) {
    const QWidget* parent = widget.parentWidget();
    const auto* area = parent == nullptr ? nullptr : qobject_cast<const QAbstractScrollArea*>(parent->parentWidget());
    return area != nullptr && area->viewport() == parent;
  }
};

}  // namespace

QStringList layout_faults(const QWidget& window) {
  Faults faults;
  faults.visit(window);
  faults.found.removeDuplicates();
  return faults.found;
}

QMap<QString, QString> words_of(const QWidget& window) {
  QMap<QString, QString> words;
  QMap<QString, int> seen;
  const auto say = [&](const QString& where, const QString& text) {
    if (!text.isEmpty()) words.insert(where + '#' + QString::number(seen[where]++), plain(text));
  };
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    const QString where = place_of(*widget);
    say(where + " name", widget->accessibleName());
    say(where + " tip", widget->toolTip());
    if (const auto* label = qobject_cast<const QLabel*>(widget)) say(where, label->text());
    if (const auto* button = qobject_cast<const QAbstractButton*>(widget)) say(where, button->text());
    if (const auto* line = qobject_cast<const QLineEdit*>(widget)) say(where, line->placeholderText());
    if (const auto* dock = qobject_cast<const QDockWidget*>(widget)) say(where, dock->windowTitle());
    if (const auto* menu = qobject_cast<const QMenu*>(widget)) say(where, menu->title());
    if (const auto* tabs = qobject_cast<const QTabBar*>(widget)) {
      for (int tab = 0; tab < tabs->count(); ++tab) say(where, tabs->tabText(tab));
    }
    if (const auto* box = qobject_cast<const QComboBox*>(widget)) {
      for (int i = 0; i < box->count(); ++i) say(where, box->itemText(i));
    }
    if (const auto* header = qobject_cast<const QHeaderView*>(widget);
        header != nullptr && header->model() != nullptr) {
      for (int s = 0; s < header->count(); ++s)
        say(where, header->model()->headerData(s, header->orientation()).toString());
    }
    if (const auto* plot = qobject_cast<const QCustomPlot*>(widget)) {
      for (const QCPAxis* axis : {plot->xAxis, plot->yAxis}) say(where + " axis", axis->label());
    }
  }
  for (const QAction* action : window.findChildren<QAction*>()) say("action", action->text());
  return words;
}

}  // namespace tilewright::gui
