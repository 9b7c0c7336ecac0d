// CSV tables inside a text of any size, row by row: reports with lines of their tool before, between and behind.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.hpp"

namespace tilewright {

/// A table begins at a line that `is_header` accepts and ends at a blank line or a new header. Lines outside tables, and those that begin with "==", are skipped.
class CsvStream {
 public:
  CsvStream(std::istream& in, std::string path, std::function<bool(const std::vector<std::string>&)> is_header);

  /// The next row of a table; none at the end. After a change of table `header()` is the new one. InputError for a row with another number of cells than its header, and for an open quote.
  std::optional<CsvRow> next();
  const std::vector<std::string>& header() const { return header_; }
  /// Column whose name is or begins with one of the words; none when there is no such column.
  std::optional<std::size_t> column(std::initializer_list<std::string_view> words) const;
  [[noreturn]] void fail(const CsvRow& row, std::size_t column, const std::string& message) const;
  /// A number with thousands separators; InputError with line and column.
  double number(const CsvRow& row, std::size_t column) const;

 private:
  std::optional<std::string> record();  // one line, or several that a quoted cell joins

  std::istream& in_;
  std::string path_;
  std::function<bool(const std::vector<std::string>&)> is_header_;
  std::vector<std::string> header_;
  bool in_table_ = false;
  int line_ = 0, first_line_ = 0;
};

}  // namespace tilewright
