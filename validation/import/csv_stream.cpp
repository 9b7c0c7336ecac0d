#include "validation/import/csv_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tilewright {
namespace {

/// Cells of one record; quotes are balanced.
std::vector<std::string> cells_of(std::string_view record) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (c == '"') {
      if (quoted && i + 1 < record.size() && record[i + 1] == '"')
        cells.back() += record[++i];
      else
        quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  for (std::string& cell : cells) {
    const std::size_t first = cell.find_first_not_of(' ');
    cell = first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
  }
  return cells;
}

/// ncu ends the row of a metric where the columns of its rules begin.
bool is_rule_column(std::string_view name) { return name.starts_with("Rule") || name.starts_with("Estimated"); }

bool open_quote(std::string_view text) { return std::ranges::count(text, '"') % 2 != 0; }

}  // namespace

CsvStream::CsvStream(std::istream& in, std::string path, std::function<bool(const std::vector<std::string>&)> is_header)
    : in_(in), path_(std::move(path)), is_header_(std::move(is_header)) {}

std::optional<std::string> CsvStream::record() {
  std::string text, line;
  first_line_ = line_ + 1;
  while (std::getline(in_, line)) {
    ++line_;
    if (line.ends_with('\r')) line.pop_back();
    text += line;
    // Lines of the tool itself may hold a lone quote; a cell of a table may go on over several lines.
    if (!in_table_ || !open_quote(text)) return text;
    text += '\n';
  }
  if (!text.empty()) throw InputError({path_, first_line_, 0, ""}, "a quoted cell that opens here is never closed");
  return std::nullopt;
}

std::optional<CsvRow> CsvStream::next() {
  while (std::optional<std::string> text = record()) {
    if (text->starts_with("==")) continue;
    if (text->find_first_not_of(" \t") == std::string::npos) {
      in_table_ = false;
      continue;
    }
    CsvRow row{first_line_, cells_of(*text)};
    if (is_header_(row.cells)) {
      header_ = std::move(row.cells);
      in_table_ = true;
      continue;
    }
    if (!in_table_) continue;
    while (row.cells.size() < header_.size() && is_rule_column(header_[row.cells.size()])) row.cells.emplace_back();
    if (row.cells.size() != header_.size())
      throw InputError({path_, row.line, 0, ""},
                       fmt::format("the row has {} cells, its header has {}; export the report again", row.cells.size(),
                                   header_.size()));
    return row;
  }
  return std::nullopt;
}

std::optional<std::size_t> CsvStream::column(std::initializer_list<std::string_view> words) const {
  for (const std::string_view word : words) {
    const auto found =
        std::ranges::find_if(header_, [&](const std::string& name) { return name == word || name.starts_with(word); });
    if (found != header_.end()) return static_cast<std::size_t>(found - header_.begin());
  }
  return std::nullopt;
}

void CsvStream::fail(const CsvRow& row, std::size_t column, const std::string& message) const {
  throw InputError({path_, row.line, static_cast<int>(column) + 1, header_[column]}, message);
}

double CsvStream::number(const CsvRow& row, std::size_t column) const {
  std::string digits = row.cells[column];
  std::erase(digits, ',');
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value))
    fail(row, column, fmt::format("'{}' is not a number", shown(row.cells[column])));
  return value;
}

}  // namespace tilewright
