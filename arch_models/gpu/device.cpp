#include "arch_models/gpu/device.hpp"

#include <array>
#include <cmath>

#include "arch_models/chip.hpp"
#include "core/csv.hpp"

namespace tilewright {
namespace {

/// A positive cell of a device table.
double positive(const CsvTable& table, const CsvRow& row, std::string_view name) {
  const std::size_t column = table.column(name);
  const double value = table.number(row, column);
  if (value <= 0) throw InputError({table.file, row.line, 0, std::string(name)}, "must be above 0");
  return value;
}

double positive_or_zero(const CsvTable& table, const CsvRow& row, std::string_view name) {
  return table.text(row, table.column(name)).empty() ? 0.0 : positive(table, row, name);
}

}  // namespace

double die_area(const GpuDevice& device) {
  constexpr double usual_mm2_per_w = 1.6;  // data-centre boards of 2016 to 2024
  return device.die_mm2 > 0 ? device.die_mm2 : usual_mm2_per_w * device.tdp.value;
}

double l2_bytes_per_sm_cycle(const GpuDevice& device) {
  // microbench.csv (gpu-benches, L2 part of the sweep over SMs and boost clock): A100 31 to 35, V100 22, A40 and L40 16
  // (Blackwell: not measured, the width of an SM's port)
  if (device.compute_capability >= 10) return 64;
  if (device.compute_capability >= 8) return device.has_hbm() ? 33 : 16.5;
  return 22;
}

std::vector<GpuDevice> read_gpu_devices(const std::string& csv_path) {
  const CsvTable table = read_csv(csv_path);
  std::vector<GpuDevice> devices;
  for (const CsvRow& row : table.rows) {
    GpuDevice d;
    d.name = table.text(row, table.column("device"));
    if (d.name.empty()) throw InputError({table.file, row.line, 0, "device"}, "a device needs a name");
    d.generation = table.text(row, table.column("generation"));
    d.compute_capability = positive(table, row, "compute_cap");
    d.sms = table.integer(row, table.column("sms"), 1, 100'000);
    d.cuda_cores_per_sm = table.integer(row, table.column("fp32_cores_per_sm"), 1, 100'000);
    d.tensor_cores_per_sm = table.integer(row, table.column("tensor_cores_per_sm"), 0, 100'000);
    d.boost = Hertz{1e6 * positive(table, row, "boost_mhz")};
    d.fp32_peak = 1e12 * positive(table, row, "fp32_tflops");
    d.fp16_vector_peak = 1e12 * positive_or_zero(table, row, "fp16_vector_tflops");
    d.fp16_tensor_peak = 1e12 * positive_or_zero(table, row, "fp16_tensor_tflops");
    d.bf16_tensor_peak = 1e12 * positive_or_zero(table, row, "bf16_tensor_tflops");
    d.tf32_tensor_peak = 1e12 * positive_or_zero(table, row, "tf32_tensor_tflops");
    d.int8_peak = 1e12 * positive_or_zero(table, row, "int8_tops");
    d.fp8_tensor_peak = 1e12 * positive_or_zero(table, row, "fp8_tensor_tflops");
    d.memory = table.text(row, table.column("mem_type"));
    d.memory_size = Bytes{std::ldexp(positive(table, row, "mem_gb"), 30)};
    d.dram_bandwidth = BytesPerSecond{1e9 * positive(table, row, "dram_gbps")};
    d.l2_size = Bytes{std::ldexp(positive(table, row, "l2_mb"), 20)};
    d.shared_per_sm = Bytes{std::ldexp(positive(table, row, "smem_kb_per_sm"), 10)};
    d.registers_per_sm = Bytes{std::ldexp(positive(table, row, "regs_kb_per_sm"), 10)};
    d.tdp = Watts{positive(table, row, "tdp_w")};
    d.node_nm = positive(table, row, "node_nm");
    d.die_mm2 = positive_or_zero(table, row, "die_mm2");
    for (const GpuDevice& earlier : devices) {
      if (earlier.name == d.name)
        throw InputError({table.file, row.line, 0, "device"}, "device '" + d.name + "' is listed twice");
    }
    devices.push_back(d);
  }
  return devices;
}

GpuDevice gpu_device_of(const Chip& chip) {
  const auto& gpu = std::get<GpuParameters>(chip.parameters);
  // A chip file gives rates per SM and cycle; compute capabilities by what the vendor shipped: int8 dot products from 6.1, bf16 from 8.0, fp8 from 8.9.
  const auto peak = [&](DataType type) {
    const auto row = chip.arithmetic.find(type);
    return row == chip.arithmetic.end()
               ? 0.0
               : 2.0 * row->second.macs_per_cycle * static_cast<double>(gpu.sms) * chip.clock.value;
  };
  GpuDevice d;
  d.name = chip.name;
  d.sms = gpu.sms;
  d.cuda_cores_per_sm = gpu.cuda_cores_per_sm;
  d.tensor_cores_per_sm = gpu.tensor_cores_per_sm;
  d.boost = chip.clock;
  d.fp32_peak = peak(DataType::fp32);
  if (d.fp32_peak <= 0) d.fp32_peak = 2.0 * static_cast<double>(gpu.cuda_cores_per_sm * gpu.sms) * chip.clock.value;
  d.fp16_tensor_peak = peak(DataType::fp16);
  d.bf16_tensor_peak = peak(DataType::bf16);
  d.tf32_tensor_peak = peak(DataType::tf32);
  d.int8_peak = peak(DataType::int8);
  d.fp8_tensor_peak = peak(DataType::fp8);
  if (gpu.tensor_cores_per_sm == 0) {
    d.compute_capability = d.fp16_tensor_peak > d.fp32_peak ? 6.0 : d.int8_peak > 0 ? 6.1 : 5.2;
    d.fp16_vector_peak = d.fp16_tensor_peak;
    d.generation = d.compute_capability < 6 ? "Maxwell" : "Pascal";
  } else if (d.bf16_tensor_peak <= 0) {
    d.compute_capability = d.int8_peak > d.fp16_tensor_peak ? 7.5 : 7.0;
    d.generation = d.compute_capability < 7.5 ? "Volta" : "Turing";
  } else if (d.fp8_tensor_peak <= 0) {
    d.compute_capability = gpu.cuda_cores_per_sm > 64 ? 8.6 : 8.0;
    d.generation = "Ampere";
  } else {
    const bool hopper = static_cast<double>(gpu.shared_bytes_per_sm) > 128 * 1024;
    d.compute_capability = hopper ? 9.0 : 8.9;
    d.generation = hopper ? "Hopper" : "Ada";
  }
  const BufferLevel& dram = chip.levels.front();
  d.dram_bandwidth = BytesPerSecond{dram.bandwidth.value * static_cast<double>(dram.instances) * chip.clock.value};
  d.memory =
      dram.bandwidth.value * chip.clock.value >= 700e9 && d.compute_capability != 8.6 && d.compute_capability != 8.9
          ? "HBM"
          : "GDDR";
  d.memory_size = dram.capacity.value_or(Bytes{0});
  const BufferLevel& l2 = chip.levels[static_cast<std::size_t>(gpu_array_level(chip))];
  d.l2_size = Bytes{l2.capacity.value_or(Bytes{0}).value * static_cast<double>(l2.instances)};
  d.shared_per_sm = Bytes{static_cast<double>(gpu.shared_bytes_per_sm)};
  d.registers_per_sm = Bytes{static_cast<double>(gpu.registers_bytes_per_sm)};
  d.tdp = chip.tdp;
  d.node_nm = chip.technology_nm;
  d.die_mm2 = chip.area.value_or(SquareMillimetres{0}).value;
  return d;
}

}  // namespace tilewright
