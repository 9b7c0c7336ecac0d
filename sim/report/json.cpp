// JSON of runs (schema tilewright.run/1) and of show.
#include "core/version.hpp"
#include "sim/report/json_parts.hpp"
#include "sim/report/report.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {

namespace {

std::string_view kind_name(LoopKind kind) {
  switch (kind) {
    case LoopKind::temporal: return "temporal";
    case LoopKind::spatial_x: return "spatial_x";
    case LoopKind::spatial_y: return "spatial_y";
  }
  return "";
}

}  // namespace

Json dims_json(const Problem& problem) {
  Json dims = Json::object();
  for (const Dim& dim : problem.dims) dims[dim.name] = dim.bound;
  return dims;
}

Json mapping_json(const Evaluation& evaluation) {
  Json levels = Json::array();
  for (std::size_t level = 0; level < evaluation.mapping.levels.size(); ++level) {
    Json loops = Json::array();
    for (const Loop& loop : evaluation.mapping.levels[level].loops) {
      loops.push_back({{"dim", evaluation.problem.dims[static_cast<std::size_t>(loop.dim)].name},
                       {"bound", loop.bound},
                       {"kind", kind_name(loop.kind)}});
    }
    Json keeps = Json::array();
    for (std::size_t operand = 0; operand < evaluation.problem.operands.size(); ++operand) {
      if (evaluation.mapping.levels[level].keeps[operand]) keeps.push_back(evaluation.problem.operands[operand].name);
    }
    levels.push_back(
        {{"level", evaluation.levels[level].name}, {"loops", std::move(loops)}, {"keeps", std::move(keeps)}});
  }
  return levels;
}

Json energy_json(const EnergyBy& energy) {
  return {{"compute_j", energy.compute.value},
          {"memory_j", energy.memory.value},
          {"link_j", energy.link.value},
          {"static_j", energy.static_.value}};
}

Json bounds_json(const Evaluation& evaluation) {
  Json bounds = Json::array();
  for (const Bound& bound : evaluation.bounds) bounds.push_back({{"name", bound.name}, {"cycles", bound.time.value}});
  return bounds;
}

Json accesses_json(const std::vector<AccessRow>& rows) {
  Json json = Json::array();
  for (const AccessRow& row : rows) {
    json.push_back({{"level", row.level},
                    {"tensor", row.tensor},
                    {"reads", row.reads},
                    {"fills", row.fills},
                    {"updates", row.updates},
                    {"drains", row.drains},
                    {"energy_pj", in_picojoules(row.energy)}});
  }
  return json;
}

