// One operator on the clock: warm-up, graph replays, cold launches, single launches, power.
#pragma once

#include "validation/cuda/gpu.hpp"
#include "validation/cuda/nvml.hpp"
#include "validation/cuda/options.hpp"

namespace tilewright::cuda {

class Meter {
 public:
  /// `l2_bytes`: twice as much is written over before a cold launch.
  Meter(const BenchOptions& options, const Nvml& nvml, std::size_t l2_bytes);

  const Stream& stream() const { return stream_; }
  const Nvml& nvml() const { return nvml_; }
  /// The whole procedure. The launch must give the same work each time and wait for nothing.
  Measurement measure(const Launch& launch);
  /// Graph replays alone (and the loop for power): for work that keeps its state from launch to launch.
  Measurement warm(const Launch& launch);

 private:
  /// Time of one launch in us, after the first ones.
  double first_look(const Launch& launch);
  /// Replays until 20 times agree within 1 %, for half a second at most; whether they did.
  bool warm_up(const Graph& graph);
  std::vector<double> replays(const Graph& graph, int launches, std::vector<double>& clocks);
  std::vector<double> cold(const Launch& launch);
  std::vector<double> single(const Launch& launch);
  void loop_for_power(const Graph& graph, int launches, Measurement& measurement);

  const BenchOptions& options_;
  const Nvml& nvml_;
  Stream stream_;
  Buffer flush_;
  std::optional<double> idle_w_;  // context alive, nothing run yet
};

}  // namespace tilewright::cuda
