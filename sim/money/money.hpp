// What serving a network costs: devices, their rent or price, the energy bill; a request and a million tokens.
#pragma once

#include <cstdint>
#include <optional>

#include "core/document.hpp"
#include "core/units.hpp"

namespace tilewright {

struct ServingTerms {
  std::optional<Dollars> rent;          // of one device and hour; none: its price over its lifetime
  Seconds lifetime{3 * 365.0 * 86400};  // of a bought device
  Dollars electricity_per_kwh{0};       // 0: within the rent
  double facility = 1;                  // power of the building over power of the devices (PUE)
  double utilization = 1;               // part of the time in which requests are there, (0, 1]
  std::optional<double> load;           // requests a second; none: as many as one copy of the network serves
  double tokens_per_request = 1;
  std::optional<Bytes> device_memory;  // none: that of the chip
};

/// Keys: rent (USD, an hour), lifetime (s), electricity (USD, a kWh), facility, utilization, load, tokens, memory. InputError.
ServingTerms read_serving(const Value& value);

/// What is served: one pass takes `latency` and answers `batch` requests.
struct ServedNetwork {
  Seconds latency;
  std::int64_t batch = 1;
  Joules energy;                  // of one pass
  Bytes memory;                   // weights and what lives beside them
  std::optional<Bytes> capacity;  // of one device
  std::optional<Dollars> price;   // of one device
};

struct ServingCost {
  std::int64_t devices_for_memory = 1;  // that hold one copy of the network
  std::int64_t copies = 1;              // that serve the load
  std::int64_t devices = 1;
  double requests_per_s = 0;  // served on average
  Dollars hardware_per_hour;  // rent, or price spread over the lifetime (embodied)
  Dollars energy_per_hour;    // bill
  Dollars per_hour, per_request, per_million_tokens;
};

/// ceil(memory / capacity): capacity is a step function of what is saved.
std::int64_t devices_for_memory(Bytes memory, Bytes capacity);

/// A copy of the network on its devices serves utilization x batch / latency requests a second (devices that share a copy by layers work in turn: the
/// latency stays); the load takes the next whole number of copies. Energy: that of the passes, times the facility's overhead.
/// InputError: neither rent nor price is known; more devices than 64 bits.
ServingCost serving_cost(const ServedNetwork& network, const ServingTerms& terms);

/// Requests that a device answers more in `period` when each takes `saved` (a part of 1) less of its `latency`.
double requests_gained(Seconds period, Seconds latency, double saved);

}  // namespace tilewright
