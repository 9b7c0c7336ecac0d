#include "validation/gpu/board_fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

#include "validation/gpu/rows.hpp"

using namespace tilewright;

namespace {

const std::vector<PowerRow>& open_rows() {
  static const std::vector<PowerRow> rows = read_power_rows(
      measured_gpu_folder(), read_gpu_devices(measured_gpu_folder() + "/devices.csv"), library_calibration());
  return rows;
}

bool all(const PowerRow&) { return true; }

}  // namespace

TEST_CASE("the open rows with a wattmeter: kinds, devices, and what is compared alone") {
  std::map<std::string_view, int> kinds;
  int compared_alone = 0;
  for (const PowerRow& row : open_rows()) {
    ++kinds[row.kind];
    if (!row.fitted) {
      ++compared_alone;
      CHECK(row.device.name == "A40");  // its training may have run in tf32
    }
    double busy = 0;
    for (const PowerRow::Run& run : row.kernels) busy += run.times * run.time.total.value;
    REQUIRE(busy <= row.seconds * (1 + 1e-9));
  }
  CHECK(kinds["waiting"] == 40);   // ten batch sizes on four devices
  CHECK(kinds["stream"] == 179);   // roofline_power.csv
  CHECK(kinds["chat"] == 224);     // (21 + 17 + 18) models x 4 tasks
  CHECK(kinds["serving"] == 100);  // every llm_serving row
  CHECK(kinds["training"] == 38);  // ResNet-50: 4 + 3 + 3 + 4 batch sizes, BERT-base: 8 + 4 + 5 + 7
  CHECK(compared_alone == 4 + 8);
}

TEST_CASE("mean power of an interval: the kernels' and the idle power between them") {
  GpuConstants constants = initial_constants();
  constants.board.idle_hbm = 0.1;
  constants.board.active_w_per_mm2 = 0.1;
  constants.board.between = 0.5;
  PowerRow row;
  row.kind = "training";
  row.device.memory = "HBM2";
  row.device.tdp = Watts{400};
  row.device.die_mm2 = 600;
  row.device.node_nm = 8;
  row.device.boost = Hertz{1.5e9};
  row.seconds = 4;
  KernelTime second;
  second.total = Seconds{1};
  row.kernels.push_back({second, 1});
  CHECK(mean_power(row, constants) ==
        Approx((40 + 60 + 3 * 40) / 4.0));  // a second at idle and active power, three idle
  row.kind = "serving";                     // half of the active power while kernels run that the row leaves out
  CHECK(mean_power(row, constants) == Approx((40 + 60 + 3 * (40 + 30)) / 4.0));
}

TEST_CASE("the board's fit finds the constants that made its rows, the same bits a second time") {
  GpuConstants truth = library_calibration().constants;
  truth.board.hbm_pj *= 1.5;
  truth.board.tensor_pj *= 0.7;
  std::vector<PowerRow> rows = open_rows();
  for (PowerRow& row : rows) row.watts = mean_power(row, truth);
  const BoardConstants fit = fit_board(rows, library_calibration().constants, all);
  GpuConstants fitted = truth;
  fitted.board = fit;
  double error = 0;
  for (const PowerRow& row : rows)
    error += std::abs(mean_power(row, fitted) / row.watts - 1) / static_cast<double>(rows.size());
  CHECK(error < 0.02);
  CHECK(fit.hbm_pj > 1.2 * library_calibration().constants.board.hbm_pj);
  const BoardConstants again = fit_board(rows, library_calibration().constants, all);
  GpuConstants second = truth;
  second.board = again;
  for (const ConstantSpec& spec : constant_specs()) REQUIRE(spec.at(fitted) == spec.at(second));
}

TEST_CASE("the constants of times do not see the wattmeters, and the library's board constants are those of its rows") {
  Calibration calibration = library_calibration();
  const Calibration before = calibration;
  calibrate_board(measured_gpu_folder(), calibration);
  CHECK(calibration.power_hash == before.power_hash);
  CHECK(calibration.power_rows == 179 + 40 + 224 + 100 + 26);
  GpuConstants now = calibration.constants, then = before.constants;
  for (const ConstantSpec& spec : constant_specs()) {
    INFO(spec.name);
    if (spec.name.starts_with("board."))
      CHECK(spec.at(now) == Approx(spec.at(then)).epsilon(1e-3));  // the file holds six digits of all constants
    else
      CHECK(spec.at(now) == spec.at(then));
  }
  calibrate_board("no wattmeter here", calibration);
  CHECK(calibration.constants.board.hbm_pj == before.constants.board.hbm_pj);
}
