// tilewright run: a network on one chip or several.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "cli/commands.hpp"
#include "core/progress.hpp"
#include "core/text_file.hpp"
#include "sim/report/report.hpp"
#include "sim/report/trace.hpp"

namespace tilewright::cli {
namespace {

constexpr std::size_t most_slices = 500'000;  // about 150 MB of JSON, what the viewer opens in seconds

/// Simulated cycles a second on a terminal, after the first second.
class CycleRate {
 public:
  ~CycleRate() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  void show(Cycles simulated) {
    const auto now = std::chrono::steady_clock::now();
    if (isatty(STDERR_FILENO) == 0 || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    if (seconds < 1) return;
    shown_ = true;
    fmt::print(stderr, "\rsimulating: cycle {:.4g}, {:.3g} cycles/s\033[K", simulated.value, simulated.value / seconds);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), last_ = start_;
  bool shown_ = false;
};

}  // namespace

int run(const RunOptions& options) {
  if (options.engine == "scalesim-v2") return run_scalesim(options);
  const ReportFormat* format = nullptr;
  std::vector<std::string> known;
  for (const ReportFormat& candidate : report_formats()) {
    known.emplace_back(candidate.name);
    if (candidate.name == options.format) format = &candidate;
  }
  require_choice("--format", options.format, known);
  const NetworkOptions settings = network_options(options);
  const std::vector<Chip> chips = chosen_chips(options);
  const bool simulated = settings.engine == Engine::systemc;
  const std::pair<const char*, bool> of_simulations[] = {{"--trace", !options.trace.empty()},
                                                         {"--max-events", options.max_events != 0},
                                                         {"--max-cycles", options.max_cycles != 0},
                                                         {"--max-seconds", options.max_seconds != 0},
                                                         {"--requests", options.requests != 1}};
  for (const auto& [option, given] : of_simulations) {
    if (simulated || !given) continue;
    throw InputError({.file = option, .line = 0, .column = 0, .key = {}},
                     "only a simulation has tile transactions: add --engine systemc");
  }
  for (const Chip& chip : chips) {
    if (options.parallel != "tensor" || options.gpus == 1 || family_of(chip).library != nullptr) continue;
    throw InputError(
        {.file = "--parallel", .line = 0, .column = 0, .key = {}},
        fmt::format("tensor parallelism shares layers among GPUs; {} is of family {}", chip.name, chip.family));
  }
  if (!options.trace.empty() && chips.size() != 1) {
    throw InputError({.file = "--trace", .line = 0, .column = 0, .key = {}},
                     "a trace shows one chip; name exactly one");
  }
  const WorkloadGraph graph = prepared_workload(options);
  std::optional<TraceWriter> trace;

  RunReport report;
  report.request.fields = request_fields(options, graph, chips);
  Progress progress("mapping", static_cast<std::int64_t>(chips.size() * merge_repeats(graph).size()));
  bool failed = false;
  for (const Chip& chip : chips) {
    NetworkOptions one = settings;
    one.progress = [&](std::string_view) { progress.advance(chip.name); };
    CycleRate rate;
    one.limits.progress = [&](Cycles cycles) { rate.show(cycles); };
    if (!options.trace.empty()) {
      one.watch = [&](const Program& program) { return &trace.emplace(program, chip.clock, most_slices); };
    }
    report.results.push_back(evaluate_network(graph, chip, one));
    const NetworkEvaluation& result = report.results.back();
    if (result.failure.empty()) {
      report.rooflines.push_back(roofline_plot(result, chip));
    } else {
      failed = true;
    }
  }
  deliver(format->write(report), options.output);
  if (trace && !failed) {
    write_file(options.trace, trace->finish());
    if (trace->left_out() > 0) {
      fmt::print(stderr, "tilewright: {} holds the first {} slices; {} more are left out\n", options.trace, most_slices,
                 trace->left_out());
    }
  }
  return failed ? 1 : 0;
}

int roofline(const RunOptions& options) {
  const NetworkOptions settings = network_options(options);
  const std::vector<Chip> chips = chosen_chips(options);
  if (chips.size() != 1)
    throw InputError({.file = "--chip", .line = 0, .column = 0, .key = {}},
                     "a roofline shows one chip; name exactly one");
  const NetworkEvaluation result = evaluate_network(prepared_workload(options), chips.front(), settings);
  if (!result.failure.empty())
    throw InputError({.file = options.workload, .line = 0, .column = 0, .key = {}}, result.failure);
  deliver(roofline_svg(roofline_plot(result, chips.front())), options.output);
  return 0;
}

}  // namespace tilewright::cli
