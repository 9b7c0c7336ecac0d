// Shell completion scripts generated from the option table.
#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace tilewright::cli {
/// `shell` is bash, zsh or fish.
std::string completion_script(const CLI::App& app, const std::string& shell);
}  // namespace tilewright::cli