namespace {

Json placement_json(const Placement& placement) {
  const auto places = [](const auto& list) {
    Json json = Json::array();
    for (const auto& [tensor, place] : list) json.push_back({{"tensor", tensor}, {"place", place}});
    return json;
  };
  return {{"inputs", places(placement.inputs)},
          {"outputs", places(placement.outputs)},
          {"tiles", placement.tiles},
          {"depth_first_with", placement.group},
          {"weights_ahead", placement.weights_ahead},
          {"weights_pinned", placement.weights_pinned}};
}

Json residency_json(const NetworkEvaluation& network) {
  const Residency& r = *network.residency;
  return {
      {"level", r.level},
      {"space", r.space},
      {"proven", r.proven},
      {"peak_reserved_bytes", r.peak_reserved.value},
      {"searches", r.searches},
      {"layer_by_layer", {{"latency_s", r.latency.value}, {"energy_j", r.energy.value}, {"dram_bytes", r.dram.value}}},
      {"saving_pct",
       {{"latency", 100 * (1 - network.latency / r.latency)},
        {"energy", 100 * (1 - network.energy.total() / r.energy)},
        {"dram_bytes", 100 * (1 - network.dram / r.dram)}}}};
}

/// Parts that add up to the latency, and what else is known of the launches.
Json library_json(const LibraryTime& time) {
  return {{"bound_s", time.limit.value},
          {"rest_s", time.rest.value},
          {"start_s", time.start.value},
          {"wait_s", time.wait.value},
          {"launches", time.launches},
          {"board_energy_j", time.board.value},
          {"band_pct", time.band_pct ? Json(*time.band_pct) : Json(nullptr)},
          {"same_device", time.same_device}};
}

Json training_json(const TrainingStep& step) {
  Json json = {{"optimizer", step.optimizer},
               {"gpus", step.gpus},
               {"parallel", step.parallel},
               {"link", step.link},
               {"latency_s", step.total.value},
               {"forward_s", step.forward.value},
               {"backward_s", step.backward.value},
               {"update_s", step.update.value},
               {"exchange_s", step.exchange.value},
               {"idle_s", step.idle.value},
               {"samples_per_s", step.samples_per_s},
               {"board_energy_j", step.board.value},
               {"memory",
                {{"weights_bytes", step.weights.value},
                 {"gradients_bytes", step.gradients.value},
                 {"master_bytes", step.master.value},
                 {"optimizer_bytes", step.states.value},
                 {"activations_bytes", step.activations.value},
                 {"gpus", step.gpus_for_memory}}}};
  if (step.epoch_steps > 0) {
    const double steps = static_cast<double>(step.epoch_steps);
    json["epoch"] = {{"steps", step.epoch_steps},
                     {"time_s", steps * step.total.value},
                     {"board_energy_j", steps * step.board.value}};
  }
  return json;
}

Json layer_json(const LayerEvaluation& layer) {
  const Evaluation& main = main_kernel(layer);
  Json json;
  json["name"] = layer.name;
  json["op"] = layer.op;
  json["repeat"] = layer.repeat;
  json["dims"] = dims_json(main.problem);
  json["macs"] = layer.macs;
  json["flops"] = layer.operations;
  json["precision"] = layer.precision;
  json["latency_s"] = layer.latency.value;
  json["cycles"] = layer.cycles.value;
  json["energy_j"] = layer.energy.total().value;
  json["energy_by"] = energy_json(layer.energy);
  json["bound"] = layer.bound;
  json["bounds"] = bounds_json(main);
  json["arithmetic_intensity"] = layer.arithmetic_intensity;
  json["utilization"] = layer.utilization;
  json["optimality_gap"] = layer.optimality_gap;
  if (layer.parts) {
    json["cycles_by"] = {{"compute", layer.parts->compute.value},    {"overhead", layer.parts->overhead.value},
                         {"fill", layer.parts->fill.value},          {"drain", layer.parts->drain.value},
                         {"wait_dram", layer.parts->dram.value},     {"contention", layer.parts->contention.value},
                         {"wait_buffer", layer.parts->buffer.value}, {"idle", layer.parts->idle.value}};
  }
  if (layer.library) json["time_by"] = library_json(*layer.library);
  json["compute"] = main.compute.why;
  json["mapping"] = mapping_json(main);
  json["accesses"] = accesses_json(accesses(layer));
  if (layer.kernels.size() > 1) {
    Json parts = Json::array();
    for (const auto& [evaluation, repeat] : layer.kernels) {
      parts.push_back({{"dims", dims_json(evaluation.problem)},
                       {"compute", evaluation.problem.compute == Compute::mac ? "mac" : "vector"},
                       {"repeat", repeat},
                       {"cycles", evaluation.cycles.value},
                       {"energy_j", evaluation.energy.total().value},
                       {"bound", evaluation.bounds.empty() ? "" : evaluation.bounds.front().name},
                       {"mapping", mapping_json(evaluation)}});
    }
    json["parts"] = std::move(parts);
  }
  if (layer.placement) json["placement"] = placement_json(*layer.placement);
  if (!layer.notes.empty()) json["notes"] = layer.notes;
  return json;
}

}  // namespace

Json result_json(const NetworkEvaluation& network) {
  Json json;
  json["workload"] = {{"name", network.workload}, {"source", network.workload_source}, {"batch", network.batch},
                      {"macs", network.macs},     {"params", network.params},          {"layers", network.layer_count}};
  json["chip"] = {{"name", network.chip}, {"family", network.family}, {"source", network.chip_source}};
  json["engine"] = name(network.engine);
  json["objective"] = name(network.objective);
  json["energy_table"] = network.energy_table;
  json["validation"] = {{"status", network.validation},
                        {"band_pct", network.band_pct ? Json(*network.band_pct) : Json(nullptr)}};
  if (!network.stack.empty()) json["stack"] = {{"name", network.stack}, {"includes", network.stack_meaning}};
  if (!network.failure.empty()) {
    json["failure"] = network.failure;
    return json;
  }
  json["totals"] = {{"latency_s", network.latency.value},
                    {"cycles", network.cycles.value},
                    {"energy_j", network.energy.total().value},
                    {"macs", network.macs},
                    {"flops", network.operations},
                    {"dram_bytes", network.dram.value},
                    {"peak_memory_bytes", network.peak_memory_bytes},
                    {"utilization", network.utilization},
                    {"average_power_w", network.average_power.value},
                    {"throughput_per_s", network.throughput_per_s},
                    {"energy_by", energy_json(network.energy)}};
  json["totals"]["chips_for_memory"] = network.chips_for_memory;
  if (network.board) {
    json["totals"]["board_energy_j"] = network.board->value;
    json["totals"]["board_energy_band_pct"] = network.board_band_pct ? Json(*network.board_band_pct) : Json(nullptr);
    json["totals"]["board_energy_per_sample_j"] = network.board->value / static_cast<double>(network.batch);
  }
  Json levels = Json::object();
  for (const auto& [level, energy] : energy_by_level(network)) levels[level] = energy.value;
  json["totals"]["energy_by_level_j"] = std::move(levels);
  if (network.residency) json["residency"] = residency_json(network);
  if (network.parallel) {
    const TensorParallelRun& run = *network.parallel;
    json["parallel"] = {{"way", "tensor"},
                        {"gpus", run.gpus},
                        {"link", run.link},
                        {"exchange_s", run.exchange.value},
                        {"shared_products", run.split},
                        {"memory_bytes", run.memory.value},
                        {"board_energy_j", run.board.value}};
  }
  if (network.training) json["training"] = training_json(*network.training);
  json["layers"] = Json::array();
  for (const LayerEvaluation& layer : network.layers) json["layers"].push_back(layer_json(layer));
  json["notes"] = network.notes;
  return json;
}

