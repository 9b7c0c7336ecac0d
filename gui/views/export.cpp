#include "gui/views/export.hpp"

#include <QCoreApplication>
#include <QFileInfo>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>

namespace tilewright::gui {
namespace {

QString words(const char* text) { return QCoreApplication::translate("Export", text); }

}  // namespace

QString export_view(Panel& view, const QString& path) {
  view.catch_up();
  const QString kind = QFileInfo(path).suffix().toLower();
  if (kind == "csv") {
    QSaveFile file(path);
    const QByteArray text = view.csv().toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit())
      return file.errorString();
    return {};
  }
  if (kind == "png") {
    QPixmap picture(view.size() * 2);
    picture.setDevicePixelRatio(2);
    view.render(&picture);
    return picture.save(path) ? QString() : words(QT_TRANSLATE_NOOP("Export", "cannot write this file"));
  }
  if (kind == "svg") {
    QSvgGenerator drawing;
    drawing.setFileName(path);
    drawing.setSize(view.size());
    drawing.setViewBox(view.rect());
    QPainter painter;
    if (!painter.begin(&drawing)) return words(QT_TRANSLATE_NOOP("Export", "cannot write this file"));
    view.render(&painter);
    return {};
  }
  if (kind == "pdf") {
    QPdfWriter document(path);
    document.setPageSize(QPageSize(QSizeF(view.size()), QPageSize::Point));
    document.setPageMargins({});
    document.setResolution(72);
    QPainter painter;
    if (!painter.begin(&document)) return words(QT_TRANSLATE_NOOP("Export", "cannot write this file"));
    view.render(&painter);
    return {};
  }
  return words(QT_TRANSLATE_NOOP("Export", "name a file that ends in .png, .svg, .pdf or .csv"));
}

}  // namespace tilewright::gui
