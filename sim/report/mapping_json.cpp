// JSON of `map` and `evaluate`.
#include "core/version.hpp"
#include "sim/report/json_parts.hpp"
#include "sim/report/report.hpp"

namespace tilewright {
namespace {

Json tiles_json(const Evaluation& evaluation, std::size_t level) {
  Json tiles = Json::array();
  for (std::size_t o = 0; o < evaluation.problem.operands.size(); ++o) {
    const OperandAccesses& counts = evaluation.counts.levels[level][o];
    if (counts.kept) tiles.push_back({{"tensor", evaluation.problem.operands[o].name}, {"words", counts.tile_words}});
  }
  return tiles;
}

Json levels_json(const Evaluation& evaluation, const Chip& chip) {
  Json levels = Json::array();
  for (std::size_t level = 0; level < evaluation.levels.size(); ++level) {
    const LevelUse use = level_use(evaluation, chip, level);
    Json row;
    row["level"] = evaluation.levels[level].name;
    row["instances"] = chip.levels[level].instances;
    row["instances_used"] = use.instances;
    row["used_bytes"] = use.bytes;
    row["capacity_bytes"] = use.capacity ? Json(use.capacity->value) : Json(nullptr);
    row["occupancy"] = use.occupancy ? Json(*use.occupancy) : Json(nullptr);
    row["tiles"] = tiles_json(evaluation, level);
    row["traffic_bytes"] = evaluation.levels[level].traffic.value;
    row["cycles"] = evaluation.levels[level].time.value;
    row["energy_pj"] = in_picojoules(evaluation.levels[level].energy);
    levels.push_back(std::move(row));
  }
  return levels;
}

/// Everything about one evaluated mapping.
Json evaluation_parts(const Evaluation& evaluation, const Chip& given) {
  const Chip chip = in_order_of(evaluation, given);
  Json json;
  json["dims"] = dims_json(evaluation.problem);
  json["points"] = evaluation.counts.points;
  json["cycles"] = evaluation.cycles.value;
  json["latency_s"] = (evaluation.cycles / chip.clock).value;
  json["energy_j"] = evaluation.energy.total().value;
  json["energy_by"] = energy_json(evaluation.energy);
  json["utilization"] = evaluation.utilization;
  json["bound"] = evaluation.bounds.front().name;
  json["bounds"] = bounds_json(evaluation);
  json["compute"] = evaluation.compute.why;
  json["code"] = to_code(evaluation.problem, evaluation.mapping, chip);
  json["mapping"] = mapping_json(evaluation);
  json["levels"] = levels_json(evaluation, chip);
  LayerEvaluation layer;
  layer.kernels.emplace_back(evaluation, 1);
  json["accesses"] = accesses_json(accesses(layer));
  for (const MergedReads& row : merged_reads(evaluation))
    json["merged_reads"].push_back({{"level", row.level}, {"tensor", row.tensor}, {"reads", row.reads}});
  return json;
}

Json chip_heading(const Chip& chip) { return {{"name", chip.name}, {"family", chip.family}, {"source", chip.source}}; }

Json infeasible_parts(const Infeasible& why) {
  return {{"level", why.level},
          {"reason", why.reason},
          {"needed", why.needed},
          {"available", why.available},
          {"missing", why.needed - why.available},
          {"remedy", why.remedy}};
}

/// Time, energy and mapping of a runner-up or a point of a Pareto set.
Json others_json(const std::vector<Evaluation>& others, const Chip& chip) {
  Json rows = Json::array();
  for (const Evaluation& other : others) {
    rows.push_back({{"cycles", other.cycles.value},
                    {"latency_s", (other.cycles / chip.clock).value},
                    {"energy_j", other.energy.total().value},
                    {"mapping", mapping_json(other)}});
  }
  return rows;
}

Json kernel_json(const KernelMap& kernel, const Evaluation& evaluation, Objective objective, const Chip& chip) {
  Json json = evaluation_parts(evaluation, chip);
  json["repeat"] = kernel.repeat;
  json["objective"] = {{"name", name(objective)},     {"value", score(kernel.found.best, chip, objective)},
                       {"bound", kernel.found.bound}, {"gap", kernel.found.gap},
                       {"space", kernel.found.space}, {"evaluated", kernel.found.evaluated}};
  if (kernel.found.slack) {
    const auto& [fastest, bound, gap] = *kernel.found.slack;
    json["objective"]["value"] = score(fastest, chip, objective);
    json["slack"] = {{"fastest_s", (fastest.cycles / chip.clock).value},
                     {"fastest_energy_j", fastest.energy.total().value},
                     {"energy_bound_j", bound},
                     {"energy_gap", gap}};
  }
  json["runners_up"] = others_json(kernel.found.runners_up, chip);
  if (!kernel.pareto.empty()) json["pareto"] = others_json(kernel.pareto, chip);
  return json;
}

Json one_more_json(const std::vector<Marginal>& marginals) {
  Json rows = Json::array();
  for (const Marginal& m : marginals) {
    Json row{{"resource", m.resource}, {"from", m.from}, {"to", m.to}};
    if (!m.failure.empty()) {
      row["failure"] = m.failure;
    } else {
      row["latency_s"] = m.latency.value;
      row["latency_change_s"] = m.latency_change.value;
      row["energy_j"] = m.energy.value;
      row["energy_change_j"] = m.energy_change.value;
      row["buys_nothing"] = m.latency_change.value == 0 && m.energy_change.value == 0;
      if (m.slower_array) row["slower_array"] = true;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string evaluation_json(const Evaluation& evaluation, const Chip& chip) {
  Json json;
  json["schema"] = "tilewright.evaluate/1";
  json["version"] = version;
  json["chip"] = chip_heading(chip);
  json["energy_table"] = chip.energy_table;
  json["validation"] = {{"status", chip.validation}, {"band_pct", nullptr}};
  json["status"] = "ok";
  json.update(evaluation_parts(evaluation, chip));
  return json.dump(1) + "\n";
}

std::string infeasible_json(const Infeasible& why, const Chip& chip) {
  Json json;
  json["schema"] = "tilewright.evaluate/1";
  json["version"] = version;
  json["chip"] = chip_heading(chip);
  json["status"] = "infeasible";
  json["infeasible"] = infeasible_parts(why);
  return json.dump(1) + "\n";
}

std::string map_json(const RunRequest& request, const std::vector<LayerMap>& maps, const std::vector<Chip>& chips) {
  Json json = run_heading(request);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const LayerMap& map = maps[i];
    Json result = result_json(map.result);
    if (map.result.infeasible) result["infeasible"] = infeasible_parts(*map.result.infeasible);
    if (map.result.failure.empty()) {
      Json kernels = Json::array();
      for (std::size_t k = 0; k < map.kernels.size(); ++k) {
        kernels.push_back(
            kernel_json(map.kernels[k], map.result.layers.front().kernels[k].first, map.result.objective, chips[i]));
      }
      result["map"] = {{"kernels", std::move(kernels)}, {"one_more", one_more_json(map.one_more)}};
    }
    json["results"].push_back(std::move(result));
  }
  return json.dump(1) + "\n";
}

}  // namespace tilewright
