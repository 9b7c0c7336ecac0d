#include "sim/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tilewright {
namespace {

std::string_view cell(std::string_view text) { return text.starts_with('<') ? text.substr(1) : text; }

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], cell(row[i]).size());
  }
  std::string out;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows_[r].size(); ++i) {
      const bool left = i == 0 || rows_.front()[i].starts_with('<');
      line += left ? fmt::format("{:<{}}", cell(rows_[r][i]), widths[i])
                   : fmt::format("{:>{}}", cell(rows_[r][i]), widths[i]);
      if (i + 1 < rows_[r].size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    if (r == 0) out += std::string(line.size(), '-') + "\n";
  }
  return out;
}

std::string wrapped(const std::vector<std::string>& parts, std::string_view separator, std::size_t indent,
                    std::size_t width) {
  std::string out;
  std::string line(indent, ' ');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 < parts.size() ? std::string(separator) : std::string());
    if (line.size() > indent && line.size() + part.size() > width) {
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
      line.assign(indent, ' ');
    }
    line += part;
  }
  return out + line + "\n";
}

}  // namespace tilewright
