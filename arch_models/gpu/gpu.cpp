#include "arch_models/gpu/gpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"

namespace tilewright {

namespace {

/// Constants of the tile equation: fit of the open measurement tables of GEMMs on P4, P100, V100, T4, A100, L4, L40S and B200
/// (NeuSight, DeepBench, AIConfigurator, Vidur), see docs/model.md.
struct TileFit {
  double e0;     // share of the peak of an ideal tile (above 1: the fit's clock is the listed one, boards run above it)
  double reuse;  // c of e_tile = 1 / (1 + c (32 / TM + 32 / TN)): operand delivery from shared memory
  double warp_half;      // h of h_w = w / (w + h): latency hiding with w resident warps
  double k_start;        // k0: reduction steps' worth of start and write-back of a tile
  double split_seconds;  // extra time of a split-K kernel (second pass)
};
constexpr TileFit cuda_fit{1.13, 0.45, 0.6, 0.0, 0.4e-6};
constexpr TileFit tensor_fit{1.22, 0.94, 1.6, 86.0, 2.9e-6};
constexpr std::array<std::int64_t, 6> split_menu{1, 2, 4, 8, 16, 32};

struct BlockTile {
  std::int64_t m, n;
};
/// Thread-block tiles of the vendor libraries (names of CUTLASS and cuBLAS kernels); the skinny ones are matrix-vector kernels.
constexpr std::array cuda_tiles{BlockTile{256, 64}, BlockTile{128, 128}, BlockTile{128, 64}, BlockTile{64, 128},
                                BlockTile{64, 64},  BlockTile{128, 32},  BlockTile{32, 128}, BlockTile{32, 32},
                                BlockTile{128, 8},  BlockTile{8, 128},   BlockTile{128, 1},  BlockTile{1, 128}};
constexpr std::array tensor_tiles{BlockTile{256, 128}, BlockTile{128, 256}, BlockTile{128, 128}, BlockTile{256, 64},
                                  BlockTile{64, 256},  BlockTile{128, 64},  BlockTile{64, 128},  BlockTile{64, 64}};

bool is_tensor_type(DataType type) {
  return type != DataType::fp32 && type != DataType::fp64 && type != DataType::int32 && type != DataType::int64;
}

/// Elements of 16 bytes: what a tensor-core kernel loads at once along the channels.
std::int64_t alignment(DataType type) { return std::max<std::int64_t>(1, 128 / bits(type)); }

/// True when the tensor cores run this problem: the format is one of theirs and, for convolutions, both channel counts fill 16-byte
/// loads (cuDNN developer guide: fp16 channels are multiples of 8). Products are padded by the library instead.
bool on_tensor_cores(const GpuParameters& gpu, const Problem& problem, const DimGroups& groups, DataType type) {
  if (gpu.tensor_cores_per_sm == 0 || !is_tensor_type(type)) return false;
  const int c = problem.dim("C");
  const bool convolution = c >= 0 && groups.k.size() > 1;
  if (!convolution) return true;
  return problem.dims[static_cast<std::size_t>(c)].bound % alignment(type) == 0 &&
         bound_product(problem, groups.n) % alignment(type) == 0;
}

/// MACs per SM and cycle on the CUDA cores: the fp32 row, else one FMA per core; fp16 operands are widened.
double cuda_rate(const Chip& chip, const GpuParameters& gpu, DataType type) {
  if (gpu.tensor_cores_per_sm == 0 || !is_tensor_type(type)) {
    const auto row = chip.arithmetic.find(type);
    if (row != chip.arithmetic.end()) return row->second.macs_per_cycle;
  }
  const auto fp32 = chip.arithmetic.find(DataType::fp32);
  return fp32 != chip.arithmetic.end() ? fp32->second.macs_per_cycle : static_cast<double>(gpu.cuda_cores_per_sm);
}

/// Gives `target` elements to the dims, innermost (last) dim first, each clipped to its bound.
void fill_group(std::vector<std::int64_t>& extents, const Problem& problem, const std::vector<int>& dims,
                std::int64_t target) {
  for (auto it = dims.rbegin(); it != dims.rend(); ++it) {
    const auto d = static_cast<std::size_t>(*it);
    extents[d] = std::clamp<std::int64_t>(target, 1, problem.dims[d].bound);
    target /= extents[d];
  }
}

/// Kernels have power-of-two tiles: 4 rows of 28 pixels run in a 128-wide tile.
std::int64_t kernel_size(std::int64_t used, std::int64_t least) {
  std::int64_t size = least;
  while (size < used) size *= 2;
  return size;
}

/// Position of the level that stores a thread block's tile: shared memory and registers of an SM.
int sm_level_of(const Chip& chip) {
  const auto& gpu = std::get<GpuParameters>(chip.parameters);
  return static_cast<int>(chip.levels.size()) - (gpu.tensor_cores_per_sm > 0 ? 2 : 1);
}

/// The operands of one matrix instruction: m16 n8 k16 of fp16 with fp32 sums (PTX ISA, mma): 512 + 256 + 512 bytes. Each word is fetched
/// from the registers once per instruction; the latches are part of the energy of a MAC.
BufferLevel fragment_level(const GpuParameters& gpu) {
  BufferLevel fragment;
  fragment.name = "Fragment";
  fragment.instances = gpu.sms;
  fragment.capacity = Bytes{1280};
  fragment.energy_source = "in the MAC";
  return fragment;
}

}  // namespace

std::vector<std::string_view> gpu_keys() {
  return {"sms",           "cuda_cores_per_sm", "tensor_cores_per_sm", "registers_per_sm", "shared_per_sm",
          "blocks_per_sm", "warps_per_sm",      "precisions",          "mac_energy"};
}

void parse_gpu(const Value& compute, Chip& chip) {
  GpuParameters gpu;
  gpu.sms = compute.at("sms").as_int(1, 100'000);
  gpu.cuda_cores_per_sm = compute.at("cuda_cores_per_sm").as_int(1, 100'000);
  gpu.tensor_cores_per_sm = int_or(compute, "tensor_cores_per_sm", 0, 0, 100'000);
  if (const auto size = compute.find("registers_per_sm"))
    gpu.registers_bytes_per_sm = static_cast<std::int64_t>(size->as_bytes().value);
  if (const auto size = compute.find("shared_per_sm"))
    gpu.shared_bytes_per_sm = static_cast<std::int64_t>(size->as_bytes().value);
  gpu.blocks_per_sm = int_or(compute, "blocks_per_sm", gpu.blocks_per_sm, 1, 1024);
  gpu.warps_per_sm = int_or(compute, "warps_per_sm", gpu.warps_per_sm, 1, 1024);
  if (gpu.registers_bytes_per_sm < 1024) compute.at("registers_per_sm").fail("at least 1 KiB");
  if (gpu.shared_bytes_per_sm < 1024) compute.at("shared_per_sm").fail("at least 1 KiB");
  if (chip.levels.size() < 3) {
    compute.fail(fmt::format(
        "a GPU has at least three levels: its memory, the L2 that all SMs share, and one store per SM; got {}",
        chip.levels.size()));
  }
  if (chip.levels.back().instances != gpu.sms) {
    compute.fail(
        fmt::format("the innermost level '{}' has {} instances, the chip {} SMs: list one instance per SM under the L2",
                    chip.levels.back().name, chip.levels.back().instances, gpu.sms));
  }
  chip.levels.back().fanout_x = chip.levels.back().fanout_y = 1;  // the MAC rate is per SM
  if (gpu.tensor_cores_per_sm > 0) chip.levels.push_back(fragment_level(gpu));
  read_precisions(compute, chip, 1.0);
  default_vector(chip, static_cast<double>(gpu.sms * gpu.cuda_cores_per_sm), "one operation per CUDA core and cycle");
  chip.parameters = gpu;
}

int gpu_array_level(const Chip& chip) { return sm_level_of(chip) - 1; }  // L2: a pass is one wave of SM tiles

MapRules gpu_rules(const Chip& chip, const Problem& problem) {
  MapRules rules = plain_rules(chip, problem);
  const int sm_level = sm_level_of(chip);
  spread_over_chip(rules, chip, sm_level,
                   output_dims(problem));  // thread blocks: no reduction between SMs in the loop nest
  const auto bypass_fragments = [&] {
    for (std::size_t l = static_cast<std::size_t>(sm_level) + 1; l < rules.keeps.size(); ++l) {
      rules.keeps[l].assign(problem.operands.size(), false);
    }
  };
  if (problem.compute == Compute::vector) {
    bypass_fragments();
    return rules;
  }

  const auto& gpu = std::get<GpuParameters>(chip.parameters);
  const DimGroups groups = group_dims(problem);
  const DataType type = compute_type(chip, problem);
  const bool tensor = on_tensor_cores(gpu, problem, groups, type);
  if (!tensor) bypass_fragments();
  const BufferLevel& sm = chip.levels[static_cast<std::size_t>(sm_level)];
  const auto words_bits = [&](const std::vector<std::int64_t>& extents, std::size_t operand) {
    return static_cast<double>(box_words(problem.operands[operand], extents)) * bits(problem.operands[operand].type);
  };
  std::set<std::vector<std::int64_t>> seen;
  const auto add = [&](BlockTile block, std::int64_t k_step) {
    std::vector<std::int64_t> extents(problem.dims.size(), 1);
    fill_group(extents, problem, groups.m, block.m);
    fill_group(extents, problem, groups.n, block.n);
    fill_group(extents, problem, groups.k, k_step);
    // Fit: A and B tiles twice in shared memory (the next step loads under the running one), fp32/int32 accumulators in registers;
    // and what the mapping checks, all kept operands in the level (twice when it is marked double buffered).
    double shared = 0, kept = 0;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      const double size = words_bits(extents, o) / 8;
      if (o + 1 < problem.operands.size()) shared += 2 * size;
      if (rules.keeps[static_cast<std::size_t>(sm_level)][o]) kept += std::ceil(size);
    }
    const double accumulators = 4.0 * static_cast<double>(box_words(problem.operands.back(), extents));
    const bool fits = shared <= static_cast<double>(gpu.shared_bytes_per_sm) &&
                      accumulators <= static_cast<double>(gpu.registers_bytes_per_sm) &&
                      (!sm.capacity || kept * (sm.double_buffered ? 2 : 1) <= sm.capacity->value);
    if (fits && seen.insert(extents).second) rules.menu.push_back(extents);
  };
  const auto add_all = [&](const auto& tiles, std::int64_t k_step) {
    for (const BlockTile& block : tiles) add(block, k_step);
  };
  if (tensor) {
    add_all(tensor_tiles, bits(type) <= 8 ? 64 : 32);
  } else {
    add_all(cuda_tiles, 8);
  }
  if (rules.menu.empty()) add({8, 8}, 1);
  if (rules.menu.empty()) add({1, 1}, 1);
  if (!rules.menu.empty()) rules.menu_level = sm_level;
  return rules;
}

ComputeCost gpu_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  if (problem.compute == Compute::vector) return vector_cost(chip, problem);
  const auto& gpu = std::get<GpuParameters>(chip.parameters);
  const DimGroups groups = group_dims(problem);
  const DataType type = compute_type(chip, problem);
  const bool tensor = on_tensor_cores(gpu, problem, groups, type);
  const TileFit& fit = tensor ? tensor_fit : cuda_fit;
  const double rate = tensor ? arithmetic_of(chip, problem).macs_per_cycle : cuda_rate(chip, gpu, type);

  // Tile of the kernel: the mapping's extents per flattened group, rounded up to the kernel's size (MMA instructions work on 16 rows).
  const std::int64_t least = tensor ? 16 : 1;
  const std::int64_t tile_m = kernel_size(extent_product(pass.temporal, groups.m), least);
  const std::int64_t tile_n = kernel_size(extent_product(pass.temporal, groups.n), least);
  const std::int64_t m = bound_product(problem, groups.m), n = bound_product(problem, groups.n),
                     k = bound_product(problem, groups.k);
  const std::int64_t batch = bound_product(problem, groups.batch);
  const std::int64_t tiles = checked_mul(checked_mul(ceil_div(m, tile_m), ceil_div(n, tile_n)), batch);

  // e_tile: bytes that a tile needs per MAC fall with its sides. Resident warps: 64 accumulators per thread are usual in CUTLASS kernels,
  // 32 threads a warp; a block's accumulators take half of its registers, and A, B k-slices twice the shared memory.
  const double area = static_cast<double>(tile_m) * static_cast<double>(tile_n);
  const double e_tile =
      1.0 / (1.0 + fit.reuse * (32.0 / static_cast<double>(tile_m) + 32.0 / static_cast<double>(tile_n)));
  const double warps_per_block = std::max(1.0, area / (32.0 * 64.0));
  const double k_step = tensor ? (bits(type) <= 8 ? 64.0 : 32.0) : 8.0;
  const double shared = 2.0 * static_cast<double>(tile_m + tile_n) * k_step * bits(type) / 8.0;
  const double resident_most =
      std::max(1.0, std::min(std::floor(static_cast<double>(gpu.registers_bytes_per_sm) / (8.0 * area)),
                             std::floor(static_cast<double>(gpu.shared_bytes_per_sm) / shared)));
  const BufferLevel& l2 = chip.levels[static_cast<std::size_t>(gpu_array_level(chip))];

  // t = waves x TM TN (ceil(k / s) + k0) / (rate e0 e_tile h_w), waves = ceil(tiles s / SMs), the best split s of the reduction;
  // splitting costs a second pass: fixed time + 8 s m n bytes (partial sums written and read, 4 bytes each) through the L2.
  double best = std::numeric_limits<double>::infinity();
  std::int64_t best_split = 1, best_waves = 1;
  for (std::int64_t split : split_menu) {
    if (split > 1 && (split > k || tiles >= gpu.sms)) break;
    const std::int64_t waves = ceil_div(checked_mul(tiles, split), gpu.sms);
    const double warps = warps_per_block * std::min(resident_most, static_cast<double>(waves));
    const double hiding = warps / (warps + fit.warp_half);
    double cycles = static_cast<double>(waves) * area * (static_cast<double>(ceil_div(k, split)) + fit.k_start) /
                    (rate * fit.e0 * e_tile * hiding);
    if (split > 1) {
      cycles += fit.split_seconds * chip.clock.value;
      if (l2.bandwidth.value > 0) {
        const double sums = 8.0 * static_cast<double>(split) * static_cast<double>(m) * static_cast<double>(n) *
                            static_cast<double>(batch);
        cycles += sums / (l2.bandwidth.value * static_cast<double>(l2.instances));
      }
    }
    if (cycles < best) {
      best = cycles;
      best_split = split;
      best_waves = waves;
    }
  }
  ComputeCost cost;
  cost.cycles = Cycles{std::max(1.0, best)};
  cost.fill_drain = Cycles{area * k_step /
                           (rate * fit.e0 * e_tile)};  // software pipeline: the first k slice is loaded before any MAC
  cost.blocks_per_core = std::max<std::int64_t>(
      1, std::min({static_cast<std::int64_t>(resident_most), gpu.blocks_per_sm,
                   static_cast<std::int64_t>(static_cast<double>(gpu.warps_per_sm) / warps_per_block)}));
  cost.events.push_back(mac_event(chip, problem));
  if (!pass.explained) return cost;
  cost.why = fmt::format(
      "{} waves x {:.0f} cycles ({} tiles of {}x{}{} on {} SMs, {} cores, tile efficiency {:.2f}{})", best_waves,
      best / static_cast<double>(best_waves), tiles, tile_m, tile_n,
      best_split > 1 ? fmt::format(" x split-K {}", best_split) : "", gpu.sms, tensor ? "tensor" : "CUDA", e_tile,
      is_tensor_type(type) && !tensor && gpu.tensor_cores_per_sm > 0 ? ", channels not aligned to 16 bytes" : "");
  return cost;
}

}  // namespace tilewright
