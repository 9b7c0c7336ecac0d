#include "validation/systolic.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

using namespace tilewright;

namespace {

const std::string golden = TILEWRIGHT_SOURCE_DIR "/validation/measured/scalesim/golden_v2.csv";

/// The first row of the golden table with one cell changed, as a file of its own.
class ChangedTable {
 public:
  ChangedTable(const std::string& column, const std::string& value) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tilewright-systolic-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    const CsvTable table = read_csv(golden);
    std::string text, row;
    for (std::size_t i = 0; i < table.header.size(); ++i) {
      text += (i > 0 ? "," : "") + table.header[i];
      row += (i > 0 ? "," : "") + (table.header[i] == column ? value : table.rows.front().cells[i]);
    }
    write_file(path(), text + "\n" + row + "\n");
  }
  ~ChangedTable() { std::filesystem::remove_all(folder_); }
  ChangedTable(const ChangedTable&) = delete;
  ChangedTable& operator=(const ChangedTable&) = delete;
  std::string path() const { return (folder_ / "table.csv").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace

TEST_CASE("every figure of SCALE-Sim version 2 is reproduced on all 275 reference rows") {
  const SuiteResult result = validate_systolic("");
  for (const std::string& row : result.groups.front().worst) WARN(row);
  REQUIRE(result.pass);
  REQUIRE(result.groups.front().n == 275);
  REQUIRE(result.groups.size() == 7);  // all; CALC and USER with three dataflows each
  std::int64_t calc = 0;
  for (const SuiteGroup& group : result.groups)
    if (group.keys.at("mode") == "CALC") calc += group.n;
  REQUIRE(calc == 173);
}

TEST_CASE("a wrong figure in the table is found and named with its line and column") {
  const ChangedTable table("dram_ifmap_reads", "262143");
  const SuiteResult result = validate_systolic(table.path());
  REQUIRE_FALSE(result.pass);
  REQUIRE(result.groups.front().mismatches == 1);
  REQUIRE(result.groups.front().first_mismatch ==
          "line 2, GEMM_mnk/NCF.csv 10 on 12x14: dram_ifmap_reads 262144, expected 262143");
}

TEST_CASE("a figure that is off by two in the ninth digit is a mismatch") {
  REQUIRE_FALSE(validate_systolic(ChangedTable("overall_util_pct", "2.466264609").path()).pass);
  REQUIRE(validate_systolic(ChangedTable("overall_util_pct", "2.466264604").path()).pass);
}

TEST_CASE("a malformed table is an error with line and column") {
  REQUIRE_THROWS_WITH(validate_systolic(ChangedTable("dataflow", "wss").path()),
                      Catch::Contains(":2: dataflow") && Catch::Contains("Did you mean 'ws'?"));
  REQUIRE_THROWS_AS(validate_systolic(ChangedTable("rows", "0").path()), InputError);
  REQUIRE_THROWS_AS(validate_systolic(ChangedTable("filter_h", "129").path()), InputError);
  REQUIRE_THROWS_AS(validate_systolic("/nowhere/table.csv"), InputError);
}
