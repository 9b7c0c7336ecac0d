#include "validation/gpu/energy_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "validation/gpu/models.hpp"
#include "validation/gpu/vision.hpp"

namespace tilewright {
namespace {

/// Time of kernels back to back.
double kernel_seconds(const GpuDevice& device, const GpuConstants& constants, const std::vector<ModelKernel>& kernels) {
  return model_time(device, constants, kernels, find_stack("profiler")->host).kernels.value;
}

}  // namespace

const std::string& EnergyTable::text(const CsvRow& row, std::string_view column) const {
  return table_.text(row, table_.column(column));
}

double EnergyTable::number(const CsvRow& row, std::string_view column) const {
  const double value = table_.number(row, table_.column(column));
  if (value <= 0) throw InputError({table_.file, row.line, 0, std::string(column)}, "must be above 0");
  return value;
}

const GpuDevice& EnergyTable::device(const CsvRow& row) const {
  const auto found = std::ranges::find(devices_, text(row, "device"), &GpuDevice::name);
  if (found == devices_.end())
    throw InputError({table_.file, row.line, 0, "device"},
                     fmt::format("'{}' has no row in devices.csv", text(row, "device")));
  return *found;
}

std::vector<Served> read_served(const EnergyTable& table, const GpuConstants& constants, std::int64_t& others) {
  std::vector<Served> rows;
  for (const CsvRow& row : table.rows()) {
    if (table.text(row, "kind") != "llm_serving") continue;
    Served s{};
    s.model = find_language_model(table.text(row, "model"));
    if (s.model == nullptr) {
      ++others;
      continue;
    }
    s.gpus = table.number(row, "gpus");
    s.batch = table.number(row, "batch");
    s.tokens = table.number(row, "tokens_out");
    s.step = s.batch / table.number(row, "throughput");
    s.watts = table.number(row, "avg_power_w") / s.gpus;
    s.joules = table.number(row, "energy_j");
    s.text = fmt::format("energy.csv:{} {} on {:.0f} GPUs, batch {:.0f}", row.line, s.model->name, s.gpus, s.batch);
    s.device = &table.device(row);
    // New sequences enter as others end: each step prefills batch / tokens of them.
    const double context = static_cast<double>(prompt_tokens) + s.tokens / 2;
    s.entering = s.batch / s.tokens;
    const auto gpus = static_cast<std::int64_t>(s.gpus);
    s.step_kernels = step_kernels(*s.model, std::llround(s.batch), std::llround(context), gpus, GpuPrecision::bf16);
    s.prefill_kernels = prefill_kernels(*s.model, prompt_tokens, gpus, GpuPrecision::bf16);
    s.kernels = kernel_seconds(*s.device, constants, s.step_kernels) +
                s.entering * kernel_seconds(*s.device, constants, s.prefill_kernels);
    rows.push_back(std::move(s));
  }
  return rows;
}

std::vector<Chat> read_chats(const EnergyTable& table, const GpuConstants& constants, std::int64_t& others) {
  std::vector<Chat> rows;
  std::map<std::pair<std::string, const LanguageModel*>, double> seconds;
  for (const CsvRow& row : table.rows()) {
    if (table.text(row, "kind") != "llm_request") continue;
    Chat c{};
    c.model = find_language_model(table.text(row, "model"));
    if (c.model == nullptr) {
      ++others;
      continue;
    }
    c.device = &table.device(row);
    c.task = table.text(row, "task");
    c.tokens = table.number(row, "tokens_out");
    c.token_s = table.number(row, "latency_s") / c.tokens;
    c.joules = table.number(row, "energy_j");
    c.watts = table.number(row, "avg_power_w");
    c.text = fmt::format("energy.csv:{} {} {} {}, J a token", row.line, c.model->name, c.device->name, c.task);
    c.launches = static_cast<double>(c.model->layers * eager_launches(c.model->code));
    c.token_kernels = step_kernels(*c.model, 1, prompt_tokens, 1, GpuPrecision::fp16);
    auto [found, added] = seconds.try_emplace({c.device->name, c.model});
    if (added) found->second = kernel_seconds(*c.device, constants, c.token_kernels);
    c.kernels = found->second;
    rows.push_back(std::move(c));
  }
  return rows;
}

namespace {

/// Adds the kernels of a pass `passes` times.
void add_kernels(PowerRow& row, const GpuConstants& constants, const std::vector<ModelKernel>& kernels, double passes) {
  for (const ModelKernel& kernel : kernels)
    row.kernels.push_back({kernel_time(row.device, constants, kernel.kernel, {Stack::profiler, Seconds{0}}),
                           passes * static_cast<double>(kernel.repeat)});
}

/// Kernels that take longer than the measured interval ran faster than predicted.
void fit_into_interval(PowerRow& row) {
  double busy = 0;
  for (const PowerRow::Run& run : row.kernels) busy += run.times * run.time.total.value;
  if (busy <= row.seconds) return;
  for (PowerRow::Run& run : row.kernels) run.time.total = (row.seconds / busy) * run.time.total;
}

/// A step of BERT-base on pieces of SQuAD: forward, backward, and Adam's update (28 bytes a parameter).
std::vector<ModelKernel> bert_step(std::int64_t batch) {
  const Transformer bert{"bert_base_uncased", 12, 768, 12, 30522, 2, 1, false};
  std::vector<ModelKernel> kernels = forward_kernels(bert, batch, squad_tokens, false);
  const std::vector<ModelKernel> back = backward_kernels(kernels);
  kernels.insert(kernels.end(), back.begin(), back.end());
  VectorKernel update;
  update.cols = static_cast<std::int64_t>(parameters(bert) * 28 / 8);
  kernels.push_back({update, 1});
  return kernels;
}

void add_training(std::vector<PowerRow>& rows, const EnergyTable& table, const Calibration& calibration) {
  std::map<std::string, double> highest;  // limit of each device: where it does not bind
  for (const CsvRow& row : table.rows())
    if (table.text(row, "kind") == "train_epoch") {
      double& most = highest[table.text(row, "device")];
      most = std::max(most, table.number(row, "power_limit_w"));
    }
  std::map<std::pair<std::string, std::int64_t>, std::vector<ModelKernel>> kernels;
  for (const CsvRow& row : table.rows()) {
    if (table.text(row, "kind") != "train_epoch" ||
        table.number(row, "power_limit_w") < highest[table.text(row, "device")])
      continue;
    const std::string &model = table.text(row, "model"), &task = table.text(row, "task");
    const bool waits = model == "ncf", resnet = model == "resnet50" && task == "imagenet",
               bert = model == "bert_base_uncased" && task == "squad";
    if (!waits && !resnet && !bert) continue;
    PowerRow power;
    power.kind = waits ? "waiting" : "training";
    power.model = model;
    power.device = trimmed(table.device(row), calibration);
    power.watts = table.number(row, "avg_power_w");
    const auto batch = static_cast<std::int64_t>(table.number(row, "batch"));
    power.text = fmt::format("energy.csv:{} {} {} batch {}", row.line, model, power.device.name, batch);
    power.fitted = waits || power.device.tf32_tensor_peak <= 0;
    if (!waits) {
      auto [found, added] = kernels.try_emplace({model, batch});
      if (added)
        found->second = resnet ? *vision_kernels("resnet50", batch, GpuPrecision::fp32, true) : bert_step(batch);
      power.seconds =
          table.number(row, "latency_s") * static_cast<double>(batch) / (resnet ? imagenet_images : squad_pieces);
      add_kernels(power, calibration.constants, found->second, 1);
      fit_into_interval(power);
    }
    rows.push_back(std::move(power));
  }
}

void add_streams(std::vector<PowerRow>& rows, const std::string& file,
                 const std::function<GpuDevice(const std::string&)>& device_named) {
  const CsvTable table = read_csv(file);
  const auto number = [&](const CsvRow& row, std::string_view column) {
    const double value = table.number(row, table.column(column));
    if (value <= 0) throw InputError({table.file, row.line, 0, std::string(column)}, "must be above 0");
    return value;
  };
  for (const CsvRow& row : table.rows) {
    if (table.text(row, table.column("power_w")).empty()) continue;
    PowerRow power;
    power.kind = "stream";
    power.model = "stream";
    power.device = device_named(table.text(row, table.column("device")));
    power.watts = number(row, "power_w");
    power.device.power_limit = Watts{10 * power.device.tdp.value};  // the clock is measured: no limit to predict
    power.text = fmt::format("roofline_power.csv:{} {}", row.line, power.device.name);
    const double bytes = 1e9 * number(row, "bandwidth_gbps");
    KernelTime second;
    second.total = Seconds{1};
    second.clock = 1e6 * number(row, "clock_mhz") / power.device.boost.value;
    second.work = {1e9 * number(row, "gflops"), bytes, MathUnit::cuda, 4, 0, bytes};
    power.kernels.push_back({second, 1});
    rows.push_back(std::move(power));
  }
}

}  // namespace

GpuDevice trimmed(GpuDevice device, const Calibration& calibration) {
  if (const auto trim = calibration.trims.find(device.name); trim != calibration.trims.end())
    device.trim = trim->second;
  return device;
}

PowerRow serving_row(const Served& served, const Calibration& calibration, double step) {
  PowerRow row{
      "serving",   std::string(served.model->name), served.text, trimmed(*served.device, calibration), {}, step,
      served.watts};
  add_kernels(row, calibration.constants, served.step_kernels, 1);
  add_kernels(row, calibration.constants, served.prefill_kernels, served.entering);
  fit_into_interval(row);
  return row;
}

PowerRow chat_row(const Chat& chat, const Calibration& calibration, double token_s) {
  PowerRow row{"chat",    std::string(chat.model->name), chat.text, trimmed(*chat.device, calibration), {}, token_s,
               chat.watts};
  add_kernels(row, calibration.constants, chat.token_kernels, 1);
  fit_into_interval(row);
  return row;
}

std::vector<PowerRow> read_power_rows(const std::string& folder, const std::vector<GpuDevice>& devices,
                                      const Calibration& calibration) {
  const EnergyTable table(folder + "/energy.csv", devices);
  const GpuConstants& constants = calibration.constants;
  std::vector<PowerRow> rows;
  add_training(rows, table, calibration);
  std::int64_t others = 0;
  for (const Chat& chat : read_chats(table, constants, others))
    rows.push_back(chat_row(chat, calibration, chat.token_s));
  for (const Served& served : read_served(table, constants, others))
    rows.push_back(serving_row(served, calibration, served.step));
  add_streams(rows, folder + "/roofline_power.csv", [&](const std::string& name) {
    const auto found = std::ranges::find(devices, name, &GpuDevice::name);
    if (found == devices.end())
      throw InputError({folder + "/roofline_power.csv", 0, 0, "device"}, "'" + name + "' has no row in devices.csv");
    return *found;
  });
  return rows;
}

double mean_power(const PowerRow& row, const GpuConstants& constants) {
  double joules = 0, busy = 0;
  for (const PowerRow::Run& run : row.kernels) {
    const double seconds = run.times * run.time.total.value;
    joules += seconds * board_power(row.device, constants, run.time).value;
    busy += seconds;
  }
  const bool more_kernels = row.kind == "chat" || row.kind == "serving";
  const Watts between = idle_power(row.device, constants.board) +
                        (more_kernels ? constants.board.between : 0) * active_power(row.device, constants.board);
  return (joules + std::max(0.0, row.seconds - busy) * between.value) / row.seconds;
}

}  // namespace tilewright
