// Reading and writing whole files with errors that say what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tilewright {

/// The bytes of a regular file. InputError for a missing file, a directory, an unreadable file, or more than `most` bytes.
std::string read_file(const std::string& path, std::int64_t most);
/// Write all or nothing (temporary file beside it, then rename). InputError when the folder is missing or not writable.
void write_file(const std::string& path, std::string_view bytes);

}  // namespace tilewright
