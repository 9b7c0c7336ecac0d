#include "sim/study/point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <cmath>

#include "arch_models/load.hpp"
#include "core/text_file.hpp"
#include "core/version.hpp"
#include "sim/study/asked.hpp"
#include "sim/study/ladder.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/packed.hpp"
#include "workloads/onnx/load.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_file_bytes = std::int64_t{4} << 30;

/// SHA-1 cut to 122 bits (a version 5 UUID), as 32 hexadecimal digits.
std::string digest(const std::string& text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const boost::uuids::uuid id = boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(text);
  std::string hex;
  hex.reserve(2 * id.size());
  for (const std::uint8_t byte : id) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

std::string_view after(std::string_view key, std::string_view prefix) { return key.substr(prefix.size()); }

bool meets(const StudyConstraint& constraint, double figure) {
  return constraint.comparison == Comparison::at_most ? figure <= constraint.limit : figure >= constraint.limit;
}

}  // namespace

std::string_view name(PointStatus status) {
  switch (status) {
    case PointStatus::done: return "done";
    case PointStatus::violates: return "violates";
    case PointStatus::infeasible: return "infeasible";
    case PointStatus::failed: return "failed";
  }
  return "";
}

PointEvaluator::PointEvaluator(const StudyRequest& request) : request_(request), keys_(axis_keys(request)) {
  for (const std::string& line : canonical_lines(request)) {
    if (line.starts_with("accuracy: ") || line.starts_with("serving: ")) models_ += line + "\n";
  }
  for (const std::string& chip : request.chips) {
    const Value document = chip_document(chip);
    read_chip(document);
    contents_.emplace(chip, digest(read_file(document.place().file, most_file_bytes)));
    chips_.emplace(chip, document);
  }
  for (const std::string& workload : request.workloads) {
    if (request.architectures) {
      contents_.emplace(workload, digest(request.architectures->space.text));
      continue;
    }
    contents_.emplace(workload, is_generator(workload) ? workload : digest(read_file(workload, most_file_bytes)));
  }
}

std::vector<std::string> PointEvaluator::inputs() const {
  std::vector<std::string> lines{fmt::format("tilewright: {}", version)};
  for (const std::string& workload : request_.workloads)
    lines.push_back(fmt::format("content of {}: {}", workload, contents_.at(workload)));
  for (const std::string& chip : request_.chips)
    lines.push_back(fmt::format("content of {}: {}", chip, contents_.at(chip)));
  return lines;
}

std::string PointEvaluator::identity(const StudyPoint& point, Engine engine) const {
  std::string text = fmt::format("tilewright {}\nworkload {}\nchip {}\nengine {}\nobjective {}\nfuse {}\nmappings {}\n",
                                 version, contents_.at(point.workload), contents_.at(point.chip),
                                 static_cast<int>(engine), static_cast<int>(request_.objective),
                                 static_cast<int>(request_.fusion), static_cast<int>(request_.mappings));
  if (request_.latency_slack > 0) text += fmt::format("latency slack {}\n", request_.latency_slack);
  for (std::size_t a = 0; a < keys_.size(); ++a) text += fmt::format("{} = {}\n", keys_[a], point.values[a]);
  for (const StudyConstraint& constraint : request_.constraints) text += fmt::format("{}\n", constraint.text);
  return digest(text + models_);
}

std::shared_ptr<const WorkloadGraph> PointEvaluator::graph_of(const StudyPoint& point) {
  std::string key = point.workload;
  for (std::size_t a = 0; a < keys_.size(); ++a) {
    if (keys_[a].starts_with("model.") || keys_[a] == "arch") key += fmt::format("\n{}={}", keys_[a], point.values[a]);
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = graphs_.find(key); found != graphs_.end()) return found->second;
  }
  auto graph = std::make_shared<const WorkloadGraph>(prepare_workload(workload_request(request_, point)));
  const std::lock_guard lock(mutex_);
  constexpr std::size_t most_kept = 256;  // a graph holds some hundred KiB
  if (graphs_.size() >= most_kept) graphs_.clear();
  return graphs_.emplace(key, std::move(graph)).first->second;
}

/// The point's chip; `instead`: other values for some of its axes.
Chip PointEvaluator::chip_of(const StudyPoint& point, const std::vector<Override>& instead) const {
  std::vector<Override> overrides = chip_overrides(request_, point);
  for (Override& override : overrides) {
    const auto other =
        std::find_if(instead.begin(), instead.end(), [&](const Override& o) { return o.path == override.path; });
    if (other != instead.end()) override.text = other->text;
  }
  return read_chip(with_overrides(chips_.at(point.chip), overrides));
}

