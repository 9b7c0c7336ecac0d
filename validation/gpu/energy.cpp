#include "validation/gpu/energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "core/csv.hpp"
#include "validation/gpu/board_fit.hpp"
#include "validation/gpu/energy_rows.hpp"
#include "validation/gpu/fit.hpp"
#include "validation/gpu/vision.hpp"

namespace tilewright {
namespace {

constexpr double energy_target_pct = 18, power_target_pct = 14, known_power_target_pct = 12;
constexpr double robust_scale = 0.3;
constexpr int most_steps = 60;

struct Case {
  double predicted, measured;
  std::string text;
  double ratio() const { return predicted / measured; }
};

/// The errors of the cases; the first `shown` in words, in their order.
SuiteGroup group_of(std::map<std::string, std::string> keys, const std::vector<Case>& cases, std::size_t shown) {
  std::vector<Compared> rows;
  for (const Case& one : cases) rows.push_back({one.ratio(), one.text});
  SuiteGroup group = measured_group(std::move(keys), std::move(rows), 0);
  for (std::size_t i = 0; i < std::min(shown, cases.size()); ++i)
    group.worst.push_back(fmt::format("{}: measured {:.4g}, predicted {:.4g} ({:+.0f} %)", cases[i].text,
                                      cases[i].measured, cases[i].predicted, 100 * (cases[i].ratio() - 1)));
  return group;
}

/// Non-negative constants c of `sum over j of c[j] x[i][j] + offset[i] = y[i]`, by relative error.
std::vector<double> relative_fit(const std::vector<std::vector<double>>& x, const std::vector<double>& offset,
                                 const std::vector<double>& y, const std::vector<double>& guess) {
  std::vector<FitParameter> parameters;
  for (const double value : guess) parameters.push_back({"constant", value, 1e-3 * value, 1e3 * value, 0, {}, 0});
  const std::vector<double> weights(y.size(), 1.0);
  const auto residuals = [&](std::span<const double> values, std::span<const std::size_t> rows, std::span<double> out) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double sum = offset[rows[i]];
      for (std::size_t j = 0; j < values.size(); ++j) sum += values[j] * x[rows[i]][j];
      out[i] = sum / y[rows[i]] - 1;
    }
  };
  return fit_least_squares(parameters, weights, residuals, robust_scale, most_steps).values;
}

/// Constants of board power that have not seen a model.
class Unseen {
 public:
  Unseen(const std::vector<PowerRow>& rows, const GpuConstants& constants) : rows_(rows), constants_(constants) {}
  const GpuConstants& model(std::string_view name) {
    auto [found, added] = without_.try_emplace(std::string(name), constants_);
    if (added)
      found->second.board = fit_board(rows_, constants_, [&](const PowerRow& row) { return row.model != name; });
    return found->second;
  }

 private:
  const std::vector<PowerRow>& rows_;
  const GpuConstants& constants_;
  std::map<std::string, GpuConstants> without_;
};

/// What the host of a server adds: s of a step, of a sequence, of a layer.
std::vector<double> fit_host(const std::vector<Served>& rows, const std::function<bool(const Served&)>& use) {
  std::vector<std::vector<double>> x;
  std::vector<double> kernels, steps;
  for (const Served& s : rows) {
    if (!use(s)) continue;
    x.push_back(s.host());
    kernels.push_back(s.kernels);
    steps.push_back(s.step);
  }
  return relative_fit(x, kernels, steps, {5e-3, 4e-4, 8e-4});
}

/// Power with the rate given; step; energy of a request with the predicted step.
void judge(const Served& s, const std::vector<double>& fit, const GpuConstants& constants,
           const Calibration& calibration, std::array<std::vector<Case>, 3>& cases) {
  const auto power_at = [&](double step) { return mean_power(serving_row(s, calibration, step), constants); };
  const std::vector<double> host = s.host();
  const double step = s.kernels + std::inner_product(host.begin(), host.end(), fit.begin(), 0.0);
  cases[0].push_back({power_at(s.step), s.watts, s.text + ", W"});
  cases[1].push_back({step, s.step, s.text + ", s a step"});
  cases[2].push_back({power_at(step) * s.gpus * step * s.tokens / s.batch, s.joules, s.text + ", J a request"});
}

