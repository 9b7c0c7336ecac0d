// tilewright run: a network on one chip or several.
#include "cli/commands.hpp"
#include "core/progress.hpp"
#include "sim/report/report.hpp"

namespace tilewright::cli {

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
  const WorkloadGraph graph = prepared_workload(options);

  RunReport report;
  report.request.fields = request_fields(options, graph, chips);
  Progress progress("mapping", static_cast<std::int64_t>(chips.size() * merge_repeats(graph).size()));
  bool failed = false;
  for (const Chip& chip : chips) {
    NetworkOptions one = settings;
    one.progress = [&](std::string_view) { progress.advance(chip.name); };
    report.results.push_back(evaluate_network(graph, chip, one));
    const NetworkEvaluation& result = report.results.back();
    if (result.failure.empty()) {
      report.rooflines.push_back(roofline_plot(result, chip));
    } else {
      failed = true;
    }
  }
  deliver(format->write(report), options.output);
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
