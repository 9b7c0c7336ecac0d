#include "gui/viewmodels/validation_rows.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "sim/report/layer_view.hpp"
#include "validation/gpu/validate.hpp"

namespace tilewright::gui {
namespace {

std::vector<std::string> distinct(const std::vector<ValidationRow>& rows, std::string ValidationRow::*field) {
  std::set<std::string> words;
  for (const ValidationRow& row : rows) words.insert(row.*field);
  return {words.begin(), words.end()};
}

}  // namespace

std::vector<ValidationRow> gpu_validation_rows() {
  const MeasuredData data = read_measured(measured_gpu_folder());
  std::vector<std::string> notes;
  std::vector<ValidationRow> rows;
  for (const ComparedRow& compared : compare(data, library_calibration(), LeaveOut::none, notes)) {
    const MeasuredRow& row = *compared.row;
    if (!row.flag.empty()) continue;  // rows that the tables themselves call doubtful
    rows.push_back({row.device, row.op, row.precision, row.table, shape_text(row.kernel), row.latency.value,
                    compared.time.total.value, explain(compared.time)});
  }
  return rows;
}

void ValidationModel::show(std::vector<ValidationRow> rows) {
  beginResetModel();
  rows_ = std::move(rows);
  shown_.clear();
  endResetModel();
  filter("", "");
}

void ValidationModel::filter(const std::string& device, const std::string& op) {
  beginResetModel();
  shown_.clear();
  for (const ValidationRow& row : rows_) {
    if ((device.empty() || row.device == device) && (op.empty() || row.op == op)) shown_.push_back(&row);
  }
  // By the factor that the prediction is off, whichever way.
  std::stable_sort(shown_.begin(), shown_.end(), [](const ValidationRow* a, const ValidationRow* b) {
    return std::abs(std::log(a->predicted_s / a->measured_s)) > std::abs(std::log(b->predicted_s / b->measured_s));
  });
  endResetModel();
}

double ValidationModel::mean_error_pct() const {
  double sum = 0;
  for (const ValidationRow* row : shown_) sum += std::abs(row->error());
  return shown_.empty() ? 0 : 100 * sum / static_cast<double>(shown_.size());
}

std::vector<std::string> ValidationModel::devices() const { return distinct(rows_, &ValidationRow::device); }
std::vector<std::string> ValidationModel::ops() const { return distinct(rows_, &ValidationRow::op); }

int ValidationModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(shown_.size());
}
int ValidationModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : 7; }

QVariant ValidationModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const ValidationRow& row = *shown_[static_cast<std::size_t>(index.row())];
  if (role == Qt::ToolTipRole) return QString::fromStdString(row.why);
  if (role != Qt::DisplayRole && role != figure_role) return {};
  const std::string* words[] = {&row.device, &row.op, &row.precision, &row.shape};
  if (index.column() < 4) return QString::fromStdString(*words[index.column()]);
  const double figure = index.column() == 4 ? row.measured_s : index.column() == 5 ? row.predicted_s : row.error();
  if (role == figure_role) return figure;
  if (index.column() == 6) return QString("%1%2 %").arg(figure > 0 ? "+" : "").arg(100 * figure, 0, 'f', 0);
  return QString::fromStdString(human(Seconds{figure}));
}

QVariant ValidationModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (orientation == Qt::Vertical) return section + 1;
  switch (section) {
    case 0: return tr("Device");
    case 1: return tr("Operator");
    case 2: return tr("Format");
    case 3: return tr("Shape");
    case 4: return tr("Measured");
    case 5: return tr("Predicted");
    default: return tr("Error");
  }
}

}  // namespace tilewright::gui
