// Rows of energy.csv and roofline_power.csv: what ran, how long it took, and what the board drew.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/stack.hpp"
#include "core/csv.hpp"
#include "validation/gpu/serving.hpp"

namespace tilewright {

// Length of the questions: not in the table; 250 tokens is the usual order of the chat sets it names. An assumption.
inline constexpr std::int64_t prompt_tokens = 250;
inline constexpr double imagenet_images = 1'281'167;  // training images of an epoch
// Pieces of 384 tokens, 128 apart, that the `transformers` library makes of the training questions of SQuAD 1.1 for an uncased BERT.
inline constexpr double squad_pieces = 88'524;
inline constexpr std::int64_t squad_tokens = 384;

/// energy.csv with its devices. Cells are read by column; InputError with line and column for a bad one.
class EnergyTable {
 public:
  EnergyTable(const std::string& file, const std::vector<GpuDevice>& devices)
      : table_(read_csv(file)), devices_(devices) {}
  const std::vector<CsvRow>& rows() const { return table_.rows; }
  const std::string& text(const CsvRow& row, std::string_view column) const;
  double number(const CsvRow& row, std::string_view column) const;  // above 0
  const GpuDevice& device(const CsvRow& row) const;

 private:
  CsvTable table_;
  const std::vector<GpuDevice>& devices_;
};

/// One row of a server under load, per GPU where nothing else is said.
struct Served {
  const LanguageModel* model;
  std::string text;
  double gpus, batch, tokens, step, watts,
      joules;      // step: s of the whole batch, from the measured rate; joules of a request on all GPUs
  double kernels;  // s of a step
  std::vector<ModelKernel> step_kernels;
  double entering;  // prefills that join each step
  std::vector<ModelKernel> prefill_kernels;
  const GpuDevice* device;
  /// What the host of the server adds: a step, each sequence of it, each layer where several GPUs wait for each other.
  std::vector<double> host() const { return {1, batch, gpus > 1 ? static_cast<double>(model->layers) : 0}; }
};
/// The rows of servers; counts those whose model is not described.
std::vector<Served> read_served(const EnergyTable& table, const GpuConstants& constants, std::int64_t& others);

/// One request at a time in eager code.
struct Chat {
  const LanguageModel* model;
  std::string task, text;
  double tokens, token_s, watts, joules, launches, kernels;
  std::vector<ModelKernel> token_kernels;
  const GpuDevice* device;
};
std::vector<Chat> read_chats(const EnergyTable& table, const GpuConstants& constants, std::int64_t& others);

/// A wattmeter's row: the kernels of an interval, its length, and the mean power meanwhile.
struct PowerRow {
  std::string_view kind;  // power_kinds
  std::string model;      // what leave-model-out leaves out together
  std::string text;
  GpuDevice device;
  struct Run {
    KernelTime time;
    double times = 1;
  };
  std::vector<Run> kernels;  // with the measured rate given: never longer together than the interval
  double seconds = 1;
  double watts = 0;
  bool fitted = true;  // false: compared alone, its number format is not known
};
inline constexpr std::array<std::string_view, 5> power_kinds{"waiting", "stream", "chat", "serving", "training"};
/// What a server draws in a step, a chat in a token, of this length.
PowerRow serving_row(const Served& served, const Calibration& calibration, double step);
PowerRow chat_row(const Chat& chat, const Calibration& calibration, double token_s);
/// The device with its trim, where it was calibrated.
GpuDevice trimmed(GpuDevice device, const Calibration& calibration);
/// Rows of both tables that a wattmeter stands behind and whose work is known: boards that wait (NCF training: tiny kernels behind a host), streaming
/// kernels at known clocks, chats, servers, and training steps of ResNet-50 and BERT-base at the board's own power limit. Kernels at the calibrated times.
std::vector<PowerRow> read_power_rows(const std::string& folder, const std::vector<GpuDevice>& devices,
                                      const Calibration& calibration);
/// Mean power over the interval: kernels at board_power, idle power between them, W.
double mean_power(const PowerRow& row, const GpuConstants& constants);

}  // namespace tilewright
