// What a row says besides its shape: times, clocks, power, and where all of it came from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "validation/tables/sample.hpp"

namespace tilewright::cuda {

using Cells = std::map<std::string, std::string>;

/// One measured operator. Times in microseconds a launch.
struct Measurement {
  SampleSummary warm;    // replays of a graph, same buffers
  SampleSummary cold;    // single launches, the L2 written over before each
  SampleSummary single;  // single launches between events, warm: what a launch adds
  int launches = 1;      // in a graph
  bool steady = false;   // the warm-up came to rest
  std::optional<double> clock_before_mhz, clock_mhz, clock_least_mhz, clock_after_mhz,
      memory_clock_mhz;                                            // clock_mhz: median
  std::optional<double> temperature_c, power_w, energy_j, idle_w;  // energy of one launch, idle share included
  std::optional<std::uint64_t> throttle_reasons;
  std::string kernel;  // algorithm of the library
};

/// The machine and the software of a run; empty: not known.
struct Provenance {
  std::string device;  // key of the device table
  std::string gpu, uuid, pci, mig, persistence, ecc, driver, cuda, cublas, cudnn, power_limit_w, application_mhz, host;
};

/// Columns behind those of the open tables.
std::vector<std::string> record_columns();
/// Cells of a measurement; `flag` names a clock that moved by more than 1 %. The timing is `cuda_graph_replay`.
Cells record_cells(const Measurement& measurement, const Provenance& provenance);
/// FNV-1a of the host's name in hex: tells machines apart without naming them.
std::string host_hash(const std::string& name);

/// What the runtime says of a GPU.
struct DeviceFacts {
  std::string name;
  int compute_capability = 0;  // 10 major + minor
  std::int64_t sms = 0, boost_khz = 0, memory_khz = 0, bus_bits = 0, memory_bytes = 0, l2_bytes = 0, shared_bytes = 0,
               registers = 0;
  std::optional<double> power_limit_w;
};
/// A row of the device table from these facts and NVIDIA's rates per SM (CUDA C++ Programming Guide, white papers of the architectures); none for an architecture without known
/// rates. The power limit stands for the TDP (250 W where it is not known); node and memory type follow the architecture.
std::optional<Cells> device_cells(const DeviceFacts& facts);

}  // namespace tilewright::cuda
