#include "core/data_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "core/diagnostics.hpp"

namespace tilewright {

namespace fs = std::filesystem;

std::string data_folder(std::string_view built, std::string_view room, std::string_view part) {
  std::error_code ignored;
  const fs::path beside_source = fs::path(built) / part;
  if (fs::is_directory(beside_source, ignored)) return beside_source.string();
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share" / "tilewright" / room / part;
  if (fs::is_directory(installed, ignored)) return installed.string();
  throw InputError({installed.string(), 0, 0, ""},
                   fmt::format("the data folder is missing here and at '{}'; install the program with its share folder",
                               beside_source.string()));
}

}  // namespace tilewright
