#include "gui/views/graph_view.hpp"

#include <QCheckBox>
#include <QComboBox>
#include <QGraphicsPathItem>
#include <QGraphicsSceneMouseEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

constexpr double node_width = 150, node_height = 34, gap_x = 24, gap_y = 26;

enum Colouring { by_bound, by_time, by_energy, by_precision };

/// A box that selects its layer.
class NodeItem : public QGraphicsRectItem {
 public:
  NodeItem(const QRectF& box, Selection& selection, int row)
      : QGraphicsRectItem(box), selection_(selection), row_(row) {
    setFlag(QGraphicsItem::ItemIsFocusable);
  }

 protected:
  void mousePressEvent(QGraphicsSceneMouseEvent* /*event*/) override { selection_.select(row_); }

 private:
  Selection& selection_;
  int row_;
};

QPointF centre(const GraphNode& node) { return {node.x * (node_width + gap_x), node.rank * (node_height + gap_y)}; }

QString short_name(const std::string& name) {
  const QString text = QString::fromStdString(name);
  constexpr int most = 20;
  return text.size() <= most ? text : QString(QChar(0x2026)) + text.right(most - 1);
}

/// Words that a figure has in common: the bound's kind, the number format.
template <class Of>
std::vector<std::string> distinct(const std::vector<LayerEvaluation>& layers, const Of& of) {
  std::vector<std::string> words;
  for (const LayerEvaluation& layer : layers) {
    if (std::find(words.begin(), words.end(), of(layer)) == words.end()) words.push_back(of(layer));
  }
  return words;
}

double cost(const LayerEvaluation& layer, bool energy) {
  return static_cast<double>(layer.repeat) * (energy ? layer.energy.total().value : layer.latency.value);
}

}  // namespace

void ZoomView::wheelEvent(QWheelEvent* event) {
  const double factor = std::pow(1.0015, event->angleDelta().y());
  scale(factor, factor);
}

QList<KeyHelp> ZoomView::keys() {
  return {{{Qt::Key_Left, Qt::Key_Right}, QString::fromUtf8("← →"), tr("move across")},
          {{Qt::Key_Up, Qt::Key_Down}, QString::fromUtf8("↑ ↓"), tr("move up and down")},
          {{Qt::Key_Plus, Qt::Key_Minus}, QString::fromUtf8("+ −"), tr("zoom")},
          {{Qt::Key_0}, "0", tr("show all")}};
}

void ZoomView::keyPressEvent(QKeyEvent* event) {
  constexpr double factor = 1.25;
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal: return scale(factor, factor);
    case Qt::Key_Minus: return scale(1 / factor, 1 / factor);
    case Qt::Key_0: return fitInView(sceneRect(), Qt::KeepAspectRatio);
    default: QGraphicsView::keyPressEvent(event);
  }
}

GraphView::GraphView(Selection& selection, QWidget* parent)
    : View(selection, parent),
      colour_(new QComboBox),
      collapse_(new QCheckBox),
      search_(new QLineEdit),
      legend_(new QLabel),
      view_(new ZoomView),
      map_(new ZoomView),
      scene_(new QGraphicsScene(this)) {
  colour_->addItems({"", "", "", ""});
  colour_->setCurrentIndex(by_time);
  colour_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  collapse_->setChecked(true);
  search_->setClearButtonEnabled(true);
  auto* choices = new QHBoxLayout;
  choices->addWidget(colour_);
  choices->addWidget(collapse_);
  choices->addWidget(legend_, 1);
  choices->addWidget(search_);
  auto* drawing = new QHBoxLayout;
  drawing->addWidget(view_, 1);
  drawing->addWidget(map_);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(choices);
  layout->addLayout(drawing, 1);
  for (ZoomView* view : {view_, map_}) view->setScene(scene_);
  view_->setRenderHint(QPainter::Antialiasing);
  view_->setDragMode(QGraphicsView::ScrollHandDrag);
  map_->setFixedWidth(110);
  map_->setInteractive(false);
  map_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  map_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  connect(colour_, &QComboBox::currentIndexChanged, this, [this] { paint_nodes(); });
  connect(collapse_, &QCheckBox::toggled, this, [this] { rebuild(); });
  connect(search_, &QLineEdit::returnPressed, this, &GraphView::find);
  retranslate();
}

