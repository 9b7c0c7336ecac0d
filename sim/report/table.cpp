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

std::string wrapped(std::string lead, const std::vector<std::string>& parts, std::string_view separator,
                    std::size_t indent, std::size_t width) {
  std::string out;
  std::string line = std::move(lead);
  bool begun = false;  // the line has a part
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 < parts.size() ? std::string(separator) : std::string());
    if (begun && line.size() + part.find_last_not_of(' ') + 1 > width) {
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
      line.assign(indent, ' ');
    }
    line += part;
    begun = true;
  }
  return out + line + "\n";
}

std::string paragraph(const std::string& sentence, std::size_t indent, std::size_t width) {
  std::string out;
  std::string_view rest = sentence;
  std::size_t lead = 0;  // spaces before this line
  while (lead + rest.size() > width) {
    std::size_t space = rest.rfind(' ', width - lead);
    if (space == std::string_view::npos || rest.find_first_not_of(' ') > space) {  // a word that fills the line
      space = rest.find(' ', rest.find_first_not_of(' '));
      if (space == std::string_view::npos) break;
    }
    out += std::string(lead, ' ') + std::string(rest.substr(0, space)) + "\n";
    rest.remove_prefix(space + 1);
    lead = indent;
  }
  return out + std::string(lead, ' ') + std::string(rest) + "\n";
}

}  // namespace tilewright
