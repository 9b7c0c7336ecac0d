#include "core/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#define CSV_IO_NO_THREAD  // the text is in memory already: no reader thread
#include <libfccp/csv.h>

#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_csv_bytes = std::int64_t{256} << 20;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cells of one record. The library finds the lines (CRLF, byte order mark); a quoted cell may go on over several.
/// Its own number and cell parsers are not used: they read 0.3 inexactly and an empty cell as zero.
class Records {
 public:
  Records(const std::string& text, const std::string& name)
      : name_(name), lines_(name, text.data(), text.data() + text.size()) {}

  /// The next record that is not a blank line; none at the end.
  std::optional<CsvRow> next() {
    while (read_line()) {
      if (trimmed(line_).empty()) continue;
      CsvRow row;
      row.line = line_number_;
      std::size_t at = 0;
      while (true) {
        row.cells.push_back(read_cell(at));
        if (at == line_.size()) return row;
        ++at;  // the comma
      }
    }
    return std::nullopt;
  }

 private:
  bool read_line() {
    try {
      const char* line = lines_.next_line();
      if (line == nullptr) return false;
      line_ = line;
    } catch (const io::error::line_length_limit_exceeded&) {
      fail("a line is longer than 16 MiB; is this a CSV file?");
    }
    ++line_number_;
    return true;
  }

  std::string read_cell(std::size_t& at) {
    const std::size_t first = line_.find_first_not_of(" \t", at);
    if (first != std::string::npos && line_[first] == '"') {
      at = first + 1;
      return read_quoted(at);
    }
    const std::size_t begin = at;
    at = std::min(line_.find(',', at), line_.size());
    const std::string_view cell = trimmed(std::string_view(line_).substr(begin, at - begin));
    if (cell.find('"') != std::string_view::npos) {
      fail(
          fmt::format("a quote inside the unquoted cell '{}'; quote the whole cell and double the quote", shown(cell)));
    }
    return std::string(cell);
  }

  std::string read_quoted(std::size_t& at) {
    const int opened = line_number_;
    std::string cell;
    while (true) {
      const std::size_t quote = line_.find('"', at);
      cell.append(line_, at, quote == std::string::npos ? quote : quote - at);
      if (quote == std::string::npos) {
        if (!read_line()) {
          line_number_ = opened;
          fail("a quoted cell that opens here is never closed");
        }
        cell += '\n';
        at = 0;
      } else if (quote + 1 < line_.size() && line_[quote + 1] == '"') {
        cell += '"';
        at = quote + 2;
      } else {
        at = std::min(line_.find_first_not_of(" \t", quote + 1), line_.size());
        if (at < line_.size() && line_[at] != ',') {
          fail(fmt::format("text after the closing quote of '{}'; put a comma between cells", shown(cell)));
        }
        return cell;
      }
    }
  }

  [[noreturn]] void fail(std::string_view message) const { throw InputError({name_, line_number_, 0, ""}, message); }

  const std::string& name_;
  io::LineReader lines_;
  std::string line_;
  int line_number_ = 0;
};

void check_header(const CsvTable& table, int line) {
  std::set<std::string> seen;
  for (const std::string& column : table.header) {
    if (!column.empty() && !seen.insert(column).second) {
      throw InputError({table.file, line, 0, shown(column)}, "this column stands twice in the header");
    }
  }
}

Place cell_place(const CsvTable& table, const CsvRow& row, std::size_t column) {
  return {table.file, row.line, static_cast<int>(column) + 1, column < table.header.size() ? table.header[column] : ""};
}

}  // namespace

bool CsvTable::has(std::string_view column) const {
  return std::find(header.begin(), header.end(), column) != header.end();
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) throw InputError({file, 1, 0, ""}, unknown_message("column", name, header));
  return static_cast<std::size_t>(found - header.begin());
}

const std::string& CsvTable::text(const CsvRow& row, std::size_t column) const {
  if (column >= row.cells.size()) throw InputError(cell_place(*this, row, column), "the row has no such cell");
  return row.cells[column];
}

std::int64_t CsvTable::integer(const CsvRow& row, std::size_t column, std::int64_t least, std::int64_t most) const {
  const std::string& cell = text(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size() || value < least || value > most) {
    throw InputError(cell_place(*this, row, column),
                     cell.empty() ? fmt::format("the cell is empty; an integer from {} to {} is needed", least, most)
                                  : fmt::format("'{}' is not an integer from {} to {}", shown(cell), least, most));
  }
  return value;
}

double CsvTable::number(const CsvRow& row, std::size_t column) const {
  const std::string& cell = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(value)) {
    throw InputError(cell_place(*this, row, column), cell.empty()
                                                         ? std::string("the cell is empty; a number is needed")
                                                         : fmt::format("'{}' is not a finite number", shown(cell)));
  }
  return value;
}

CsvTable parse_csv(const std::string& text, const std::string& name, bool trailing_commas) {
  if (const std::size_t zero = text.find('\0'); zero != std::string::npos) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n') + 1;
    throw InputError({name, static_cast<int>(line), 0, ""}, "a zero byte: this is not a CSV text file");
  }
  CsvTable table;
  table.file = name;
  Records records(text, name);
  std::optional<CsvRow> header = records.next();
  if (!header) throw InputError({name, 0, 0, ""}, "the table is empty; its first line must name the columns");
  table.header = std::move(header->cells);
  while (trailing_commas && table.header.size() > 1 && table.header.back().empty()) table.header.pop_back();
  check_header(table, header->line);

  while (std::optional<CsvRow> row = records.next()) {
    while (trailing_commas && row->cells.size() > table.header.size() && row->cells.back().empty())
      row->cells.pop_back();
    if (row->cells.size() != table.header.size()) {
      throw InputError({name, row->line, 0, ""},
                       fmt::format("the row has {} cells, the header has {}", row->cells.size(), table.header.size()));
    }
    table.rows.push_back(std::move(*row));
  }
  return table;
}

CsvTable read_csv(const std::string& path, bool trailing_commas) {
  return parse_csv(read_file(path, most_csv_bytes), path, trailing_commas);
}

std::string csv_cell(std::string_view text) {
  const bool outer_blank = !text.empty() && (trimmed(text).size() != text.size());
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && !outer_blank) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

}  // namespace tilewright
