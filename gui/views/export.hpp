// A view as a file: .png at twice its size, .svg, .pdf, or .csv of the figures that it draws.
#pragma once

#include <QString>

#include "gui/views/view.hpp"

namespace tilewright::gui {

/// Empty: written. Else why not.
QString export_view(Panel& view, const QString& path);

}  // namespace tilewright::gui
