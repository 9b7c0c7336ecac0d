// Chip: levels, compute array, precisions, power. Plain data, read from a YAML file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "arch_models/cpu/cpu.hpp"
#include "arch_models/fpga/fpga.hpp"
#include "arch_models/gpu/gpu.hpp"
#include "arch_models/neuromorphic/neuromorphic.hpp"
#include "arch_models/systolic/systolic.hpp"
#include "core/units.hpp"
#include "workloads/problem.hpp"

namespace tilewright {

/// How a level stores the words of an operand. All but `dense` leave zeros out and add metadata.
enum class StorageFormat { dense, bitmask, run_length, coordinate, csr };

/// Metadata: bitmask: one bit a word. run_length: `index_bits` of zeros before each stored word (a longer run stores a zero word).
/// coordinate: `index_bits` a stored word. csr: the same and a pointer of `pointer_bits` for each row (the tensor's last axis).
struct Compression {
  StorageFormat format = StorageFormat::dense;
  std::int64_t index_bits = 0, pointer_bits = 0;
};

/// What the wires from a level to the next inner one do beyond multicast.
struct LinkOptions {
  bool merged_overlap = false;  // a word that neighbours need at the same moment is read once
  bool forwarding = false;      // and passed on from neighbour to neighbour: each hop costs hop_energy_per_bit
  Joules hop_energy_per_bit;
  Joules reduction_energy_per_bit;  // adding one partial sum in the network (physical convention only)
  bool reads_merged() const { return merged_overlap || forwarding; }
};

/// Channels and banks of the outermost level, for the simulation (the analytical model takes the bandwidth alone). Defaults: DDR3-1600
/// 11-11-11, x16 devices (JEDEC JESD79-3F): 8 banks, pages of 2 KiB, tRC 48.75 ns, tRCD + CL 27.5 ns.
struct DramTiming {
  std::int64_t channels = 1, banks = 8;  // banks of each channel
  Bytes row{2048};                       // of a bank, all devices of the channel
  Seconds row_cycle{48.75e-9};           // from one activation of a bank to the next
  Seconds latency{27.5e-9};              // activation and first word
};

/// Banks of a level on the chip, for the simulation: accesses of the level's width lie on them in turn; each port of a bank serves one
/// a cycle, reads and writes together unless the level has separate_ports.
struct BankTiming {
  std::int64_t banks = 1, ports = 1;  // ports of each bank
};

/// One level of storage, outermost (DRAM, host) first.
struct BufferLevel {
  std::string name;
  std::optional<Bytes> capacity;  // of one instance; none: unbounded
  std::int64_t instances = 1;     // in the whole chip
  std::int64_t fanout_x = 1,
               fanout_y = 1;  // instances of the next level (innermost level: compute lanes) under one instance
  BytesPerCycle
      bandwidth;  // of one instance, reads and writes together unless separate_ports; value <= 0: never the bound
  std::int64_t access_bits = 0;      // width of one access; 0: one word (energy per word)
  Joules read_energy, write_energy;  // one access of access_bits, dynamic
  Joules transfer_energy_per_bit;    // the link to the next inner level (network, bus); 0: counted nowhere else
  LinkOptions link;
  Compression stored[3];            // by Role
  Watts leakage;                    // of one instance
  std::optional<DramTiming> dram;   // outermost level; none: an ideal port
  std::optional<BankTiming> banks;  // other levels; none: the bandwidth alone
  bool separate_ports = false;   // reads and writes each have this bandwidth, as where it was measured by reading alone
  bool double_buffered = false;  // half of the capacity holds the tile in use
  bool keeps[3] = {true, true, true};  // by Role: weight, input, output
  std::string energy_source;           // citation or table row
};

/// Arithmetic of one lane (a PE, an FMA lane, a DSP slot).
struct Arithmetic {
  double macs_per_cycle = 0;  // per lane and cycle; 0: not supported
  Joules energy_per_mac;
  std::string source;
};

/// By Role: zeros of which operands spare a MAC its energy (gated), or its energy and its time (skipped).
struct SparseCompute {
  bool gated[3] = {false, false, false}, skipped[3] = {false, false, false};
};

/// The path for element-wise, normalisation, softmax, pooling and embedding work.
struct VectorUnit {
  double ops_per_cycle_fp32 = 0;  // whole chip, 32-bit
  double width_scaling = 1;       // 1: narrower types are faster in proportion to their width (SIMD); 0: not
  Joules energy_per_op;           // 32-bit
  std::string source;
};

using FamilyParameters =
    std::variant<CpuParameters, GpuParameters, FpgaParameters, SystolicParameters, NeuromorphicParameters>;

struct Chip {
  std::string name, family, summary, source, path;  // path: the file
  double technology_nm = 0;
  Hertz clock;
  std::string energy_table;
  std::vector<BufferLevel> levels;            // outermost first, at least one
  std::map<DataType, Arithmetic> arithmetic;  // what the lanes can do; keyed by the wider of the two operand types
  VectorUnit vector;
  /// Sums that still miss terms are held and moved in this format where it is wider than the result's.
  std::optional<DataType> accumulator;
  SparseCompute sparse;
  Watts static_power, tdp;
  Seconds launch_overhead;  // per kernel: launch, dispatch, host
  std::optional<SquareMillimetres> area;
  std::optional<Dollars> price;
  FamilyParameters parameters;
  std::string validation = "not validated";  // status shown in every report

  std::int64_t lanes() const;  // all compute lanes: instances x fan-out of the innermost level
};

}  // namespace tilewright
