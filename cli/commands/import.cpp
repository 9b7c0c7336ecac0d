// tilewright import: users' own measurements into tables that `validate gpu --data` and `calibrate gpu --data` read.
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "core/csv.hpp"
#include "core/text_file.hpp"
#include "validation/gpu/rows.hpp"
#include "validation/import/import.hpp"

namespace tilewright::cli {
namespace {

constexpr std::size_t shown_kernels = 20;

std::string summary(const Imported& imported, const std::string& folder) {
  std::string text;
  for (const auto& [table, rows] : imported.rows) text += fmt::format("{}/{}.csv: {} rows\n", folder, table, rows);
  if (imported.rows.empty()) text += "no kernel could be imported\n";
  for (const std::string& note : imported.notes) text += fmt::format("note: {}\n", note);
  if (imported.left.empty()) return text;
  text += fmt::format("\nnot imported ({} kernels, all in {}/not_imported.csv):\n", imported.left.size(), folder);
  for (std::size_t i = 0; i < imported.left.size() && i < shown_kernels; ++i) {
    const NotImported& left = imported.left[i];
    text += fmt::format("{:>12.1f} us {:>8} launches  {}: {}\n", left.total_us, left.launches, shown(left.kernel),
                        left.reason);
  }
  return text;
}

std::string left_csv(const Imported& imported) {
  std::string text = "kernel,launches,total_us,reason\n";
  for (const NotImported& left : imported.left)
    text +=
        fmt::format("{},{},{:.6g},{}\n", csv_cell(left.kernel), left.launches, left.total_us, csv_cell(left.reason));
  return text;
}

}  // namespace

int import_files(const FileImportOptions& options) {
  namespace fs = std::filesystem;
  const Imported imported =
      import_measurements({options.files, options.device,
                           options.devices.empty() ? measured_gpu_folder() + "/devices.csv" : options.devices});
  std::error_code error;
  fs::create_directories(options.output, error);
  if (error) throw InputError({options.output, 0, 0, ""}, "the folder cannot be made: " + error.message());
  std::map<std::string, std::string> files = imported.tables;
  files["not_imported.csv"] = left_csv(imported);
  for (const auto& [name, text] : files) {
    if (fs::exists(options.output + "/" + name, error))
      throw InputError({options.output + "/" + name, 0, 0, ""},
                       "stands there already; name a new folder, or give all files in one call");
  }
  for (const auto& [name, text] : files) write_file(options.output + "/" + name, text);
  deliver(summary(imported, options.output), "");
  return imported.rows.empty() ? failed : done;
}

}  // namespace tilewright::cli
