// The tables of measurements: their columns, and new ones as CSV text.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// Columns of one table in the order of the open tables (validation/measured/gpu).
struct TableKind {
  std::string_view name;  // file name without ".csv"
  std::vector<std::string_view> columns;
};
/// gemm, conv, vector, attention, microbench, roofline_power, devices.
std::span<const TableKind> table_kinds();
/// Precondition: a name of `table_kinds()`.
const TableKind& table_kind(std::string_view name);

/// A table under construction: the columns of its kind first, then further ones; a cell that is not set is empty (not known).
class MeasuredTable {
 public:
  using Cells = std::map<std::string, std::string>;

  /// `further`: columns behind those of the kind, such as provenance. Columns of the kind that stand in it again are dropped.
  MeasuredTable(std::string_view kind, const std::vector<std::string>& further);
  /// A cell of a column that the table does not have is a mistake of the caller (std::logic_error).
  void add(const Cells& cells);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  /// Header and rows, RFC 4180, one "\n" a line.
  std::string csv() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// A figure as the tables write it: at most six significant digits, no exponent below 1e9.
std::string figure(double value);

}  // namespace tilewright
