// Colours that the colour-blind can tell apart, on light and on dark ground.
#pragma once

#include <QColor>
#include <QIcon>
#include <QPalette>
#include <QString>

#include "gui/views/keys.hpp"

class QCPAxis;
class QCustomPlot;
class QPainter;

namespace tilewright::gui {

/// Okabe and Ito, "Color Universal Design" (2008), the two that vanish on one of the grounds left out; again from the first after the last.
QColor series_colour(std::size_t i);

/// Viridis (van der Walt and Smith, 2015) at share 0 to 1, linear between eight of its colours.
QColor share_colour(double share);

/// Black or white, whichever reads better on the ground.
QColor ink_on(const QColor& ground);

QPalette light_palette();
QPalette dark_palette();

/// One line of text in the painter's font, drawn narrower where it does not fit and ended by "…" only where that is not enough.
void draw_fitted(QPainter& painter, const QRectF& place, int flags, const QString& text);

/// The shape of a style's icon in another colour: the style draws black ones on dark ground too.
QIcon tinted(const QIcon& icon, const QColor& colour);

/// Powers of ten.
void log_axis(QCPAxis& axis);

/// The plot takes the focus: arrows move it, plus and minus zoom, within the axes that the mouse may drag and zoom.
void steer_by_keys(QCustomPlot& plot);
QList<KeyHelp> plot_keys();

/// Axes, grid and ground of a plot in the colours of a palette.
void style_plot(QCustomPlot& plot, const QPalette& palette);

}  // namespace tilewright::gui