void GraphView::retranslate() {
  setAccessibleName(tr("Network graph"));
  view_->setAccessibleName(tr("Network graph"));
  map_->setAccessibleName(tr("Overview"));
  colour_->setAccessibleName(tr("Colour of the boxes"));
  search_->setAccessibleName(tr("Search for a layer"));
  search_->setPlaceholderText(tr("layer or operator"));
  constexpr int buttons = 40;
  search_->setMinimumWidth(search_->fontMetrics().horizontalAdvance(search_->placeholderText()) + buttons);
  collapse_->setText(tr("repeated blocks once"));
  colour_->setItemText(by_bound, tr("colour by bound"));
  colour_->setItemText(by_time, tr("colour by time"));
  colour_->setItemText(by_energy, tr("colour by energy"));
  colour_->setItemText(by_precision, tr("colour by format"));
}

void GraphView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  const bool same = analysis_ && analysis_->graph == analysis->graph;
  analysis_ = analysis;
  if (same) {
    paint_nodes();
  } else {
    rebuild();
  }
}

std::size_t GraphView::row_of(std::size_t node) const { return analysis_->row_of_node[drawing_.nodes[node].layer]; }

void GraphView::rebuild() {
  if (!analysis_) return;
  scene_->clear();
  boxes_.clear();
  drawing_ = draw_graph(analysis_->row_of_node, edges(*analysis_->graph), collapse_->isChecked());
  const QColor ink = palette().color(QPalette::Text), faint = palette().color(QPalette::Mid);
  QPainterPath arrows;
  for (const auto& [from, to] : drawing_.edges) {
    const QPointF start = centre(drawing_.nodes[from]) + QPointF(0, node_height / 2);
    const QPointF end = centre(drawing_.nodes[to]) - QPointF(0, node_height / 2);
    const double bend = std::min((end.y() - start.y()) / 2, 3 * node_height);
    arrows.moveTo(start);
    arrows.cubicTo(start + QPointF(0, bend), end - QPointF(0, bend), end);
  }
  scene_->addPath(arrows, QPen(faint, 1.2));
  for (const GraphBlock& block : drawing_.blocks) {
    QRectF frame;
    for (std::size_t n = block.first; n < block.last; ++n) {
      const QPointF at = centre(drawing_.nodes[n]);
      frame |= QRectF(at.x() - node_width / 2, at.y() - node_height / 2, node_width, node_height);
    }
    frame.adjust(-8, -8, 8, 8);
    scene_->addRect(frame, QPen(faint, 1, Qt::DashLine));
    QGraphicsSimpleTextItem* times = scene_->addSimpleText(QString(QChar(0x00d7)) + QString::number(block.repeat));
    times->setBrush(ink);
    times->setPos(frame.right() + 4, frame.top());
  }
  for (std::size_t n = 0; n < drawing_.nodes.size(); ++n) {
    const Layer& layer = analysis_->graph->layers[drawing_.nodes[n].layer];
    const QPointF at = centre(drawing_.nodes[n]);
    const QRectF box(at.x() - node_width / 2, at.y() - node_height / 2, node_width, node_height);
    auto* item = new NodeItem(box, selection_, static_cast<int>(row_of(n)));
    scene_->addItem(item);
    auto* text = new QGraphicsSimpleTextItem(short_name(layer.name) + '\n' + short_name(layer.op), item);
    QFont small = font();
    small.setPointSizeF(7.5);
    text->setFont(small);
    text->setPos(box.left() + 5, box.top() + 3);
    boxes_.push_back(item);
  }
  scene_->setSceneRect(scene_->itemsBoundingRect().adjusted(-30, -30, 30, 30));
  map_->fitInView(scene_->sceneRect(), Qt::KeepAspectRatio);
  view_->resetTransform();
  view_->centerOn(scene_->sceneRect().center().x(), scene_->sceneRect().top());
  paint_nodes();
}

