#include "gui/views/shortcut_sheet.hpp"

#include <QAction>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "gui/views/graph_view.hpp"
#include "gui/views/theme.hpp"
#include "gui/views/timeline_canvas.hpp"

namespace tilewright::gui {
namespace {

QString row(const QString& keys, const QString& does) {
  return QString("<tr><td style='white-space: nowrap'><b>%1</b>&nbsp;&nbsp;</td><td>%2</td></tr>")
      .arg(keys.toHtmlEscaped(), does.toHtmlEscaped());
}

QString section(const QString& title, const QString& rows) {
  return "<h4>" + title.toHtmlEscaped() + "</h4><table>" + rows + "</table>";
}

QString rows_of(const QList<KeyHelp>& keys) {
  QString rows;
  for (const KeyHelp& each : keys) rows += row(each.shown, each.does);
  return rows;
}

}  // namespace

ShortcutSheet::ShortcutSheet(const QList<QAction*>& actions, QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("Keyboard shortcuts"));
  setObjectName("shortcuts");
  QString of_menus;
  for (const QAction* each : actions) {
    if (!each->shortcut().isEmpty())
      of_menus += row(each->shortcut().toString(QKeySequence::PortableText), each->text().remove('&'));
  }
  const QString everywhere = row("Tab, Shift+Tab", tr("the next or the last control")) +
                             row(tr("Alt and a letter"), tr("the menu or the field with this letter underlined")) +
                             row(QString::fromUtf8("← →"), tr("turn a slider")) +
                             row("Esc", tr("close a dialog or a menu"));
  const QString study = row(tr("Shift and mouse"), tr("brush points")) +
                        row(QString::fromUtf8("↑ ↓"), tr("in the table: mark a point in the pictures")) +
                        row("Enter", tr("in the table: show the point in all views"));
  const QString pictures = section(tr("Plots"), rows_of(plot_keys())) +
                           section(tr("Network graph"), rows_of(ZoomView::keys())) +
                           section(tr("Timeline"), rows_of(TimelineCanvas::keys()));
  auto* columns = new QHBoxLayout;
  for (const QString& text : {section(tr("Menus"), of_menus), pictures,
                              section(tr("Study"), study) + section(tr("Everywhere"), everywhere)}) {
    auto* label = new QLabel(text);
    label->setTextFormat(Qt::RichText);
    label->setAlignment(Qt::AlignTop);
    columns->addWidget(label);
  }
  auto* close = new QDialogButtonBox(QDialogButtonBox::Close);
  connect(close, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(columns);
  layout->addWidget(close);
}

}  // namespace tilewright::gui
