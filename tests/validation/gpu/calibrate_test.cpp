#include <unistd.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/diagnostics.hpp"
#include "validation/gpu/fit.hpp"
#include "validation/gpu/validate.hpp"

using namespace tilewright;

namespace {

/// The open rows of one class, small enough to fit in a moment.
MeasuredData rows_of(const std::string& op, const std::string& precision, Stack stack) {
  MeasuredData data = read_measured(measured_gpu_folder());
  std::erase_if(data.rows, [&](const MeasuredRow& row) {
    return row.op != op || row.precision != precision || row.stack != stack;
  });
  return data;
}

bool all(const MeasuredRow&) { return true; }

double mean_error(const MeasuredData& data, const Calibration& calibration) {
  const GpuPredictor predictor(data, calibration);
  double sum = 0;
  for (const MeasuredRow& row : data.rows) sum += std::abs(predictor(row).total / row.latency - 1);
  return sum / static_cast<double>(data.rows.size());
}

/// A folder of tables that is deleted at the end.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tilewright_gpu_tables_" + std::to_string(::getpid()));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    std::filesystem::copy(measured_gpu_folder() + "/devices.csv", path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void gemm(const std::string& row) const {
    std::ofstream(path / "gemm.csv")
        << "device,dtype,op,batch,m,n,k,layout,epilogue,latency_us,power_w,kernel,grid,timing,flag,source\n"
        << row << "\n";
  }
  void conv(const std::string& sides) const {
    std::ofstream(path / "conv.csv") << "device,dtype,phase,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups,latency_"
                                        "us,kernel,timing,flag,source\n"
                                     << "T4,fp32,fwd," << sides << ",3,3,1,1,1,1,1,50.0,,torch_event_best5of25,,own\n";
  }
};

}  // namespace

TEST_CASE("the robust fit finds a power law under one gross outlier") {
  // y = 3 x^2 at x = 1..20, the last one a hundred times too large
  std::vector<double> x(20), y(20), weights(20, 1.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i + 1);
    y[i] = 3 * x[i] * x[i] * (i == 19 ? 100 : 1);
  }
  const FitResult fit = fit_least_squares(
      {{"factor", 1, 0.01, 100, 0}, {"power", 1, 0.1, 10, 0}}, weights,
      [&](std::span<const double> values, std::span<const std::size_t> rows, std::span<double> out) {
        for (std::size_t i = 0; i < rows.size(); ++i)
          out[i] = std::log(values[0] * std::pow(x[rows[i]], values[1]) / y[rows[i]]);
      },
      0.01, 200);
  REQUIRE(fit.values[0] == Approx(3).epsilon(0.02));
  REQUIRE(fit.values[1] == Approx(2).epsilon(0.02));
}

TEST_CASE("a calibration is better than the guesses and the same bits a second time") {
  const MeasuredData data = rows_of("linear", "fp16", Stack::profiler);
  REQUIRE(data.rows.size() == 220);
  const Calibration first = calibrate(data, all), second = calibrate(data, all);
  REQUIRE(calibration_yaml(first) == calibration_yaml(second));
  REQUIRE(mean_error(data, first) < mean_error(data, Calibration{}));
}

TEST_CASE("a device left out gets no trim and no floor of its own") {
  const MeasuredData data = rows_of("linear", "fp16", Stack::profiler);
  const Calibration without = calibrate(data, [](const MeasuredRow& row) { return row.device != "A40"; });
  REQUIRE_FALSE(without.trims.contains("A40"));
  for (const HostFloor& floor : without.floors) REQUIRE(floor.device != "A40");
  const GpuPredictor predictor(data, without, "A40");
  REQUIRE(predictor.notes().size() == 1);
  REQUIRE_THAT(predictor.notes().front(), Catch::Contains("profiler/linear/fp16/A40: host floor"));
}

