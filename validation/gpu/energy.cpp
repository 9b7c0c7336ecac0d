#include "validation/gpu/energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "core/csv.hpp"
#include "validation/gpu/fit.hpp"
#include "validation/gpu/serving.hpp"
#include "validation/gpu/vision.hpp"

namespace tilewright {
namespace {

constexpr double energy_target_pct = 18, power_target_pct = 14, known_power_target_pct = 12;
constexpr double robust_scale = 0.3;
constexpr int most_steps = 60;
// Length of the questions: not in the table; 250 tokens is the usual order of the chat sets it names. An assumption.
constexpr std::int64_t prompt = 250;
constexpr double imagenet = 1'281'167;  // training images of an epoch

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

/// P = idle + byte_j x bytes/s + operation_j x operations/s of one GPU.
struct PowerFit {
  double idle = 0, byte = 0, operation = 0;
  double at(double bytes_per_s, double operations_per_s, double limit) const {
    return std::min(limit, idle + byte * bytes_per_s + operation * operations_per_s);
  }
};

struct Load {
  double bytes_per_s = 0, operations_per_s = 0, watts = 0;
};

PowerFit fit_power(const std::vector<Load>& loads) {
  std::vector<std::vector<double>> x;
  std::vector<double> y;
  for (const Load& load : loads) {
    x.push_back({1, load.bytes_per_s, load.operations_per_s});
    y.push_back(load.watts);
  }
  const std::vector<double> c = relative_fit(x, std::vector<double>(y.size()), y, {80, 2e-10, 1e-12});
  return {c[0], c[1], c[2]};
}

/// Energy rows by kind.
class Table {
 public:
  Table(const std::string& file, const std::vector<GpuDevice>& devices) : table_(read_csv(file)), devices_(devices) {}
  const std::vector<CsvRow>& rows() const { return table_.rows; }
  const std::string& text(const CsvRow& row, std::string_view column) const {
    return table_.text(row, table_.column(column));
  }
  double number(const CsvRow& row, std::string_view column) const {
    const double value = table_.number(row, table_.column(column));
    if (value <= 0) throw InputError({table_.file, row.line, 0, std::string(column)}, "must be above 0");
    return value;
  }
  const GpuDevice& device(const CsvRow& row) const {
    const auto found = std::ranges::find(devices_, text(row, "device"), &GpuDevice::name);
    if (found == devices_.end())
      throw InputError({table_.file, row.line, 0, "device"},
                       fmt::format("'{}' has no row in devices.csv", text(row, "device")));
    return *found;
  }

