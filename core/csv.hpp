// CSV tables (RFC 4180 quoting) with correctly rounded numbers and errors by line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostics.hpp"

namespace tilewright {

struct CsvRow {
  int line = 0;
  std::vector<std::string> cells;
};

struct CsvTable {
  std::string file;
  std::vector<std::string> header;
  std::vector<CsvRow> rows;

  /// Index of a column; InputError naming the nearest header when it is missing.
  std::size_t column(std::string_view name) const;
  bool has(std::string_view column) const;
  /// Cell as text, exact integer or number (std::from_chars); InputError with file, line and column name.
  const std::string& text(const CsvRow& row, std::size_t column) const;
  std::int64_t integer(const CsvRow& row, std::size_t column, std::int64_t least, std::int64_t most) const;
  double number(const CsvRow& row, std::size_t column) const;
};

/// Blanks around an unquoted cell are dropped and blank lines skipped; a line break inside quotes is kept as "\n".
/// Reads a file: CRLF and a UTF-8 byte order mark are accepted. A row with another number of cells than the header is an
/// error, except that with `trailing_commas` empty cells at the end of the header, and those of a row beyond the header,
/// are dropped first.
CsvTable read_csv(const std::string& path, bool trailing_commas = false);
CsvTable parse_csv(const std::string& text, const std::string& name, bool trailing_commas = false);

/// One RFC 4180 cell: quoted when it holds a comma, quote or line break.
std::string csv_cell(std::string_view text);

}  // namespace tilewright