void validate_serving(const std::vector<Served>& rows, const Calibration& calibration, Unseen& without,
                      SuiteResult& result) {
  constexpr std::array names{"serving power, rate given", "serving step", "serving energy, predicted time"};
  const std::vector<double> all = fit_host(rows, [](const Served&) { return true; });
  std::array<std::vector<Case>, 3> known, unseen;
  std::map<std::string_view, std::vector<double>> hosts;
  for (const Served& s : rows) {
    judge(s, all, calibration.constants, calibration, known);
    if (!hosts.contains(s.model->name))
      hosts[s.model->name] = fit_host(rows, [&](const Served& other) { return other.model != s.model; });
    judge(s, hosts[s.model->name], without.model(s.model->name), calibration, unseen);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto worst_first = [](std::vector<Case> cases) {
      std::ranges::stable_sort(cases, std::greater{}, [](const Case& c) { return std::abs(c.ratio() - 1); });
      return cases;
    };
    result.groups.push_back(group_of({{"figure", names[i]}, {"models", "known"}}, known[i], 0));
    result.groups.push_back(group_of({{"figure", names[i]}, {"models", "left out"}}, worst_first(unseen[i]), 3));
    const double error = *result.groups.back().mape_pct;
    if (i == 0)
      result.pass &=
          error <= power_target_pct && *result.groups[result.groups.size() - 2].mape_pct <= known_power_target_pct;
    if (i == 2) result.pass &= error <= energy_target_pct;
  }
  result.notes.push_back(
      fmt::format("host of the server: {:.1f} ms a step, {:.2f} ms a sequence, {:.2f} ms a layer with several GPUs",
                  1e3 * all[0], 1e3 * all[1], 1e3 * all[2]));
}

/// Median dispatch of an operator on a host, from the rows of other models.
double host_dispatch(const std::vector<Chat>& rows, const Chat& left_out) {
  std::vector<double> each;
  for (const Chat& c : rows) {
    if (c.device->name == left_out.device->name && c.model != left_out.model && c.token_s > 1.1 * c.kernels)
      each.push_back(c.token_s / c.launches);
  }
  if (each.empty()) return find_stack("pytorch")->host.per_operator.value;
  std::ranges::sort(each);
  return each[each.size() / 2];
}

void validate_chats(const std::vector<Chat>& rows, const Calibration& calibration, Unseen& without,
                    SuiteResult& result) {
  std::vector<Case> lecture, times;
  std::map<std::string, std::vector<Case>> others;  // by device
  for (const Chat& c : rows) {
    const double token = std::max(c.launches * host_dispatch(rows, c), c.kernels);
    const double watts = mean_power(chat_row(c, calibration, token), without.model(c.model->name));
    const Case energy{watts * token, c.joules / c.tokens, c.text};
    if (c.device->name == "A100-SXM4-40GB" && c.task == "chat") {
      lecture.push_back(energy);
      times.push_back({token, c.token_s, c.text});
    } else {
      others[c.device->name].push_back(energy);
    }
  }
  if (!lecture.empty()) {
    result.groups.push_back(
        group_of({{"figure", "chat energy, one request at a time"}, {"models", "all rows of A100 chat"}}, lecture,
                 lecture.size()));
    result.groups.push_back(
        group_of({{"figure", "chat time of a token"}, {"models", "all rows of A100 chat"}}, times, 0));
  }
  for (const auto& [device, cases] : others)
    result.groups.push_back(
        group_of({{"figure", "energy, one request at a time"}, {"models", "left out, " + device}}, cases, 0));
}

