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

/// `lead` and the parts joined by `separator`, on lines of at most `width` bytes that break between parts (a longer part stays whole);
/// the lines behind the first start with `indent` spaces.
std::string wrapped(std::string lead, const std::vector<std::string>& parts, std::string_view separator,
                    std::size_t indent, std::size_t width = 120);

/// A sentence on lines of `width` bytes, broken between words; the lines behind the first start with `indent` more spaces.
std::string paragraph(const std::string& sentence, std::size_t indent = 0, std::size_t width = 120);

}  // namespace tilewright
