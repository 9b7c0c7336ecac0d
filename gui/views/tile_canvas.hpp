// Pictures of one step of a mapping, and of one cycle of a systolic array.
#pragma once

#include <QWidget>

#include "gui/viewmodels/tile_steps.hpp"
#include "gui/viewmodels/wavefront.hpp"

namespace tilewright::gui {

/// The tensors with the part in use, the buffers with what they hold and what came in.
class TileCanvas : public QWidget {
  Q_OBJECT

 public:
  explicit TileCanvas(QWidget* parent = nullptr);
  void show_step(std::shared_ptr<const TileSteps> steps, std::size_t step);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void paint_tensor(QPainter& painter, const QRectF& place, std::size_t tensor) const;
  void paint_buffer(QPainter& painter, const QRectF& place, std::size_t buffer) const;

  std::shared_ptr<const TileSteps> steps_;
  std::size_t step_ = 0;
};

/// A square for each PE: the streamed word that it multiplies by colour and number, `w` for a word on its way in.
class WavefrontCanvas : public QWidget {
  Q_OBJECT

 public:
  explicit WavefrontCanvas(QWidget* parent = nullptr);
  void show_cycle(WavefrontPtr wavefront, std::size_t cycle);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  WavefrontPtr wavefront_;
  std::size_t cycle_ = 0;
};

}  // namespace tilewright::gui
