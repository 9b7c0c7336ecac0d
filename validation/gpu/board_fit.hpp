// Fitting the constants of board power to rows with a wattmeter.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "validation/gpu/energy_rows.hpp"

namespace tilewright {

/// Robust least squares of log(predicted / measured) power over the rows that `use` admits, from the initial guesses; each kind of row on each device
/// counts alike to the power of one half. Constants of times stay as they are. The same rows give the same bits.
BoardConstants fit_board(const std::vector<PowerRow>& rows, GpuConstants constants,
                         const std::function<bool(const PowerRow&)>& use);

/// Fits the board to the power rows of a folder and writes constants and provenance into `calibration`, whose constants of times are taken as they are. A folder
/// without energy.csv or roofline_power.csv keeps the constants of the library.
void calibrate_board(const std::string& folder, Calibration& calibration);
/// Mean error of power with the rate given, each kind on each device alike: known_device without the row's model, unseen_device without its device. fp32: streams
/// and training, fp16: chats and servers.
std::vector<ErrorBand> board_bands(const std::string& folder, const Calibration& calibration);

}  // namespace tilewright
