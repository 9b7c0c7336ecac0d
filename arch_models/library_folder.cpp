#include "arch_models/library_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/diagnostics.hpp"

namespace tilewright {

namespace fs = std::filesystem;

std::string library_folder(std::string_view part) {
  std::error_code ignored;
  const fs::path built = fs::path(TILEWRIGHT_ARCH_MODELS_FOLDER) / part;
  if (fs::is_directory(built, ignored)) return built.string();
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share" / "tilewright" / "arch_models" / part;
  if (fs::is_directory(installed, ignored)) return installed.string();
  throw InputError(
      {installed.string(), 0, 0, ""},
      fmt::format("the library folder is missing here and at '{}'; install the program with its share folder",
                  built.string()));
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
