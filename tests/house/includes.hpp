// Which room may include which: the arrows of docs/architecture.md, as rules over #include lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright::house {

/// One #include line. `path` and `file` are relative to the root of the tree.
struct Include {
  std::string file;
  int line = 0;
  std::string path;      // between the quotes or brackets
  bool bracket = false;  // <path>
};

/// The #include lines of a source text.
std::vector<Include> includes_of(const std::string& file, std::string_view text);

/// The #include lines of every .hpp and .cpp below `root`, build trees and dot folders left out.
std::vector<Include> includes_in_tree(const std::string& root);

/// Why the line is not allowed, with file and line; empty when it is.
std::string objection(const Include& include);

}  // namespace tilewright::house
