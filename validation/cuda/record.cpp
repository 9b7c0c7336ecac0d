#include "validation/cuda/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "validation/cuda/plan.hpp"
#include "validation/tables/device_name.hpp"
#include "validation/tables/tables.hpp"

namespace tilewright::cuda {
namespace {

constexpr double clock_tolerance = 0.01;

std::string text_of(const std::optional<double>& value) { return value ? figure(*value) : ""; }

/// Operations per SM and cycle, a multiply-add counts two. Tensor rates are dense with fp32 accumulation on data-centre and professional boards; GeForce boards have half of them.
struct Rates {
  int compute_capability;
  std::string_view arch, generation;
  int fp32_cores, tensor_cores;
  int fp16_vector, fp16_tensor, bf16_tensor, tf32_tensor, int8, fp8;
  int node_nm;
};
constexpr std::array rates{Rates{75, "TU10x", "Turing", 64, 8, 256, 1024, 0, 0, 2048, 0, 12},
                           Rates{80, "GA100", "Ampere", 64, 4, 512, 2048, 2048, 1024, 4096, 0, 7},
                           Rates{86, "GA10x", "Ampere", 128, 4, 256, 1024, 1024, 512, 2048, 0, 8},
                           Rates{89, "AD10x", "Ada", 128, 4, 256, 1024, 1024, 512, 2048, 2048, 5},
                           Rates{90, "GH100", "Hopper", 128, 4, 512, 4096, 4096, 2048, 8192, 8192, 4},
                           Rates{100, "GB100", "Blackwell", 128, 4, 512, 8192, 8192, 4096, 16384, 16384, 4}};
constexpr double assumed_tdp_w = 250;
constexpr std::int64_t hbm_bus_bits = 1024;  // a stack has 1024; no GDDR board has as many

}  // namespace

std::vector<std::string> record_columns() {
  return {"power_w",
          "p5_us",
          "p95_us",
          "min_us",
          "samples",
          "launches_per_graph",
          "steady",
          "cold_us",
          "cold_p5_us",
          "cold_p95_us",
          "single_us",
          "energy_j",
          "idle_w",
          "clock_before_mhz",
          "clock_mhz",
          "clock_min_mhz",
          "clock_after_mhz",
          "memory_clock_mhz",
          "temperature_c",
          "throttle_reasons",
          "kernel",
          "gpu",
          "uuid",
          "pci",
          "mig",
          "persistence",
          "ecc",
          "driver",
          "cuda",
          "cublas",
          "cudnn",
          "power_limit_w",
          "application_mhz",
          "host"};
}

Cells record_cells(const Measurement& m, const Provenance& p) {
  std::string flag;
  if (m.clock_least_mhz && m.clock_mhz && has_moved(*m.clock_mhz, *m.clock_least_mhz, clock_tolerance))
    flag = "clock_moved";
  Cells cells{{"device", p.device},
              {"latency_us", figure(m.warm.median)},
              {"p5_us", figure(m.warm.p5)},
              {"p95_us", figure(m.warm.p95)},
              {"min_us", figure(m.warm.least)},
              {"samples", std::to_string(m.warm.count)},
              {"launches_per_graph", std::to_string(m.launches)},
              {"steady", m.steady ? "1" : "0"},
              {"power_w", text_of(m.power_w)},
              {"energy_j", text_of(m.energy_j)},
              {"idle_w", text_of(m.idle_w)},
              {"clock_before_mhz", text_of(m.clock_before_mhz)},
              {"clock_mhz", text_of(m.clock_mhz)},
              {"clock_min_mhz", text_of(m.clock_least_mhz)},
              {"clock_after_mhz", text_of(m.clock_after_mhz)},
              {"memory_clock_mhz", text_of(m.memory_clock_mhz)},
              {"temperature_c", text_of(m.temperature_c)},
              {"throttle_reasons", m.throttle_reasons ? fmt::format("0x{:x}", *m.throttle_reasons) : ""},
              {"kernel", m.kernel},
              {"timing", "cuda_graph_replay"},
              {"flag", flag},
              {"source", "tilewright_cuda"},
              {"gpu", p.gpu},
              {"uuid", p.uuid},
              {"pci", p.pci},
              {"mig", p.mig},
              {"persistence", p.persistence},
              {"ecc", p.ecc},
              {"driver", p.driver},
              {"cuda", p.cuda},
              {"cublas", p.cublas},
              {"cudnn", p.cudnn},
              {"power_limit_w", p.power_limit_w},
              {"application_mhz", p.application_mhz},
              {"host", p.host}};
  if (m.single.count > 0) cells["single_us"] = figure(m.single.median);
  if (m.cold.count > 0) {
    cells["cold_us"] = figure(m.cold.median);
    cells["cold_p5_us"] = figure(m.cold.p5);
    cells["cold_p95_us"] = figure(m.cold.p95);
  }
  return cells;
}

std::string host_hash(const std::string& name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

std::optional<Cells> device_cells(const DeviceFacts& facts) {
  const auto found = std::ranges::find(rates, facts.compute_capability, &Rates::compute_capability);
  if (found == rates.end() || facts.sms < 1 || facts.boost_khz < 1) return std::nullopt;
  const Rates& r = *found;
  const double cycles = static_cast<double>(facts.sms) * static_cast<double>(facts.boost_khz) * 1e3;
  const auto tera = [&](int per_sm) { return per_sm > 0 ? figure(1e-12 * per_sm * cycles) : ""; };
  const bool hbm = facts.bus_bits >= hbm_bus_bits;
  return Cells{
      {"device", new_device_key(facts.name)},
      {"arch", std::string(r.arch)},
      {"generation", std::string(r.generation)},
      {"compute_cap", fmt::format("{}.{}", r.compute_capability / 10, r.compute_capability % 10)},
      {"sms", std::to_string(facts.sms)},
      {"fp32_cores_per_sm", std::to_string(r.fp32_cores)},
      {"tensor_cores_per_sm", std::to_string(r.tensor_cores)},
      {"boost_mhz", figure(1e-3 * static_cast<double>(facts.boost_khz))},
      {"fp32_tflops", tera(2 * r.fp32_cores)},
      {"fp16_vector_tflops", tera(r.fp16_vector)},
      {"fp16_tensor_tflops", tera(r.fp16_tensor)},
      {"bf16_tensor_tflops", tera(r.bf16_tensor)},
      {"tf32_tensor_tflops", tera(r.tf32_tensor)},
      {"int8_tops", tera(r.int8)},
      {"fp8_tensor_tflops", tera(r.fp8)},
      {"mem_type", hbm ? "HBM" : "GDDR"},
      {"mem_gb", figure(static_cast<double>(facts.memory_bytes) / (1 << 30))},
      // Two transfers a clock: the clock is that of the data strobe.
      {"dram_gbps", figure(2e-6 * static_cast<double>(facts.memory_khz) * static_cast<double>(facts.bus_bits) / 8)},
      {"l2_mb", figure(static_cast<double>(facts.l2_bytes) / (1 << 20))},
      {"smem_kb_per_sm", figure(static_cast<double>(facts.shared_bytes) / 1024)},
      {"regs_kb_per_sm", figure(static_cast<double>(facts.registers) * 4 / 1024)},
      {"tdp_w", figure(facts.power_limit_w.value_or(assumed_tdp_w))},
      {"node_nm", std::to_string(r.node_nm)},
      {"source", "CUDA runtime, rates per SM of the architecture"}};
}

}  // namespace tilewright::cuda
