#include "validation/cuda/measure.hpp"

#include <chrono>
#include <thread>

#include "validation/cuda/plan.hpp"

namespace tilewright::cuda {
namespace {

constexpr double least_graph_ms = 5;
constexpr int most_launches = 2000;  // nodes of a graph
constexpr int first_launches = 3;
constexpr std::size_t steady_window = 20;
constexpr double steady_share = 0.01, warm_up_s = 0.5;
constexpr double power_warm_s = 1, power_s = 2, power_step_s = 0.03;  // power is read some 30 times a second
constexpr double idle_s = 3;                                          // drivers average power over a second

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Meter::Meter(const BenchOptions& options, const Nvml& nvml, std::size_t l2_bytes)
    : options_(options), nvml_(nvml), flush_(2 * l2_bytes) {
  if (!options.power) return;
  std::this_thread::sleep_for(std::chrono::duration<double>(idle_s));
  idle_w_ = nvml.power_w();
}

double Meter::first_look(const Launch& launch) {
  Event begin, end;
  double us = 0;
  for (int i = 0; i < first_launches; ++i) {
    begin.record(stream_);
    launch(stream_.get());
    check(cudaGetLastError(), "launch");
    end.record(stream_);
    us = end.us_since(begin);
  }
  return us;
}

bool Meter::warm_up(const Graph& graph) {
  Event begin, end;
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  while (!is_steady(times, steady_window, steady_share)) {
    if (seconds_since(start) > warm_up_s) return false;
    begin.record(stream_);
    graph.replay(stream_);
    end.record(stream_);
    times.push_back(end.us_since(begin));
  }
  return true;
}

std::vector<double> Meter::replays(const Graph& graph, int launches, std::vector<double>& clocks) {
  Event begin, end;
  std::vector<double> times;
  for (int i = 0; i < options_.samples; ++i) {
    begin.record(stream_);
    graph.replay(stream_);
    end.record(stream_);
    if (const auto clock = nvml_.sm_clock_mhz()) clocks.push_back(*clock);  // the replay is queued: under load
    times.push_back(end.us_since(begin) / launches);
  }
  return times;
}

std::vector<double> Meter::cold(const Launch& launch) {
  Event begin, end;
  std::vector<double> times;
  for (int i = 0; i < options_.samples; ++i) {
    // The host queues the launch while the buffer is written: no gap between the events but the launch itself.
    check(cudaMemsetAsync(flush_.get(), i & 0xff, flush_.bytes(), stream_.get()), "cudaMemsetAsync");
    begin.record(stream_);
    launch(stream_.get());
    check(cudaGetLastError(), "launch");
    end.record(stream_);
    times.push_back(end.us_since(begin));
  }
  return times;
}

std::vector<double> Meter::single(const Launch& launch) {
  Event begin, end;
  std::vector<double> times;
  for (int i = 0; i < options_.samples; ++i) {
    stream_.wait();
    begin.record(stream_);
    launch(stream_.get());
    end.record(stream_);
    times.push_back(end.us_since(begin));
  }
  return times;
}

void Meter::loop_for_power(const Graph& graph, int launches, Measurement& m) {
  m.idle_w = idle_w_;
  const auto loop = [&](double seconds, std::vector<double>* watts) {
    std::int64_t replays = 0;
    const auto start = std::chrono::steady_clock::now();
    while (seconds_since(start) < seconds) {
      const auto step = std::chrono::steady_clock::now();
      while (seconds_since(step) < power_step_s) {
        graph.replay(stream_);
        ++replays;
        stream_.wait();
      }
      if (const auto power = nvml_.power_w(); power && watts != nullptr) watts->push_back(*power);
    }
    return std::pair(replays, seconds_since(start));
  };
  loop(power_warm_s, nullptr);
  std::vector<double> watts;
  const auto before = nvml_.energy_mj();
  const auto [replays, seconds] = loop(power_s, &watts);
  const auto after = nvml_.energy_mj();
  if (before && after && *after >= *before) {
    m.power_w = power_from_energy(*before, *after, seconds);
    m.energy_j = *m.power_w * seconds / (static_cast<double>(replays) * launches);
  } else if (!watts.empty()) {
    m.power_w = summary_of(watts).median;
    m.energy_j = *m.power_w * seconds / (static_cast<double>(replays) * launches);
  }
}

Measurement Meter::warm(const Launch& launch) {
  Measurement m;
  m.clock_before_mhz = nvml_.sm_clock_mhz();
  m.launches = launches_per_graph(first_look(launch), least_graph_ms, most_launches);
  const Graph graph(launch, m.launches, stream_);
  m.steady = warm_up(graph);
  std::vector<double> clocks;
  m.warm = summary_of(replays(graph, m.launches, clocks));
  if (!clocks.empty()) {
    const SampleSummary clock = summary_of(clocks);
    m.clock_mhz = clock.median;
    m.clock_least_mhz = clock.least;
  }
  m.temperature_c = nvml_.temperature_c();
  m.memory_clock_mhz = nvml_.memory_clock_mhz();
  m.throttle_reasons = nvml_.throttle_reasons();
  m.clock_after_mhz = nvml_.sm_clock_mhz();
  if (options_.power) loop_for_power(graph, m.launches, m);
  return m;
}

Measurement Meter::measure(const Launch& launch) {
  Measurement m = warm(launch);
  m.cold = summary_of(cold(launch));
  m.single = summary_of(single(launch));
  return m;
}

}  // namespace tilewright::cuda
