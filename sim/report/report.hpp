// Reports of network evaluations: one file per format.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cost/roofline.hpp"
#include "sim/network/marginal.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Everything needed to repeat a run; ordered key/value text plus input hashes.
struct RunRequest {
  std::vector<std::pair<std::string, std::string>> fields;
};

struct RunReport {
  RunRequest request;
  std::vector<NetworkEvaluation> results;
  std::vector<RooflinePlot> rooflines;
};

std::string report_text(const RunReport& report);
std::string report_json(const RunReport& report);  // schema tilewright.run/1
std::string report_csv(const RunReport& report);   // one row per layer and chip
std::string report_html(const RunReport& report);  // self-contained, inline SVG

struct ReportFormat {
  std::string_view name;
  std::string (*write)(const RunReport&);
};
std::span<const ReportFormat> report_formats();

/// The roofline as a stand-alone SVG (log-log axes, ceilings, one dot per layer).
std::string roofline_svg(const RooflinePlot& plot);

/// One given mapping: loop nest, tiles and occupancy, accesses, energy and time by level (schema tilewright.evaluate/1), and as text.
std::string evaluation_json(const Evaluation& evaluation, const Chip& chip);
std::string evaluation_text(const Evaluation& evaluation, const Chip& chip);

/// A given mapping that cannot run: `status: infeasible` with what, where, by how much and the remedy; the same as a sentence.
std::string infeasible_json(const Infeasible& why, const Chip& chip);
std::string infeasible_text(const Infeasible& why);

/// What the search found for one kernel of a layer.
struct KernelMap {
  std::int64_t repeat = 1;
  SearchResult found;
  std::vector<Evaluation> pareto;  // empty: not asked for
};

/// `map`: one layer on one chip. Where the layer does not fit only `result` (with its failure) is valid.
struct LayerMap {
  NetworkEvaluation result;  // of the layer alone
  std::vector<KernelMap> kernels;
  std::vector<Marginal> one_more;
};

/// The document of `run` whose results have a `map` each: kernels with bound, gap, space, levels, runners-up and Pareto set, `one_more`.
std::string map_json(const RunRequest& request, const std::vector<LayerMap>& maps, const std::vector<Chip>& chips);
std::string map_text(const LayerMap& map, const Chip& chip);

/// A chip as text: levels, arithmetic, power, each with its source.
std::string chip_text(const Chip& chip);
std::string chip_json(const Chip& chip);

/// JSON of `show workload` and text of it.
std::string workload_json(const WorkloadGraph& graph);
std::string workload_text(const WorkloadGraph& graph);

}  // namespace tilewright
