// The open tables: each is a table, names its source, and speaks of known devices.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "core/csv.hpp"
#include "core/text_file.hpp"

using namespace tilewright;
namespace fs = std::filesystem;

namespace {

const std::string measured = TILEWRIGHT_SOURCE_DIR "/validation/measured/";

std::string readme(const std::string& folder) { return read_file(measured + folder + "/README.md", 1 << 20); }

std::set<std::string> column(const CsvTable& table, std::string_view name) {
  std::set<std::string> cells;
  for (const CsvRow& row : table.rows) cells.insert(table.text(row, table.column(name)));
  return cells;
}

}  // namespace

TEST_CASE("every open table is named in the README beside it") {
  for (const std::string folder : {"gpu", "chips"}) {
    const std::string text = readme(folder);
    for (const fs::directory_entry& entry : fs::directory_iterator(measured + folder)) {
      INFO(entry.path());
      if (entry.path().extension() != ".csv") continue;
      REQUIRE(text.find(entry.path().filename().string()) != std::string::npos);
    }
  }
}

TEST_CASE("every row of a GPU table has a known device and a source with a licence") {
  const std::string text = readme("gpu");
  const std::set<std::string> devices = column(read_csv(measured + "gpu/devices.csv"), "device");
  for (const std::string name :
       {"gemm", "conv", "vector", "attention", "rnn", "model_latency", "energy", "microbench", "roofline_power"}) {
    INFO(name);
    const CsvTable table = read_csv(measured + "gpu/" + name + ".csv");
    for (const std::string& device : column(table, "device")) {
      INFO(device);
      REQUIRE(devices.contains(device));
    }
    for (const std::string& source : column(table, "source")) {
      INFO(source);
      REQUIRE(text.find("| " + source.substr(0, source.find(':')) + " |") != std::string::npos);
    }
  }
}

TEST_CASE("the published chips have unique names, and sources that their README explains") {
  const CsvTable table = read_csv(measured + "chips/chips_published.csv");
  REQUIRE(column(table, "id").size() == table.rows.size());
  const std::string text = readme("chips");
  for (const std::string& source : column(table, "source")) {
    INFO(source);
    const bool named = text.find(source) != std::string::npos || source.starts_with("mlperf-tiny-v");
    REQUIRE(named);
  }
}
