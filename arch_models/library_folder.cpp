#include "arch_models/library_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/data_folder.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {

namespace fs = std::filesystem;

std::string library_folder(std::string_view part) {
  return data_folder(TILEWRIGHT_ARCH_MODELS_FOLDER, "arch_models", part);
}

std::vector<std::string> library_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  if (error) throw InputError({folder, 0, 0, ""}, fmt::format("cannot list the folder: {}", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tilewright
