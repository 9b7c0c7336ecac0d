#include "validation/cuda/record.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/csv.hpp"
#include "validation/gpu/validate.hpp"
#include "validation/tables/tables.hpp"

using namespace tilewright;
using namespace tilewright::cuda;

namespace {

Measurement measured(double us) {
  Measurement m;
  m.warm = {30, us, 0.98 * us, 0.99 * us, 1.02 * us};
  m.cold = {30, 1.5 * us, us, us, 2 * us};
  m.single = {30, us + 4, us, us, us + 9};
  m.steady = true;
  m.clock_mhz = m.clock_least_mhz = 1410;
  m.kernel = "cublaslt_algo1";
  return m;
}

DeviceFacts facts(const std::string& name, int capability, std::int64_t sms, std::int64_t boost_mhz) {
  DeviceFacts f;
  f.name = name;
  f.compute_capability = capability;
  f.sms = sms;
  f.boost_khz = 1000 * boost_mhz;
  f.memory_khz = 1'593'000;
  f.bus_bits = 5120;
  f.memory_bytes = std::int64_t{80} << 30;
  f.l2_bytes = 40 << 20;
  f.shared_bytes = 164 << 10;
  f.registers = 65536;
  return f;
}

}  // namespace

TEST_CASE("a row holds times, clocks and origin, and what is not known stays empty") {
  Provenance provenance;
  provenance.device = "L4";
  provenance.cudnn = "9.19.0";
  const Cells cells = record_cells(measured(10), provenance);
  REQUIRE(cells.at("latency_us") == "10");
  REQUIRE(cells.at("cold_us") == "15");
  REQUIRE(cells.at("single_us") == "14");
  REQUIRE(cells.at("p95_us") == "10.2");
  REQUIRE(cells.at("cudnn") == "9.19.0");
  REQUIRE(cells.at("power_w").empty());
  REQUIRE(cells.at("flag").empty());
  MeasuredTable table("gemm", record_columns());
  REQUIRE_NOTHROW(table.add(cells));  // every cell has a column
}

TEST_CASE("a clock that moves is flagged; a warm-up without rest is noted") {
  Measurement m = measured(10);
  m.clock_least_mhz = 1390;  // 1.4 % below the median
  REQUIRE(record_cells(m, {}).at("flag") == "clock_moved");
  m.clock_least_mhz = 1400;
  REQUIRE(record_cells(m, {}).at("flag").empty());
  REQUIRE(record_cells(m, {}).at("steady") == "1");
  m.steady = false;
  REQUIRE(record_cells(m, {}).at("steady") == "0");
}

TEST_CASE("rates of the architectures give the peaks of the data sheets") {
  const CsvTable open = read_csv(TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/devices.csv");
  const auto row_of = [&](const std::string& device) -> const CsvRow& {
    for (const CsvRow& row : open.rows) {
      if (open.text(row, open.column("device")) == device) return row;
    }
    throw std::logic_error(device);
  };
  for (const auto& [name, capability] : {std::pair{"T4", 75}, {"A100-SXM4-80GB", 80}, {"A40", 86}, {"L4", 89}}) {
    const CsvRow& row = row_of(name);
    const auto number = [&](const char* column) { return open.number(row, open.column(column)); };
    const auto cells = device_cells(facts(name, capability, static_cast<std::int64_t>(number("sms")),
                                          static_cast<std::int64_t>(number("boost_mhz"))));
    REQUIRE(cells);
    for (const char* peak : {"fp32_tflops", "fp16_vector_tflops", "fp16_tensor_tflops", "bf16_tensor_tflops",
                             "tf32_tensor_tflops", "int8_tops", "fp8_tensor_tflops"}) {
      INFO(name << " " << peak);
      if (open.text(row, open.column(peak)).empty())
        REQUIRE(cells->at(peak).empty());
      else
        REQUIRE(std::stod(cells->at(peak)) == Approx(number(peak)).epsilon(0.01));
    }
  }
  // The driver reports 1593 MHz and 5120 bits for the A100 80 GB: 2 x 1593e6 x 640 bytes
  REQUIRE(std::stod(device_cells(facts("A100", 80, 108, 1410))->at("dram_gbps")) == Approx(2039).epsilon(0.001));
  REQUIRE_FALSE(device_cells(facts("Old", 61, 20, 1000)));
}

TEST_CASE("hosts are told apart without their names") {
  REQUIRE(host_hash("a").size() == 16);
  REQUIRE(host_hash("a") != host_hash("b"));
  REQUIRE(host_hash("a") == "af63dc4c8601ec8c");  // FNV-1a, test vector of its authors
}

TEST_CASE("validate gpu reads tables of the bench, for a device that no table knows as well") {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "tilewright-bench-XXXXXX").string();
  const fs::path folder = mkdtemp(pattern.data());
  const auto cells = device_cells(facts("NVIDIA New 9000", 90, 100, 1500));
  REQUIRE(cells);
  MeasuredTable devices("devices", {}), gemm("gemm", record_columns()), conv("conv", record_columns()),
      vector("vector", record_columns()), attention("attention", record_columns());
  devices.add(*cells);
  Provenance provenance;
  provenance.device = cells->at("device");
  const auto row = [&](const std::string& kernel, Cells shape) {
    Measurement m = measured(50);
    m.kernel = kernel;
    Cells all = record_cells(m, provenance);
    all.merge(shape);
    return all;
  };
  gemm.add(row("cublaslt_algo1", {{"dtype", "tf32"},
                                  {"op", "linear"},
                                  {"batch", "1"},
                                  {"m", "512"},
                                  {"n", "512"},
                                  {"k", "512"},
                                  {"layout", "TN"},
                                  {"epilogue", "none"}}));
  conv.add(row("cudnn_fwd_algo1", {{"dtype", "fp16"},
                                   {"phase", "fwd"},
                                   {"n", "8"},
                                   {"c", "64"},
                                   {"h", "56"},
                                   {"w", "56"},
                                   {"k", "64"},
                                   {"r", "3"},
                                   {"s", "3"},
                                   {"pad_h", "1"},
                                   {"pad_w", "1"},
                                   {"stride_h", "1"},
                                   {"stride_w", "1"},
                                   {"groups", "1"}}));
  vector.add(
      row("tilewright", {{"dtype", "fp32"}, {"op", "softmax"}, {"rows", "512"}, {"cols", "4096"}, {"n_inputs", "1"}}));
  attention.add(row("cudnn_flash_attn_engine0", {{"dtype", "bf16"},
                                                 {"phase", "decode"},
                                                 {"batch", "4"},
                                                 {"q_len", "1"},
                                                 {"kv_len", "1024"},
                                                 {"heads", "32"},
                                                 {"kv_heads", "8"},
                                                 {"head_dim", "128"},
                                                 {"causal", "0"}}));
  for (const auto& [name, table] : {std::pair{"devices", &devices},
                                    {"gemm", &gemm},
                                    {"conv", &conv},
                                    {"vector", &vector},
                                    {"attention", &attention}})
    std::ofstream(folder / (std::string(name) + ".csv")) << table->csv();
  const MeasuredData data = read_measured(folder.string());
  fs::remove_all(folder);
  REQUIRE(data.rows.size() == 4);
  for (const MeasuredRow& measured_row : data.rows) {
    INFO(measured_row.name());
    CHECK(measured_row.stack == Stack::cuda_graph_replay);
    CHECK(measured_row.latency.value == Approx(50e-6));
    CHECK(measured_row.device == "New-9000");
  }
}