NetworkEvaluation PointEvaluator::evaluate_network_of(const StudyPoint& point, const Chip& chip, Engine engine) {
  NetworkOptions options = network_options(request_, engine);
  options.limits.stop = stop_;
  const std::shared_ptr<const WorkloadGraph> graph = graph_of(point);
  if (request_.mappings == StudyMappings::own || !shareable(chip, options))
    return evaluate_network(*graph, chip, options);

  std::string key = fmt::format("{}\n{}\n{}", point.workload, point.chip, static_cast<int>(engine));
  std::vector<std::string> sizes;  // paths
  for (std::size_t a = 0; a < keys_.size(); ++a) {
    if (sizes_memory(keys_[a])) {
      sizes.emplace_back(after(keys_[a], "chip."));
    } else {
      key += fmt::format("\n{}={}", keys_[a], point.values[a]);
    }
  }
  std::shared_ptr<SharedNetwork> network;
  {
    const std::lock_guard lock(mutex_);
    constexpr std::size_t most_kept = 32;  // one holds about a MiB
    std::shared_ptr<SharedNetwork>& slot = shared_[key];
    if (!slot) {
      slot = std::make_shared<SharedNetwork>(*graph, chip, options);
      oldest_shared_.push_back(key);
      if (oldest_shared_.size() > most_kept) {
        shared_.erase(oldest_shared_.front());
        oldest_shared_.pop_front();
      }
    }
    network = shared_[key];
  }
  const Ladder ladder = ladder_of(chip, sizes);
  SharedNetwork::Anchors anchors;
  for (const Rungs& rungs : ladder.anchors) anchors.keys.push_back(rungs.key);
  anchors.chip = [&](std::size_t i) -> std::optional<Chip> {
    try {
      return chip_of(point, ladder.anchors[i].values);
    } catch (const InputError&) { return std::nullopt; }  // beyond what the chip's energy table knows
  };
  anchors.last_bounds = request_.objective == Objective::latency || !ladder.other_capacities;
  return network->evaluate(chip, anchors);
}

PointResult PointEvaluator::evaluate_or_throw(const StudyPoint& point, Engine engine) {
  const Chip chip = chip_of(point, {});
  const NetworkEvaluation result = evaluate_network_of(point, chip, engine);
  if (!result.failure.empty()) return {PointStatus::infeasible, result.failure, {}};

  PointFacts facts{result, chip};
  if (request_.accuracy) {
    const AccuracyFigure accuracy = request_.accuracy->of(coordinates_of(request_, point));
    facts.accuracy = accuracy.value;
    facts.predicted = accuracy.predicted ? 1 : 0;
  }
  ServingCost serving;
  if (request_.serving) {
    const ServedNetwork served{.latency = result.latency,
                               .batch = result.batch,
                               .energy = result.energy.total(),
                               .memory = Bytes{static_cast<double>(result.peak_memory_bytes)},
                               .capacity = chip.levels.front().capacity,
                               .price = chip.price};
    serving = serving_cost(served, *request_.serving);
    facts.serving = &serving;
  }
  PointResult evaluated{PointStatus::done, "", {}};
  evaluated.figures.reserve(study_metrics().size());
  for (const Metric& metric : study_metrics()) evaluated.figures.push_back(metric.of(facts));
  for (const StudyConstraint& constraint : request_.constraints) {
    const double figure = evaluated.figures[constraint.metric];
    if (std::isnan(figure)) {
      throw InputError({request_.path, 0, 0, "constraints"},
                       fmt::format("{} gives no {}", chip.name, study_metrics()[constraint.metric].name));
    }
    if (!meets(constraint, figure)) {
      evaluated.status = PointStatus::violates;
      evaluated.message +=
          fmt::format("{}{} is not met: {:.6g}", evaluated.message.empty() ? "" : "; ", constraint.text, figure);
    }
  }
  return evaluated;
}

NetworkEvaluation PointEvaluator::network_of(const StudyPoint& point, Engine engine) {
  return evaluate_network_of(point, chip_of(point, {}), engine);
}

PointResult PointEvaluator::evaluate_here(const StudyPoint& point, Engine engine) {
  try {
    return evaluate_or_throw(point, engine);
  } catch (const InputError& error) { return {PointStatus::failed, error.what(), {}}; }
}

void PointEvaluator::fork_simulations(int jobs) {
  const bool simulates =
      std::find(request_.engines.begin(), request_.engines.end(), Engine::systemc) != request_.engines.end();
  if (!simulates || jobs <= 1) return;
  processes_ = std::make_unique<ProcessPool>(
      jobs, [this](const std::string& point) { return packed(evaluate_here(unpacked_point(point), Engine::systemc)); });
}

PointResult PointEvaluator::evaluate(const StudyPoint& point, Engine engine) {
  if (!processes_ || engine != Engine::systemc) return evaluate_here(point, engine);
  const auto answer = processes_->ask(packed(point));
  if (!answer) return {PointStatus::failed, answer.error(), {}};
  return unpacked_result(*answer);
}

}  // namespace tilewright
