// tilewright calibrate: fits the constants of a model family to measured rows and writes them with their provenance.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "validation/gpu/board_fit.hpp"
#include "validation/gpu/validate.hpp"

namespace tilewright::cli {

int calibrate_family(const CalibrateOptions& options) {
  require_choice("calibrate", options.family, {"gpu"});
  const MeasuredData data = read_measured(options.data.empty() ? measured_gpu_folder() : options.data);
  Calibration calibration = calibrate(data, [](const MeasuredRow&) { return true; });
  calibrate_board(data.folder, calibration);
  if (options.bands) {  // what a prediction misses by on rows that its fit has not seen
    std::vector<std::string> notes;
    for (const auto& [leave_out, transfer] :
         {std::pair{LeaveOut::shape, "known_device"}, std::pair{LeaveOut::device, "unseen_device"}}) {
      const std::vector<ErrorBand> bands = error_bands(compare(data, calibration, leave_out, notes), transfer);
      calibration.bands.insert(calibration.bands.end(), bands.begin(), bands.end());
    }
    const std::vector<ErrorBand> power = board_bands(data.folder, calibration);
    calibration.bands.insert(calibration.bands.end(), power.begin(), power.end());
  }
  deliver(calibration_yaml(calibration), options.output);
  return 0;
}

}  // namespace tilewright::cli
