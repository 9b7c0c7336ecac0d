#include "validation/chips/chips.hpp"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/diagnostics.hpp"

using namespace tilewright;
using Catch::Contains;

namespace {

constexpr const char* header = "chip,workload,precision,quantity,value,unit,software\n";

/// A chip of one multiplier and one memory that is never the bound, and a table beside it.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("tilewright_chips_test_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
    write("one.yaml",
          "name: one\nfamily: systolic\nsummary: one multiplier\nsource: example\ntechnology_nm: 45\nclock: 1 GHz\n"
          "energy_table: horowitz-2014\n"
          "compute: {rows: 1, cols: 1, dataflow: output_stationary, precisions: {int8: 1}}\n"
          "levels:\n"
          "  - {name: DRAM, bandwidth: 1000 GB/s, read_energy: {value: 1 pJ, per: 8 bit, source: example}}\n"
          "  - {name: Buffer, capacity: 1 MiB, bandwidth: 1000 B/cycle, double_buffered: true}\n"
          "power: {static: 0 W}\n");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string table(const std::string& rows) {
    write("published.csv", header + rows);
    return (path_ / "published.csv").string();
  }

 private:
  void write(const char* name, const std::string& text) { std::ofstream(path_ / name) << text; }
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("published times are compared with the engine's, by family, chip, software and quantity") {
  // 1000 x 10 x 100 = 1e6 MACs on one multiplier at 1 GHz: 1 ms and, per fold of one result, 1 + 1 - 2 = 0 cycles of skew.
  Folder folder;
  const SuiteResult result =
      validate_chips(folder.table("one.yaml,\"gemm:m=1000,n=10,k=100\",int8,compute_time,2,ms,none\n"
                                  "one.yaml,\"gemm:m=1000,n=10,k=100\",int8,compute_time,0.8,ms,none\n"),
                     1);
  REQUIRE(result.pass);
  REQUIRE(result.groups.size() == 4);
  for (const SuiteGroup& group : result.groups) {
    REQUIRE(group.n == 2);
    REQUIRE(*group.mape_pct == Approx(100 * (0.5 + 0.25) / 2));  // 1 for 2 and 1 for 0.8
    REQUIRE(*group.geomean_ratio == Approx(std::sqrt(0.5 * 1.25)));
  }
  REQUIRE(result.groups.back().keys.at("chip") == "one");
  REQUIRE_THAT(result.groups.back().worst.front(), Contains("published 2 ms, predicted 1 ms"));
}

TEST_CASE("a table of published times says what it cannot take") {
  Folder folder;
  const auto [row, message] = GENERATE(table<std::string, std::string>({
      {"one.yaml,resnet18,int8,latenzy,2,ms,none\n", "Did you mean 'latency'?"},
      {"one.yaml,resnet18,int8,latency,2,1/s,none\n", "a latency is given in ms"},
      {"one.yaml,resnet18,int9,latency,2,ms,none\n", "unknown precision 'int9'"},
      {"one.yaml,resnet18,int8,latency,0,ms,none\n", "above 0"},
      {"two.yaml,resnet18,int8,latency,1,ms,none\n", "two.yaml"},
  }));
  REQUIRE_THROWS_WITH(validate_chips(folder.table(row), 1), Contains(message));
}

TEST_CASE("a layer that does not fit is a failed row, named") {
  Folder folder;
  const SuiteResult result = validate_chips(folder.table("one.yaml,gemm,fp64,latency,2,ms,none\n"), 1);
  REQUIRE_FALSE(result.pass);
  REQUIRE_THAT(result.notes.front(), Contains("fp64"));
}
