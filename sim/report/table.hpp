// Aligned columns for a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// The first column and those whose heading starts with '<' are left-aligned, the others right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Parts joined by `separator`, broken between parts into lines of at most `width` bytes where a part allows it; every line starts
/// with `indent` spaces.
std::string wrapped(const std::vector<std::string>& parts, std::string_view separator, std::size_t indent,
                    std::size_t width = 120);

}  // namespace tilewright
