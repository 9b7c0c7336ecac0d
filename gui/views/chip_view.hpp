// The chip as a picture and as fields to edit, checked while one types.
#pragma once

#include <optional>

#include "gui/viewmodels/chip_fields.hpp"
#include "gui/views/view.hpp"

class QGridLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QScrollArea;
class QSlider;

namespace tilewright::gui {

/// Levels as boxes, outermost first, links labelled with their bandwidth.
class ChipCanvas : public QWidget {
  Q_OBJECT

 public:
  explicit ChipCanvas(QWidget* parent = nullptr);
  void show_boxes(std::vector<ChipBox> boxes);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  std::vector<ChipBox> boxes_;
};

class ChipView : public View {
  Q_OBJECT

 public:
  explicit ChipView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;
  /// Writes the chip as it stands; empty: written, else why not.
  QString save(const QString& path) const;

 Q_SIGNALS:
  /// A field was given this value; "" where it is what the file says.
  void edited(const QString& key, const QString& value);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  struct Row {
    ChipField field;
    QLineEdit* edit;
    QSlider* slider;  // null: no number
    QLabel* error;
  };

  void build_rows();
  void add_row(QGridLayout& grid, int at, ChipField field);
  void check(std::size_t row);
  void commit(std::size_t row);
  void follow();
  void retranslate();

  ChipCanvas* canvas_;
  QScrollArea* area_;
  QLabel* file_;
  QPushButton* save_;
  AnalysisPtr analysis_;
  std::optional<Value> document_;  // as the file has it
  std::string chip_;
  std::vector<Row> rows_;
};

}  // namespace tilewright::gui
