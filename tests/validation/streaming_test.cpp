#include "validation/streaming.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

using namespace tilewright;

namespace {

/// A folder with the project's designs, one text in stages.csv replaced.
class ChangedFolder {
 public:
  ChangedFolder(const std::string& from, const std::string& to) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tilewright-streaming-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    const std::filesystem::path own = TILEWRIGHT_SOURCE_DIR "/validation/measured/fpga";
    std::filesystem::copy(own / "designs.csv", folder_);
    std::string stages = read_file((own / "stages.csv").string(), 1 << 20);
    REQUIRE(stages.find(from) != std::string::npos);
    stages.replace(stages.find(from), from.size(), to);
    write_file((folder_ / "stages.csv").string(), stages);
  }
  ~ChangedFolder() { std::filesystem::remove_all(folder_); }
  ChangedFolder(const ChangedFolder&) = delete;
  ChangedFolder& operator=(const ChangedFolder&) = delete;
  std::string path() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace

TEST_CASE("the latencies of nine streaming designs lie between the slowest stage and the sum of stages") {
  const SuiteResult result = validate_streaming("");
  REQUIRE(result.pass);
  REQUIRE(result.groups.front().n == 9);
  REQUIRE(result.groups.front().worst.size() == 9);
  REQUIRE(result.groups.front().mape_pct.has_value());
}

TEST_CASE("a malformed table of stages is an error with its line and the nearest name") {
  const ChangedFolder unknown("conv2,conv1,30", "conv2,conv11,30"), rows("conv2,conv1,30", "conv2,conv1,31");
  CHECK_THROWS_WITH(validate_streaming(unknown.path()), Catch::Contains("stages.csv:3") && Catch::Contains("conv1"));
  CHECK_THROWS_WITH(validate_streaming(rows.path()),
                    Catch::Contains("stages.csv:3") && Catch::Contains("conv1 hands out 30 rows"));
}