Json run_heading(const RunRequest& request) {
  Json json;
  json["schema"] = "tilewright.run/1";
  json["version"] = version;
  json["request"] = Json::object();
  for (const auto& [key, value] : request.fields) json["request"][key] = value;
  json["results"] = Json::array();
  return json;
}

std::string report_json(const RunReport& report) {
  Json json = run_heading(report.request);
  for (const NetworkEvaluation& network : report.results) json["results"].push_back(result_json(network));
  return json.dump(1) + "\n";
}

std::string chip_json(const Chip& chip) {
  Json json;
  json["name"] = chip.name;
  json["family"] = chip.family;
  json["summary"] = chip.summary;
  json["source"] = chip.source;
  json["validation"] = chip.validation;
  json["technology_nm"] = chip.technology_nm;
  json["clock_hz"] = chip.clock.value;
  json["lanes"] = chip.lanes();
  json["energy_table"] = chip.energy_table;
  json["static_power_w"] = chip.static_power.value;
  json["tdp_w"] = chip.tdp.value;
  json["levels"] = Json::array();
  for (const BufferLevel& level : chip.levels) {
    Json row;
    row["name"] = level.name;
    row["capacity_bytes"] = level.capacity ? Json(level.capacity->value) : Json(nullptr);
    row["instances"] = level.instances;
    row["fanout"] = {level.fanout_x, level.fanout_y};
    row["bandwidth_bytes_per_s"] =
        level.bandwidth.value > 0 ? Json((level.bandwidth * chip.clock).value) : Json(nullptr);
    row["access_bits"] = level.access_bits;
    row["read_energy_pj"] = in_picojoules(level.read_energy);
    row["write_energy_pj"] = in_picojoules(level.write_energy);
    row["energy_source"] = level.energy_source;
    json["levels"].push_back(std::move(row));
  }
  json["arithmetic"] = Json::array();
  for (const auto& [type, lane] : chip.arithmetic) {
    json["arithmetic"].push_back({{"precision", name(type)},
                                  {"peak_operations_per_s", peak_operations(chip, type)},
                                  {"energy_per_mac_pj", in_picojoules(lane.energy_per_mac)},
                                  {"source", lane.source}});
  }
  json["vector"] = {{"ops_per_cycle_fp32", chip.vector.ops_per_cycle_fp32},
                    {"energy_per_op_pj", in_picojoules(chip.vector.energy_per_op)},
                    {"source", chip.vector.source}};
  return json.dump(1) + "\n";
}

std::string workload_json(const WorkloadGraph& graph) {
  Json json;
  json["name"] = graph.name;
  json["source"] = graph.source;
  json["batch"] = graph.batch;
  json["macs"] = total_macs(graph);
  json["params"] = graph.weight_elements;
  json["peak_activation_bytes"] = peak_activation_bytes(graph);
  json["layers"] = Json::array();
  for (const LayerGroup& group : merge_repeats(graph)) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(group.layer)];
    const std::vector<Kernel> kernels = lower(graph, layer);
    Json row;
    row["name"] = layer.name;
    row["op"] = layer.op;
    row["repeat"] = group.repeat;
    row["macs"] = macs(layer);
    row["dims"] = dims_json(kernels.front().problem);
    row["precision"] = name(compute_format(kernels.front().problem));
    Json members = Json::array();
    for (const int member : group.members) members.push_back(graph.layers[static_cast<std::size_t>(member)].name);
    row["members"] = std::move(members);
    json["layers"].push_back(std::move(row));
  }
  json["views"] = Json::array();
  for (const FreeView& view : graph.views) json["views"].push_back({{"name", view.name}, {"op", view.op}});
  json["unmodelled"] = graph.unmodelled;
  return json.dump(1) + "\n";
}

}  // namespace tilewright