/// Epochs of ResNet-50 under power limits: kernels at the clock that the limit allows, idle power between them; no constant was fitted to the model.
void validate_training(const EnergyTable& table, const Calibration& calibration, Unseen& without, SuiteResult& result) {
  std::map<std::string, std::array<std::vector<Case>, 2>> cases;
  std::map<std::int64_t, std::vector<ModelKernel>> kernels;
  for (const CsvRow& row : table.rows()) {
    if (table.text(row, "kind") != "train_epoch" || table.text(row, "model") != "resnet50" ||
        table.text(row, "task") != "imagenet")
      continue;
    const GpuConstants& constants = without.model("resnet50");
    GpuDevice device = trimmed(table.device(row), calibration);
    device.power_limit = Watts{std::min(device.tdp.value, table.number(row, "power_limit_w"))};
    const auto batch = static_cast<std::int64_t>(table.number(row, "batch"));
    auto [found, added] = kernels.try_emplace(batch);
    if (added) found->second = *vision_kernels("resnet50", batch, GpuPrecision::fp32, true);
    const ModelTime step = model_time(device, constants, found->second, find_stack("pytorch")->host);
    const double joules = step.joules + (idle_power(device, constants.board) * (step.total - step.kernels)).value;
    const double steps = imagenet_images / static_cast<double>(batch);
    const std::string text = fmt::format("energy.csv:{} resnet50 {} batch {} at {:.0f} W", row.line, device.name, batch,
                                         device.limit().value);
    cases[device.name][0].push_back({steps * joules, table.number(row, "energy_j"), text + ", J an epoch"});
    cases[device.name][1].push_back({joules / step.total.value, table.number(row, "avg_power_w"), text + ", W"});
  }
  for (const auto& [device, both] : cases) {
    result.groups.push_back(
        group_of({{"figure", "training energy of an epoch"}, {"models", "resnet50, " + device}}, both[0], 0));
    result.groups.push_back(group_of({{"figure", "training power"}, {"models", "resnet50, " + device}}, both[1], 0));
  }
}

/// Board power with the rate given, by kind and device: constants of the library, of a fit without the model, and of one without the device.
void validate_boards(const std::vector<PowerRow>& rows, const GpuConstants& constants, Unseen& without,
                     SuiteResult& result) {
  std::map<std::string, GpuConstants> elsewhere;
  for (const PowerRow& row : rows) elsewhere.try_emplace(row.device.name, constants);
  for (auto& [device, other] : elsewhere)
    other.board = fit_board(rows, constants, [&](const PowerRow& row) { return row.device.name != device; });
  const auto add = [&](std::string_view rest, const auto& constants_of) {
    std::map<std::array<std::string, 2>, std::vector<Case>> groups;
    for (const PowerRow& row : rows) {
      const Case one{mean_power(row, constants_of(row)), row.watts, row.text};
      groups[{std::string(row.kind), "*"}].push_back(one);
      groups[{std::string(row.kind), row.device.name}].push_back(one);
    }
    for (const auto& [key, cases] : groups)
      result.groups.push_back(group_of(
          {{"figure", "board power, " + key[0]}, {"models", std::string(rest)}, {"device", key[1]}}, cases, 0));
  };
  add("known", [&](const PowerRow&) -> const GpuConstants& { return constants; });
  add("left out", [&](const PowerRow& row) -> const GpuConstants& { return without.model(row.model); });
  add("device left out", [&](const PowerRow& row) -> const GpuConstants& { return elsewhere.at(row.device.name); });
}

}  // namespace

double decode_roof(double weight_bytes, BytesPerSecond bandwidth) { return bandwidth.value / weight_bytes; }

SuiteResult validate_energy(const std::string& folder, const Calibration& calibration) {
  const std::vector<GpuDevice> devices = read_gpu_devices(folder + "/devices.csv");
  const EnergyTable table(folder + "/energy.csv", devices);
  SuiteResult result;
  result.suite = "gpu_energy";
  result.data = folder;
  result.pass = true;
  std::int64_t others = 0;
  const std::vector<Served> served = read_served(table, calibration.constants, others);
  if (served.empty()) throw InputError({folder + "/energy.csv", 0, 0, "kind"}, "no row of a server (llm_serving)");
  const std::vector<PowerRow> rows = read_power_rows(folder, devices, calibration);
  Unseen without(rows, calibration.constants);
  validate_serving(served, calibration, without, result);
  validate_chats(read_chats(table, calibration.constants, others), calibration, without, result);
  validate_training(table, calibration, without, result);
  validate_boards(rows, calibration.constants, without, result);
  const LanguageModel& llama = *find_language_model("metaai/llama-7B");
  const auto a100 = std::ranges::find(devices, "A100-SXM4-40GB", &GpuDevice::name);
  if (a100 != devices.end())
    result.notes.push_back(fmt::format("roof of LLaMA-7B's decode in fp16 on the A100-SXM4-40GB: {:.1f} tokens/s",
                                       decode_roof(2 * llama.active_weights(), a100->dram_bandwidth)));
  result.notes.push_back(
      fmt::format("assumed: questions of {} tokens; rows left out because their model is not described: {}",
                  prompt_tokens, others));
  return result;
}

}  // namespace tilewright