 private:
  CsvTable table_;
  const std::vector<GpuDevice>& devices_;
};

/// Time of kernels back to back.
double kernel_seconds(const GpuDevice& device, const GpuConstants& constants, const std::vector<ModelKernel>& kernels) {
  return model_time(device, constants, kernels, find_stack("profiler")->host).kernels.value;
}

/// One row of a server under load, per GPU where nothing else is said.
struct Served {
  const LanguageModel* model;
  std::string text;
  double gpus, batch, tokens, step, watts, joules;  // step: of the whole batch, from the measured rate
  double step_bytes, step_operations, kernels, limit;
  std::vector<double> host()
      const {  // of the server: a step, each sequence of it, each layer where several GPUs wait for each other
    return {1, batch, gpus > 1 ? static_cast<double>(model->layers) : 0};
  }
};

std::vector<Served> read_served(const Table& table, const GpuConstants& constants, std::int64_t& others) {
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
    const GpuDevice& device = table.device(row);
    s.limit = device.tdp.value;
    // New sequences enter as others end: each step prefills batch / tokens of them.
    const double context = static_cast<double>(prompt) + s.tokens / 2, entering = s.batch / s.tokens;
    s.step_bytes = (2 * s.model->step_weights(s.batch) + s.model->cache_bytes_per_token() * context * s.batch) / s.gpus;
    s.step_operations = 2 * s.model->active_weights() * (s.batch + entering * static_cast<double>(prompt)) / s.gpus;
    const auto gpus = static_cast<std::int64_t>(s.gpus);
    s.kernels =
        kernel_seconds(device, constants,
                       step_kernels(*s.model, std::llround(s.batch), std::llround(context), gpus, GpuPrecision::bf16)) +
        entering * kernel_seconds(device, constants, prefill_kernels(*s.model, prompt, gpus, GpuPrecision::bf16));
    rows.push_back(std::move(s));
  }
  return rows;
}

struct ServerFit {
  PowerFit power;
  std::vector<double> host;  // s of a step, of a sequence, of a layer
};

ServerFit fit_server(const std::vector<Served>& rows, const std::function<bool(const Served&)>& use) {
  std::vector<Load> loads;
  std::vector<std::vector<double>> x;
  std::vector<double> kernels, steps;
  for (const Served& s : rows) {
    if (!use(s)) continue;
    loads.push_back({s.step_bytes / s.step, s.step_operations / s.step, s.watts});
    x.push_back(s.host());
    kernels.push_back(s.kernels);
    steps.push_back(s.step);
  }
  return {fit_power(loads), relative_fit(x, kernels, steps, {5e-3, 4e-4, 8e-4})};
}

/// Power with the rate given; step; energy of a request with the predicted step.
void judge(const Served& s, const ServerFit& fit, std::array<std::vector<Case>, 3>& cases) {
  const auto power_at = [&](double step) {
    return fit.power.at(s.step_bytes / step, s.step_operations / step, s.limit);
  };
  const std::vector<double> host = s.host();
  const double step = s.kernels + std::inner_product(host.begin(), host.end(), fit.host.begin(), 0.0);
  cases[0].push_back({power_at(s.step), s.watts, s.text + ", W"});
  cases[1].push_back({step, s.step, s.text + ", s a step"});
  cases[2].push_back({power_at(step) * s.gpus * step * s.tokens / s.batch, s.joules, s.text + ", J a request"});
}

/// The serving rows; returns the fit of all.
ServerFit validate_serving(const std::vector<Served>& rows, SuiteResult& result) {
  constexpr std::array names{"serving power, rate given", "serving step", "serving energy, predicted time"};
  const ServerFit all = fit_server(rows, [](const Served&) { return true; });
  std::array<std::vector<Case>, 3> known, unseen;
  std::map<std::string_view, ServerFit> without;
  for (const Served& s : rows) {
    judge(s, all, known);
    if (!without.contains(s.model->name))
      without[s.model->name] = fit_server(rows, [&](const Served& other) { return other.model != s.model; });
    judge(s, without[s.model->name], unseen);
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
      fmt::format("server: {:.1f} ms a step, {:.2f} ms a sequence, {:.2f} ms a layer with several GPUs; power of a "
                  "GPU: {:.0f} W + {:.0f} pJ/byte + {:.2f} pJ/operation",
                  1e3 * all.host[0], 1e3 * all.host[1], 1e3 * all.host[2], all.power.idle, 1e12 * all.power.byte,
                  1e12 * all.power.operation));
  return all;
}

/// One request at a time in eager code.
struct Chat {
  const LanguageModel* model;
  std::string device, task, text;
  double tokens, token_s, watts, joules, launches, kernels, bytes, operations, limit;
};

std::vector<Chat> read_chats(const Table& table, const GpuConstants& constants, std::int64_t& others) {
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
    const GpuDevice& device = table.device(row);
    c.device = device.name;
    c.task = table.text(row, "task");
    c.tokens = table.number(row, "tokens_out");
    c.token_s = table.number(row, "latency_s") / c.tokens;
    c.joules = table.number(row, "energy_j");
    c.watts = table.number(row, "avg_power_w");
    c.text = fmt::format("energy.csv:{} {} {} {}, J a token", row.line, c.model->name, c.device, c.task);
    c.launches = static_cast<double>(c.model->layers * eager_launches(c.model->code));
    c.bytes = 2 * c.model->active_weights();
    c.operations = c.bytes;
    c.limit = device.tdp.value;
    auto [found, added] = seconds.try_emplace({c.device, c.model});
    if (added)
      found->second = kernel_seconds(device, constants, step_kernels(*c.model, 1, prompt, 1, GpuPrecision::fp16));
    c.kernels = found->second;
    rows.push_back(std::move(c));
  }
  return rows;
}

/// Median dispatch of an operator on a host, from the rows of other models.
double host_dispatch(const std::vector<Chat>& rows, const Chat& left_out) {
  std::vector<double> each;
  for (const Chat& c : rows) {
    if (c.device == left_out.device && c.model != left_out.model && c.token_s > 1.1 * c.kernels)
      each.push_back(c.token_s / c.launches);
  }
  if (each.empty()) return find_stack("pytorch")->host.per_operator.value;
  std::ranges::sort(each);
  return each[each.size() / 2];
}

