#include "validation/tables/tables.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "core/csv.hpp"
#include "validation/tables/device_name.hpp"
#include "validation/tables/sample.hpp"

using namespace tilewright;

namespace {

const std::vector<std::string>& devices() {
  static const std::vector<std::string> names = [] {
    const CsvTable table = read_csv(TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/devices.csv");
    std::vector<std::string> keys;
    for (const CsvRow& row : table.rows) keys.push_back(table.text(row, table.column("device")));
    return keys;
  }();
  return names;
}

}  // namespace

TEST_CASE("a new table has the columns of the open one, in their order") {
  for (const TableKind& kind : table_kinds()) {
    INFO(kind.name);
    const CsvTable open = read_csv(TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/" + std::string(kind.name) + ".csv");
    REQUIRE(open.header == std::vector<std::string>(kind.columns.begin(), kind.columns.end()));
  }
}

TEST_CASE("cells stand under their columns, unknown ones stay empty, and commas are quoted") {
  MeasuredTable table("vector", {"driver", "device"});  // device stands in the kind already
  REQUIRE(table.empty());
  table.add({{"device", "T4"}, {"latency_us", "1.5"}, {"driver", "580.1, open"}});
  REQUIRE(table.size() == 1);
  REQUIRE(table.csv() ==
          "device,dtype,op,rows,cols,n_inputs,latency_us,timing,flag,source,driver\n"
          "T4,,,,,,1.5,,,,\"580.1, open\"\n");
  REQUIRE_THROWS_AS(table.add({{"latency", "1"}}), std::logic_error);
  REQUIRE_THROWS_AS(table_kind("gem"), std::logic_error);
}

TEST_CASE("figures have six digits") {
  REQUIRE(figure(0) == "0");
  REQUIRE(figure(1234.5678) == "1234.57");
  REQUIRE(figure(0.00123456789) == "0.00123457");
  REQUIRE(figure(123456789) == "1.23457e+08");
}

TEST_CASE("percentiles interpolate between the ranks") {
  // 1 2 3 4 5: rank of the median 2, of p5 0.05 x 4 = 0.2, of p95 3.8
  const SampleSummary summary = summary_of({5, 1, 4, 2, 3});
  REQUIRE(summary.count == 5);
  REQUIRE(summary.least == 1);
  REQUIRE(summary.median == 3);
  REQUIRE(summary.p5 == Approx(1.2));
  REQUIRE(summary.p95 == Approx(4.8));
  REQUIRE(summary_of({7}).p95 == 7);
  REQUIRE(percentile({2, 1}, 0.5) == 1.5);
}

TEST_CASE("a device is found under the name of its driver") {
  const std::vector<std::pair<std::string, std::string>> pairs{{"NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB"},
                                                               {"NVIDIA A100 80GB PCIe", "A100-PCIE-80GB"},
                                                               {"A100-PCIE-40GB", "A100-PCIE-40GB"},
                                                               {"Tesla V100-SXM2-16GB", "V100-SXM2-16GB"},
                                                               {"Tesla T4", "T4"},
                                                               {"NVIDIA L4", "L4"},
                                                               {"NVIDIA L40", "L40"},
                                                               {"NVIDIA L40S", "L40S"},
                                                               {"NVIDIA A10", "A10"},
                                                               {"NVIDIA GeForce RTX 4090", "RTX4090"},
                                                               {"NVIDIA GeForce RTX 2080 Ti", "RTX2080Ti"},
                                                               {"NVIDIA TITAN Xp", "TitanXp"},
                                                               {"NVIDIA H100 80GB HBM3", "H100-SXM5-80GB"},
                                                               {"NVIDIA H100 PCIe", "H100-PCIE-80GB"},
                                                               {"NVIDIA H200", "H200-SXM-141GB"},
                                                               {"NVIDIA B200", "B200-SXM-180GB"},
                                                               {"Quadro RTX 6000", "QuadroRTX6000"},
                                                               {"Quadro GV100", "V100-QuadroGV100"},
                                                               {"Tesla M40 24GB", "M40-24GB"},
                                                               {"Tesla P100-PCIE-16GB", "P100-PCIE-16GB"}};
  for (const auto& [driver, key] : pairs) {
    INFO(driver);
    REQUIRE(device_key(driver, devices()) == key);
  }
}

TEST_CASE("a name that fits several devices or none is not guessed") {
  REQUIRE_FALSE(device_key("NVIDIA A100", devices()));
  REQUIRE_FALSE(device_key("NVIDIA GeForce RTX 5090", devices()));
  REQUIRE_FALSE(device_key("NVIDIA", devices()));
  REQUIRE(new_device_key("NVIDIA GeForce RTX 5090") == "RTX-5090");
  REQUIRE(new_device_key("") == "unnamed");
}
