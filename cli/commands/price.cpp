// tilewright price: what serving a network costs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "sim/money/money.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/table.hpp"

namespace tilewright::cli {
namespace {

ServingTerms terms_of(const std::string& terms) {
  const Value value = terms.find('{') == std::string::npos ? load_yaml(terms) : parse_yaml(terms, "--terms");
  ServingTerms read = read_serving(value);
  value.reject_unread_keys();
  return read;
}

nlohmann::ordered_json json_of(const NetworkEvaluation& network, const ServingCost& cost) {
  return {{"chip", network.chip},
          {"latency_s", network.latency.value},
          {"energy_j", network.energy.total().value},
          {"memory_bytes", network.peak_memory_bytes},
          {"devices_for_memory", cost.devices_for_memory},
          {"copies", cost.copies},
          {"devices", cost.devices},
          {"requests_per_s", cost.requests_per_s},
          {"hardware_usd_per_hour", cost.hardware_per_hour.value},
          {"energy_usd_per_hour", cost.energy_per_hour.value},
          {"usd_per_hour", cost.per_hour.value},
          {"usd_per_request", cost.per_request.value},
          {"usd_per_million_tokens", cost.per_million_tokens.value}};
}

}  // namespace

int price(const PriceOptions& options) {
  require_choice("--format", options.run.format, {"text", "json"});
  const ServingTerms terms = terms_of(options.terms);
  const WorkloadGraph graph = prepared_workload(options.run);
  const NetworkOptions settings = network_options(options.run);
  Table table({"chip", "latency", "memory", "devices for memory", "copies", "devices", "requests/s", "USD/h hardware",
               "USD/h energy", "USD per request", "USD per million tokens"});
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  std::string failures;
  for (const Chip& chip : chosen_chips(options.run)) {
    const NetworkEvaluation network = evaluate_network(graph, chip, settings);
    if (!network.failure.empty()) {
      failures += fmt::format("{}: {}\n", chip.name, network.failure);
      results.push_back({{"chip", chip.name}, {"failure", network.failure}});
      continue;
    }
    const Bytes memory{static_cast<double>(network.peak_memory_bytes)};
    const ServingCost cost = serving_cost({.latency = network.latency,
                                           .batch = network.batch,
                                           .energy = network.energy.total(),
                                           .memory = memory,
                                           .capacity = chip.levels.front().capacity,
                                           .price = chip.price},
                                          terms);
    table.add({chip.name, human(network.latency), human(memory), fmt::format("{}", cost.devices_for_memory),
               fmt::format("{}", cost.copies), fmt::format("{}", cost.devices),
               fmt::format("{:.4g}", cost.requests_per_s), fmt::format("{:.4g}", cost.hardware_per_hour.value),
               fmt::format("{:.4g}", cost.energy_per_hour.value), fmt::format("{:.4g}", cost.per_request.value),
               fmt::format("{:.4g}", cost.per_million_tokens.value)});
    results.push_back(json_of(network, cost));
  }
  deliver(options.run.format == "json"
              ? nlohmann::ordered_json{{"schema", "tilewright.price/1"}, {"results", results}}.dump(2) + "\n"
              : table.text() + failures,
          options.run.output);
  return failures.empty() ? done : failed;
}

}  // namespace tilewright::cli