QColor GraphView::colour_of(std::size_t row) const {
  const std::vector<LayerEvaluation>& layers = analysis_->result.layers;
  const LayerEvaluation& layer = layers[row];
  const auto kind = [&](const auto& of) {
    const std::vector<std::string> words = distinct(layers, of);
    return series_colour(static_cast<std::size_t>(std::find(words.begin(), words.end(), of(layer)) - words.begin()));
  };
  switch (colour_->currentIndex()) {
    case by_bound: return kind([](const LayerEvaluation& l) { return l.bound; });
    case by_precision: return kind([](const LayerEvaluation& l) { return l.precision; });
    default: break;
  }
  const bool energy = colour_->currentIndex() == by_energy;
  double most = 0;
  for (const LayerEvaluation& each : layers) most = std::max(most, cost(each, energy));
  return share_colour(most > 0 ? cost(layer, energy) / most : 0);
}

QString GraphView::legend() const {
  const std::vector<LayerEvaluation>& layers = analysis_->result.layers;
  QStringList entries;
  const auto entry = [&](const QColor& colour, const QString& words) {
    entries << QString("<span style='color:%1'>%2</span> %3")
                   .arg(colour.name(), QString(QChar(0x25a0)), words.toHtmlEscaped());
  };
  const auto kinds = [&](const auto& of) {
    const std::vector<std::string> words = distinct(layers, of);
    for (std::size_t i = 0; i < words.size(); ++i) entry(series_colour(i), QString::fromStdString(words[i]));
  };
  if (colour_->currentIndex() == by_bound) {
    kinds([](const LayerEvaluation& l) { return l.bound; });
  } else if (colour_->currentIndex() == by_precision) {
    kinds([](const LayerEvaluation& l) { return l.precision; });
  } else {
    const bool energy = colour_->currentIndex() == by_energy;
    double most = 0;
    for (const LayerEvaluation& each : layers) most = std::max(most, cost(each, energy));
    entry(share_colour(0), tr("0"));
    entry(share_colour(0.5), "");
    entry(share_colour(1), QString::fromStdString(energy ? human(Joules{most}) : human(Seconds{most})));
  }
  return entries.join("&nbsp;&nbsp;");
}

void GraphView::paint_nodes() {
  if (!analysis_) return;
  for (std::size_t n = 0; n < boxes_.size(); ++n) {
    const QColor fill = colour_of(row_of(n));
    const bool selected = static_cast<int>(row_of(n)) == selection_.row();
    boxes_[n]->setBrush(fill);
    boxes_[n]->setPen(QPen(selected ? palette().color(QPalette::Text) : fill.darker(130), selected ? 3 : 1));
    static_cast<QGraphicsSimpleTextItem*>(boxes_[n]->childItems().front())->setBrush(ink_on(fill));
  }
  legend_->setText(legend());
  view_->setBackgroundBrush(palette().color(QPalette::Base));
  map_->setBackgroundBrush(palette().color(QPalette::AlternateBase));
}

void GraphView::show_selection() {
  if (!analysis_) return;
  paint_nodes();
  for (std::size_t n = 0; n < boxes_.size(); ++n) {
    if (static_cast<int>(row_of(n)) != selection_.row()) continue;
    view_->ensureVisible(boxes_[n]);
    return;
  }
}

/// The next box behind the selected one whose name or operator holds the text.
void GraphView::find() {
  if (!analysis_ || search_->text().isEmpty()) return;
  std::size_t start = 0;
  while (start < boxes_.size() && static_cast<int>(row_of(start)) != selection_.row()) ++start;
  for (std::size_t i = 1; i <= boxes_.size(); ++i) {
    const std::size_t n = (start + i) % boxes_.size();
    const Layer& layer = analysis_->graph->layers[drawing_.nodes[n].layer];
    const bool found =
        QString::fromStdString(layer.name + ' ' + layer.op).contains(search_->text(), Qt::CaseInsensitive);
    if (!found) continue;
    selection_.select(static_cast<int>(row_of(n)));
    view_->centerOn(boxes_[n]);
    return;
  }
}

void GraphView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) rebuild();
}

QString GraphView::csv() const {
  QString text = "node,layer,stands_for,rank\n";
  for (std::size_t n = 0; n < drawing_.nodes.size(); ++n) {
    text +=
        QString("%1,\"%2\",%3,%4\n")
            .arg(n)
            .arg(QString::fromStdString(analysis_->graph->layers[drawing_.nodes[n].layer].name).replace('"', "\"\""))
            .arg(drawing_.nodes[n].stands_for)
            .arg(drawing_.nodes[n].rank);
  }
  return text;
}

}  // namespace tilewright::gui
