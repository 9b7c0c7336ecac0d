#include "sim/money/money.hpp"

#include <cmath>

namespace tilewright {
namespace {

constexpr double hour = 3600;
constexpr double joules_per_kwh = 3.6e6;
constexpr double most_devices = 1e15;

std::int64_t whole(double number, const char* what) {
  const double rounded = std::ceil(number);
  if (!(rounded <= most_devices)) throw InputError({{}, 0, 0, what}, "more devices than can be counted are needed");
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(rounded));
}

}  // namespace

ServingTerms read_serving(const Value& value) {
  ServingTerms terms;
  if (const auto rent = value.find("rent")) terms.rent = rent->as_price();
  if (const auto lifetime = value.find("lifetime")) {
    terms.lifetime = lifetime->as_time();
    if (terms.lifetime.value <= 0) lifetime->fail("is above zero");
  }
  if (const auto electricity = value.find("electricity")) terms.electricity_per_kwh = electricity->as_price();
  if (const auto facility = value.find("facility")) terms.facility = facility->as_number(1, 100);
  if (const auto utilization = value.find("utilization")) terms.utilization = utilization->as_number(1e-9, 1);
  if (const auto load = value.find("load")) terms.load = load->as_number(1e-9, 1e15);
  if (const auto tokens = value.find("tokens")) terms.tokens_per_request = tokens->as_number(1e-9, 1e15);
  if (const auto memory = value.find("memory")) {
    terms.device_memory = memory->as_bytes();
    if (terms.device_memory->value <= 0) memory->fail("is above zero");
  }
  return terms;
}

std::int64_t devices_for_memory(Bytes memory, Bytes capacity) { return whole(memory / capacity, "memory"); }

ServingCost serving_cost(const ServedNetwork& network, const ServingTerms& terms) {
  ServingCost cost;
  const std::optional<Bytes> capacity = terms.device_memory ? terms.device_memory : network.capacity;
  if (capacity) cost.devices_for_memory = devices_for_memory(network.memory, *capacity);
  const double copy_serves = terms.utilization * static_cast<double>(network.batch) / network.latency.value;
  cost.requests_per_s = terms.load.value_or(copy_serves);
  cost.copies = whole(cost.requests_per_s / copy_serves, "load");
  cost.devices = whole(static_cast<double>(cost.copies) * static_cast<double>(cost.devices_for_memory), "load");
  if (!terms.rent && !network.price)
    throw InputError({{}, 0, 0, "price"},
                     "the chip file gives no price; add one, or say what a device costs an hour (rent)");
  const Dollars device_hour = terms.rent ? *terms.rent : *network.price * (hour / terms.lifetime.value);
  cost.hardware_per_hour = device_hour * static_cast<double>(cost.devices);
  const double passes_per_hour = hour * cost.requests_per_s / static_cast<double>(network.batch);
  cost.energy_per_hour =
      terms.electricity_per_kwh * (passes_per_hour * network.energy.value * terms.facility / joules_per_kwh);
  cost.per_hour = cost.hardware_per_hour + cost.energy_per_hour;
  cost.per_request = cost.per_hour * (1 / (hour * cost.requests_per_s));
  cost.per_million_tokens = cost.per_request * (1e6 / terms.tokens_per_request);
  return cost;
}

double requests_gained(Seconds period, Seconds latency, double saved) {
  return (period / latency) * (1 / (1 - saved) - 1);
}

}  // namespace tilewright
