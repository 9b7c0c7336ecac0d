// Pieces shared by the JSON documents.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright {

using Json = nlohmann::ordered_json;

Json dims_json(const Problem& problem);
Json mapping_json(const Evaluation& evaluation);  // levels, outermost first, with their loops and what they keep
Json energy_json(const EnergyBy& energy);
Json bounds_json(const Evaluation& evaluation);
Json accesses_json(const std::vector<AccessRow>& rows);
/// The document of a run, its `results` still empty.
Json run_heading(const RunRequest& request);
/// One entry of `results` of a run.
Json result_json(const NetworkEvaluation& network);

}  // namespace tilewright
