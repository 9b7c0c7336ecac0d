// Runs the built program as a user would and keeps what it said.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tilewright::test {

struct Outcome {
  int code = -1;  // exit code; 128 + signal when killed
  std::string out, err;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A folder of its own that goes with the object.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tilewright-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// `arguments` as typed in a shell, run from the source folder.
inline Outcome tilewright(const std::string& arguments) {
  const Scratch scratch;
  const std::string command = "cd '" TILEWRIGHT_SOURCE_DIR "' && '" TILEWRIGHT_PROGRAM "' " + arguments + " >'" +
                              scratch.path("out") + "' 2>'" + scratch.path("err") + "' </dev/null";
  const int status = std::system(command.c_str());
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = slurp(scratch.path("out"));
  outcome.err = slurp(scratch.path("err"));
  return outcome;
}

}  // namespace tilewright::test
