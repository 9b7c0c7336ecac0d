#include "core/text_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "core/diagnostics.hpp"

namespace tilewright {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const std::string& path, std::string_view message) {
  throw InputError({path, 0, 0, ""}, message);
}

void write_bytes(const std::string& shown_path, const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!out) fail(shown_path, fmt::format("cannot write here: {}", std::strerror(errno)));
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) fail(shown_path, fmt::format("writing failed: {}", std::strerror(errno)));
}

}  // namespace

std::string read_file(const std::string& path, std::int64_t most) {
  if (path.empty()) throw InputError({"", 0, 0, ""}, "the file name is empty");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail(path, "no such file");
  if (status.type() == fs::file_type::none) fail(path, fmt::format("cannot look at this file: {}", error.message()));
  if (status.type() == fs::file_type::directory) fail(path, "this is a folder; name a file in it");
  if (status.type() != fs::file_type::regular) fail(path, "not a regular file");

  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, fmt::format("cannot read this file: {}", std::strerror(errno)));
  std::string bytes;
  char block[65536];
  while (in.read(block, sizeof block), in.gcount() > 0) {
    bytes.append(block, static_cast<std::size_t>(in.gcount()));
    if (static_cast<std::int64_t>(bytes.size()) > most) {
      fail(path, fmt::format("larger than the {} bytes that are accepted here", most));
    }
  }
  if (in.bad()) fail(path, fmt::format("reading failed: {}", std::strerror(errno)));
  return bytes;
}

void write_file(const std::string& path, std::string_view bytes) {
  if (path.empty()) throw InputError({"", 0, 0, ""}, "the name of the output file is empty");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::directory) fail(path, "this is a folder; name a file in it");
  if (fs::exists(status) && status.type() != fs::file_type::regular) {
    write_bytes(path, path, bytes);  // a pipe or a device such as /dev/stdout: there is nothing to rename onto
    return;
  }
  fs::path target = path;
  if (fs::exists(status)) target = fs::canonical(target, error);  // write through a symbolic link, do not replace it
  if (error) target = path;
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) {
    fail(path, fmt::format("the folder '{}' does not exist; make it first", folder.string()));
  }

  fs::path part = target;
  part += fmt::format(".part-{}", ::getpid());
  std::error_code ignored;
  try {
    write_bytes(path, part, bytes);
  } catch (const InputError&) {
    fs::remove(part, ignored);
    throw;
  }
  if (fs::exists(status)) fs::permissions(part, status.permissions(), ignored);
  fs::rename(part, target, error);
  if (error) {
    fs::remove(part, ignored);
    fail(path, fmt::format("cannot write here: {}", error.message()));
  }
}

}  // namespace tilewright