void validate_chats(const std::vector<Chat>& rows, const PowerFit& a100, SuiteResult& result) {
  std::vector<Case> lecture, times;
  std::map<std::string, std::vector<Case>> others;  // by device: power constants of the other models there
  for (const Chat& c : rows) {
    const double token = std::max(c.launches * host_dispatch(rows, c), c.kernels);
    PowerFit power = a100;
    const bool of_lecture = c.device == "A100-SXM4-40GB" && c.task == "chat";
    if (!of_lecture) {
      std::vector<Load> loads;
      for (const Chat& o : rows)
        if (o.device == c.device && o.model != c.model)
          loads.push_back({o.bytes / o.token_s, o.operations / o.token_s, o.watts});
      if (loads.size() >= 3) power = fit_power(loads);
    }
    const Case energy{power.at(c.bytes / token, c.operations / token, c.limit) * token, c.joules / c.tokens, c.text};
    if (of_lecture) {
      lecture.push_back(energy);
      times.push_back({token, c.token_s, c.text});
    } else {
      others[c.device].push_back(energy);
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

/// Epochs of ResNet-50 under power limits: kernels at the clock that the limit allows.
void validate_training(const Table& table, const Calibration& calibration, SuiteResult& result) {
  std::map<std::string, std::array<std::vector<Case>, 2>> cases;
  std::map<std::int64_t, std::vector<ModelKernel>> kernels;
  for (const CsvRow& row : table.rows()) {
    if (table.text(row, "kind") != "train_epoch" || table.text(row, "model") != "resnet50" ||
        table.text(row, "task") != "imagenet")
      continue;
    GpuDevice device = table.device(row);
    if (const auto trim = calibration.trims.find(device.name); trim != calibration.trims.end())
      device.trim = trim->second;
    device.tdp = Watts{std::min(device.tdp.value, table.number(row, "power_limit_w"))};
    const auto batch = static_cast<std::int64_t>(table.number(row, "batch"));
    auto [found, added] = kernels.try_emplace(batch);
    if (added) found->second = *vision_kernels("resnet50", batch, GpuPrecision::fp32, true);
    const ModelTime step = model_time(device, calibration.constants, found->second, find_stack("pytorch")->host);
    const double steps = imagenet / static_cast<double>(batch);
    const std::string text =
        fmt::format("energy.csv:{} resnet50 {} batch {} at {:.0f} W", row.line, device.name, batch, device.tdp.value);
    cases[device.name][0].push_back({steps * step.joules, table.number(row, "energy_j"), text + ", J an epoch"});
    cases[device.name][1].push_back({step.joules / step.kernels.value, table.number(row, "avg_power_w"), text + ", W"});
  }
  for (const auto& [device, both] : cases) {
    result.groups.push_back(
        group_of({{"figure", "training energy of an epoch"}, {"models", "resnet50, " + device}}, both[0], 0));
    result.groups.push_back(group_of({{"figure", "training power"}, {"models", "resnet50, " + device}}, both[1], 0));
  }
}

void validate_streams(const std::string& file, SuiteResult& result) {
  const CsvTable table = read_csv(file);
  std::map<std::string, std::vector<Load>> loads;
  for (const CsvRow& row : table.rows)
    loads[table.text(row, table.column("device"))].push_back({1e9 * table.number(row, table.column("bandwidth_gbps")),
                                                              1e9 * table.number(row, table.column("gflops")),
                                                              table.number(row, table.column("power_w"))});
  for (const auto& [device, own] : loads) {
    const PowerFit fit = fit_power(own);
    std::vector<Case> cases;
    for (const Load& load : own)
      cases.push_back({fit.at(load.bytes_per_s, load.operations_per_s, 1e9), load.watts, device});
    result.groups.push_back(group_of({{"figure", "power of streaming kernels"}, {"models", device}}, cases, 0));
    result.notes.push_back(fmt::format("{}: {:.0f} W + {:.0f} pJ/byte + {:.1f} pJ/operation (fp32)", device, fit.idle,
                                       1e12 * fit.byte, 1e12 * fit.operation));
  }
}

}  // namespace

double decode_roof(double weight_bytes, BytesPerSecond bandwidth) { return bandwidth.value / weight_bytes; }

SuiteResult validate_energy(const std::string& folder, const Calibration& calibration) {
  const std::vector<GpuDevice> devices = read_gpu_devices(folder + "/devices.csv");
  const Table table(folder + "/energy.csv", devices);
  SuiteResult result;
  result.suite = "gpu_energy";
  result.data = folder;
  result.pass = true;
  std::int64_t others = 0;
  const std::vector<Served> served = read_served(table, calibration.constants, others);
  if (served.empty()) throw InputError({folder + "/energy.csv", 0, 0, "kind"}, "no row of a server (llm_serving)");
  const ServerFit server = validate_serving(served, result);
  validate_chats(read_chats(table, calibration.constants, others), server.power, result);
  validate_training(table, calibration, result);
  validate_streams(folder + "/roofline_power.csv", result);
  const LanguageModel& llama = *find_language_model("metaai/llama-7B");
  const auto a100 = std::ranges::find(devices, "A100-SXM4-40GB", &GpuDevice::name);
  if (a100 != devices.end())
    result.notes.push_back(fmt::format("roof of LLaMA-7B's decode in fp16 on the A100-SXM4-40GB: {:.1f} tokens/s",
                                       decode_roof(2 * llama.active_weights(), a100->dram_bandwidth)));
  result.notes.push_back(fmt::format(
      "assumed: questions of {} tokens; rows left out because their model is not described: {}", prompt, others));
  return result;
}

}  // namespace tilewright
