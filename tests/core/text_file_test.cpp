#include "core/text_file.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>

#include "tests/core/message_of.hpp"

using namespace tilewright;
namespace fs = std::filesystem;

namespace {

/// A folder of this test alone, removed at the end.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("tilewright-text-file-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path / name).string(); }
};

}  // namespace

TEST_CASE("bytes that are written are read back as they are") {
  const Folder folder;
  const std::string bytes("a\r\n\0\xff", 5);
  write_file(folder.file("x"), bytes);
  REQUIRE(read_file(folder.file("x"), 5) == bytes);
  write_file(folder.file("x"), "");  // an old file is replaced
  REQUIRE(read_file(folder.file("x"), 5).empty());
  REQUIRE(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator{}) == 1);  // no part file is left
}

TEST_CASE("a file above the limit, a missing file and a folder are input errors with the path") {
  const Folder folder;
  const std::string path = folder.file("x");
  write_file(path, "123456");
  REQUIRE(message_of([&] { read_file(path, 5); }) == path + ": larger than the 5 bytes that are accepted here");
  REQUIRE(message_of([&] { read_file(folder.file("none"), 5); }) == folder.file("none") + ": no such file");
  REQUIRE(message_of([&] { read_file(folder.path.string(), 5); }) ==
          folder.path.string() + ": this is a folder; name a file in it");
  REQUIRE(message_of([&] { read_file(path + "/below", 5); }) == path + "/below: no such file");
  REQUIRE(message_of([&] { read_file("/dev/null", 5); }) == "/dev/null: not a regular file");
  REQUIRE(message_of([&] { read_file("", 5); }) == "the file name is empty");
}

TEST_CASE("writing into a missing folder or over a folder says what to do") {
  const Folder folder;
  REQUIRE(message_of([&] { write_file(folder.file("none/x"), "1"); }) ==
          folder.file("none/x") + ": the folder '" + folder.file("none") + "' does not exist; make it first");
  REQUIRE(message_of([&] { write_file(folder.path.string(), "1"); }) ==
          folder.path.string() + ": this is a folder; name a file in it");
  REQUIRE_NOTHROW(write_file("/dev/null", "1"));  // a device is written, not replaced
  REQUIRE(fs::is_character_file("/dev/null"));
}

TEST_CASE("writing through a symbolic link keeps the link") {
  const Folder folder;
  write_file(folder.file("x"), "old");
  fs::create_symlink(folder.file("x"), folder.file("link"));
  write_file(folder.file("link"), "new");
  REQUIRE(fs::is_symlink(folder.file("link")));
  REQUIRE(read_file(folder.file("x"), 10) == "new");
}