TEST_CASE("a host that grows slower along its table has a floor for its first and for its last row") {
  MeasuredData data = rows_of("conv_fwd", "fp32", Stack::pytorch_eager);
  std::erase_if(data.rows, [](const MeasuredRow& row) { return row.device != "V100-PCIE-32GB"; });
  REQUIRE(data.rows.front().place == 0);
  REQUIRE(data.rows.back().place == 1);
  std::erase_if(data.rows, [](const MeasuredRow& row) { return !row.flag.empty(); });
  const Calibration drifting = calibrate(data, all);
  REQUIRE(drifting.floors.size() == 1);
  REQUIRE(drifting.floors.front().last > 2 * drifting.floors.front().floor);
  REQUIRE(drifting.floors.front().at(0.5).value ==
          Approx(0.5 * (drifting.floors.front().floor + drifting.floors.front().last).value));
  MeasuredData steady = data;
  for (MeasuredRow& row : steady.rows) row.place = 0;
  REQUIRE(mean_error(data, drifting) < 0.8 * mean_error(steady, calibrate(steady, all)));
}

TEST_CASE("bad rows are errors with file, line and column") {
  const Folder folder;
  folder.gemm("H100-SXM5-80GB,bf16,linear,1,16,16,16,TN,none,5.0,,,,cuda_graph_avg,,aic:x");
  REQUIRE(read_measured(folder.path.string()).rows.size() == 1);
  const auto message = [&](const std::string& row) {
    folder.gemm(row);
    try {
      read_measured(folder.path.string());
    } catch (const InputError& error) { return std::string(error.what()); }
    return std::string("no error");
  };
  REQUIRE_THAT(message("H100-SXM5-80G,bf16,linear,1,16,16,16,TN,none,5.0,,,,cuda_graph_avg,,aic:x"),
               Catch::Contains("gemm.csv:2") && Catch::Contains("Did you mean 'H100-"));
  REQUIRE_THAT(message("T4,bf61,linear,1,16,16,16,TN,none,5.0,,,,cuda_graph_avg,,aic:x"),
               Catch::Contains("Did you mean 'bf16'"));
  REQUIRE_THAT(message("T4,fp16,linear,1,0,16,16,TN,none,5.0,,,,cuda_graph_avg,,aic:x"), Catch::Contains("m:"));
  REQUIRE_THAT(message("T4,fp16,linear,1,16,16,16,TN,none,-5.0,,,,cuda_graph_avg,,aic:x"), Catch::Contains("latency"));
  REQUIRE_THAT(message("T4,fp16,linear,1,16,16,16,TX,none,5.0,,,,cuda_graph_avg,,aic:x"),
               Catch::Contains("unknown layout"));
  REQUIRE_THAT(message("T4,fp16,linear,1,16,16,16,TN,none,5.0,,,,stopwatch,,aic:x"),
               Catch::Contains("unknown timing method"));
  REQUIRE_THROWS_AS(read_measured("no such folder"), InputError);
}

TEST_CASE("a convolution of more elements than a GPU holds is an error, not an overflow") {
  const Folder folder;
  folder.conv("64,256,56,56,256");
  REQUIRE(read_measured(folder.path.string()).rows.size() == 1);
  folder.conv("16777216,16777216,16777216,16777216,16777216");
  REQUIRE_THROWS_WITH(read_measured(folder.path.string()), Catch::Contains("more elements than any GPU holds"));
}

TEST_CASE("a device that no calibration saw is predicted from its row of devices.csv") {
  const Folder folder;
  folder.gemm("H100-SXM5-80GB,bf16,linear,1,4096,4096,4096,TN,none,220.0,,,,cuda_graph_avg,,aic:vllm");
  const SuiteResult result = validate_gpu(folder.path.string(), LeaveOut::none);
  REQUIRE(result.groups.size() == 3);  // the class, its device, and both
  REQUIRE(result.groups.front().n == 1);
  REQUIRE(result.groups.front().worst.size() == 1);
  REQUIRE_THAT(result.groups.front().worst.front(), Catch::Contains("bound"));
  REQUIRE_THAT(result.svg, Catch::StartsWith("<svg"));
}
