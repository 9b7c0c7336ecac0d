#include "arch_models/gpu/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "arch_models/library_folder.hpp"
#include "core/document.hpp"

namespace tilewright {
namespace {

// A member of GpuConstants as a function, for the list below.
#define TILEWRIGHT_AT(path) ([](GpuConstants& c) -> double& { return c.path; })

constexpr std::array specs{
    ConstantSpec{"power.idle", TILEWRIGHT_AT(power.idle), 0.10, 0.01, 0.6,
                 "share of TDP drawn besides operations and DRAM bytes"},
    ConstantSpec{"power.die_w_per_mm2", TILEWRIGHT_AT(power.die_w_per_mm2), 0.05, 0.005, 0.3,
                 "W per mm2 of die: leakage and clock tree"},
    ConstantSpec{"power.cuda_pj", TILEWRIGHT_AT(power.cuda_pj), 8, 2, 40,
                 "pJ per fp32 operation in a product at 8 nm, full clock"},
    ConstantSpec{"power.node_exponent_cuda", TILEWRIGHT_AT(power.node_exponent_cuda), 0.5, 0.1, 2,
                 "energy ~ (node / 8 nm)^this"},
    ConstantSpec{"power.dp4a", TILEWRIGHT_AT(power.dp4a), 0.25, 0.05, 1,
                 "energy of a multiply-add of a dp4a over an fp32 one"},
    ConstantSpec{"power.byte_pj", TILEWRIGHT_AT(power.byte_pj), 60, 20, 150, "pJ per DRAM byte"},
    ConstantSpec{"power.boost_exponent", TILEWRIGHT_AT(power.boost_exponent), 0.5, 0.01, 3,
                 "energy ~ (boost clock / 1.5 GHz)^this"},
    ConstantSpec{"power.tensor_pj", TILEWRIGHT_AT(power.tensor_pj), 0.4, 0.1, 3,
                 "pJ per 16-bit tensor operation at 8 nm, full clock"},
    ConstantSpec{"power.node_exponent_tensor", TILEWRIGHT_AT(power.node_exponent_tensor), 0.7, 0.1, 2,
                 "energy ~ (node / 8 nm)^this"},
    ConstantSpec{"board.idle_hbm", TILEWRIGHT_AT(board.idle_hbm), 0.15, 0.02, 0.5,
                 "share of TDP of a waiting board with HBM"},
    ConstantSpec{"board.idle_gddr", TILEWRIGHT_AT(board.idle_gddr), 0.27, 0.02, 0.5,
                 "share of TDP of a waiting board with GDDR"},
    ConstantSpec{"board.active_w_per_mm2", TILEWRIGHT_AT(board.active_w_per_mm2), 0.05, 0.001, 0.5,
                 "W per mm2 of die more while kernels run"},
    ConstantSpec{"board.cuda_pj", TILEWRIGHT_AT(board.cuda_pj), 5, 1, 40, "pJ per fp32 operation at 8 nm, full clock"},
    ConstantSpec{"board.tensor_pj", TILEWRIGHT_AT(board.tensor_pj), 0.8, 0.05, 5,
                 "pJ per 16-bit tensor operation at 8 nm, full clock"},
    ConstantSpec{"board.padded", TILEWRIGHT_AT(board.padded), 0.3, 0.01, 1,
                 "the same of a tile's operation beyond its operands, as a share"},
    ConstantSpec{"board.node_exponent", TILEWRIGHT_AT(board.node_exponent), 1, 0.2, 2,
                 "energy on the chip ~ (node / 8 nm)^this"},
    ConstantSpec{"board.boost_exponent", TILEWRIGHT_AT(board.boost_exponent), 0.5, 0.01, 3,
                 "energy on the chip ~ (boost clock / 1.5 GHz)^this"},
    ConstantSpec{"board.shared_pj", TILEWRIGHT_AT(board.shared_pj), 30, 0.5, 200,
                 "pJ more per byte staged in shared memory"},
    ConstantSpec{"board.between", TILEWRIGHT_AT(board.between), 0.4, 0.01, 1,
                 "share of that between the kernels of servers and eager chats"},
    ConstantSpec{"board.l2_pj", TILEWRIGHT_AT(board.l2_pj), 30, 1, 200, "pJ per byte between L2 and SM, at 8 nm"},
    ConstantSpec{"board.hbm_pj", TILEWRIGHT_AT(board.hbm_pj), 40, 5, 300, "pJ per byte of HBM"},
    ConstantSpec{"board.gddr_pj", TILEWRIGHT_AT(board.gddr_pj), 70, 5, 300, "pJ per byte of GDDR"},
    ConstantSpec{"gemm.cuda.efficiency", TILEWRIGHT_AT(gemm.cuda.efficiency), 1.1, 0.7, 1.6,
                 "share of peak of an ideal tile"},
    ConstantSpec{"gemm.cuda.operand", TILEWRIGHT_AT(gemm.cuda.operand), 0.4, 0.02, 2, "loss by operand delivery"},
    ConstantSpec{"gemm.cuda.warp_half", TILEWRIGHT_AT(gemm.cuda.warp_half), 0.5, 0.1, 1.2,
                 "warps per partition at half rate"},
    ConstantSpec{"gemm.cuda.start_k", TILEWRIGHT_AT(gemm.cuda.start_k), 30, 1, 300, "reduction steps of start and end"},
    ConstantSpec{"gemm.cuda.split_us", TILEWRIGHT_AT(gemm.cuda.split_us), 2, 0.2, 8, "us of a split reduction"},
    ConstantSpec{"gemm.cuda.unaligned", TILEWRIGHT_AT(gemm.cuda.unaligned), 0.8, 0.2, 1,
                 "rate where rows are not multiples of 16 bytes"},
    ConstantSpec{"gemm.cuda.l2_reach", TILEWRIGHT_AT(gemm.cuda.l2_reach), 0.6, 0.2, 2,
                 "share of L2 at which half of a working set misses"},
    ConstantSpec{"gemm.cuda.dram_share", TILEWRIGHT_AT(gemm.cuda.dram_share), 0.8, 0.72, 0.95,
                 "achieved share of DRAM bandwidth"},
    ConstantSpec{"gemm.cuda_legacy.efficiency", TILEWRIGHT_AT(gemm.cuda_legacy.efficiency), 1.1, 0.7, 1.6,
                 "share of peak of an ideal tile"},
    ConstantSpec{"gemm.cuda_legacy.operand", TILEWRIGHT_AT(gemm.cuda_legacy.operand), 0.4, 0.02, 2,
                 "loss by operand delivery"},
    ConstantSpec{"gemm.cuda_legacy.warp_half", TILEWRIGHT_AT(gemm.cuda_legacy.warp_half), 0.5, 0.1, 1.2,
                 "warps per partition at half rate"},
    ConstantSpec{"gemm.cuda_legacy.start_k", TILEWRIGHT_AT(gemm.cuda_legacy.start_k), 30, 1, 300,
                 "reduction steps of start and end"},
    ConstantSpec{"gemm.cuda_legacy.split_us", TILEWRIGHT_AT(gemm.cuda_legacy.split_us), 2, 0.2, 8,
                 "us of a split reduction"},
    ConstantSpec{"gemm.cuda_legacy.unaligned", TILEWRIGHT_AT(gemm.cuda_legacy.unaligned), 0.8, 0.2, 1,
                 "rate where rows are not multiples of 16 bytes"},
    ConstantSpec{"gemm.cuda_legacy.l2_reach", TILEWRIGHT_AT(gemm.cuda_legacy.l2_reach), 0.6, 0.2, 2,
                 "share of L2 at which half of a working set misses"},
    ConstantSpec{"gemm.cuda_legacy.dram_share", TILEWRIGHT_AT(gemm.cuda_legacy.dram_share), 0.8, 0.72, 0.95,
                 "achieved share of DRAM bandwidth"},
    ConstantSpec{"gemm.dp4a.efficiency", TILEWRIGHT_AT(gemm.dp4a.efficiency), 1.1, 0.7, 1.6,
                 "share of peak of an ideal tile"},
    ConstantSpec{"gemm.dp4a.operand", TILEWRIGHT_AT(gemm.dp4a.operand), 0.4, 0.02, 2, "loss by operand delivery"},
    ConstantSpec{"gemm.dp4a.warp_half", TILEWRIGHT_AT(gemm.dp4a.warp_half), 0.5, 0.1, 1.2,
                 "warps per partition at half rate"},
    ConstantSpec{"gemm.dp4a.start_k", TILEWRIGHT_AT(gemm.dp4a.start_k), 30, 1, 300, "reduction steps of start and end"},
    ConstantSpec{"gemm.dp4a.unaligned", TILEWRIGHT_AT(gemm.dp4a.unaligned), 0.8, 0.2, 1,
                 "rate where rows are not multiples of 16 bytes"},
    ConstantSpec{"gemm.dp4a.l2_reach", TILEWRIGHT_AT(gemm.dp4a.l2_reach), 0.6, 0.2, 2,
                 "share of L2 at which half of a working set misses"},
    ConstantSpec{"gemm.dp4a.dram_share", TILEWRIGHT_AT(gemm.dp4a.dram_share), 0.8, 0.72, 0.95,
                 "achieved share of DRAM bandwidth"},
    ConstantSpec{"gemm.tensor.efficiency", TILEWRIGHT_AT(gemm.tensor.efficiency), 1.1, 0.7, 1.4,
                 "share of peak of an ideal tile"},
    ConstantSpec{"gemm.tensor.operand", TILEWRIGHT_AT(gemm.tensor.operand), 0.9, 0.02, 4, "loss by operand delivery"},
    ConstantSpec{"gemm.tensor.warp_half", TILEWRIGHT_AT(gemm.tensor.warp_half), 0.5, 0.1, 1.2,
                 "warps per partition at half rate"},
    ConstantSpec{"gemm.tensor.start_k", TILEWRIGHT_AT(gemm.tensor.start_k), 80, 1, 1000,
                 "reduction steps of start and end"},
    ConstantSpec{"gemm.tensor.split_us", TILEWRIGHT_AT(gemm.tensor.split_us), 2, 0.2, 8, "us of a split reduction"},
    ConstantSpec{"gemm.tensor.unaligned", TILEWRIGHT_AT(gemm.tensor.unaligned), 0.8, 0.2, 1,
                 "rate where rows are not multiples of 16 bytes"},
    ConstantSpec{"gemm.tensor.l2_reach", TILEWRIGHT_AT(gemm.tensor.l2_reach), 0.6, 0.2, 2,
                 "share of L2 at which half of a working set misses"},
    ConstantSpec{"gemm.tensor.dram_share", TILEWRIGHT_AT(gemm.tensor.dram_share), 0.8, 0.72, 0.95,
                 "achieved share of DRAM bandwidth"},
    ConstantSpec{"gemm.epilogue", TILEWRIGHT_AT(gemm.epilogue), 1, 0.01, 10,
                 "L2 passes of results after the arithmetic of a tensor-core block"},
    ConstantSpec{"gemm.quantise_cycles", TILEWRIGHT_AT(gemm.quantise_cycles), 0.4, 0.005, 5,
                 "SM cycles per quantised element"},
    ConstantSpec{"gemm.quantise_row_cycles", TILEWRIGHT_AT(gemm.quantise_row_cycles), 1000, 50, 10000,
                 "SM cycles of the scale of a row found at run time"},
    ConstantSpec{"gemm.scale_us", TILEWRIGHT_AT(gemm.scale_us), 1.5, 0.1, 10,
                 "us of the launch of a pass that quantises rows or scales results"},
    ConstantSpec{"gemm.drift_pascal", TILEWRIGHT_AT(gemm.drift_pascal), 1.5, 0.01, 5,
                 "DRAM reads per shared tile read, before Volta"},
    ConstantSpec{"gemm.drift_volta", TILEWRIGHT_AT(gemm.drift_volta), 0.1, 0.001, 0.6, "the same from Volta on"},
    ConstantSpec{"gemm.drift_windows", TILEWRIGHT_AT(gemm.drift_windows), 40, 1, 1000,
                 "L2 windows of k at half of the drift"},
    ConstantSpec{"gemm.wave_reach", TILEWRIGHT_AT(gemm.wave_reach), 0.5, 0.2, 3,
                 "share of L2 above which later waves read operands again"},
    ConstantSpec{"conv.gather", TILEWRIGHT_AT(conv.gather), 1.2, 1, 3, "time of an implicit GEMM over a plain one"},
    ConstantSpec{"conv.gather_tensor", TILEWRIGHT_AT(conv.gather_tensor), 1.2, 1, 5, "the same on tensor cores"},
    ConstantSpec{"conv.window_cycles", TILEWRIGHT_AT(conv.window_cycles), 6, 1, 30,
                 "SM cycles of each place of a window on tensor cores: addresses and a load"},
    ConstantSpec{"conv.filter_window_cycles", TILEWRIGHT_AT(conv.filter_window_cycles), 12, 1, 60,
                 "the same in a backward filter pass"},
    ConstantSpec{"conv.backward_data", TILEWRIGHT_AT(conv.backward_data), 1.1, 1, 3,
                 "time of a backward data pass over the forward form"},
    ConstantSpec{"conv.backward_filter", TILEWRIGHT_AT(conv.backward_filter), 1.2, 1, 3,
                 "time of a backward filter pass over the forward form"},
    ConstantSpec{"conv.winograd_fused", TILEWRIGHT_AT(conv.winograd_fused), 1.0, 0.4, 4,
                 "time of the products of a fused F(2x2) kernel over plain ones"},
    ConstantSpec{"conv.winograd_split", TILEWRIGHT_AT(conv.winograd_split), 1.1, 0.7, 2,
                 "time of the products of a transformed F(4x4) over plain ones"},
    ConstantSpec{"conv.transform_share", TILEWRIGHT_AT(conv.transform_share), 0.6, 0.2, 1,
                 "share of the streaming rate of passes over images"},
    ConstantSpec{"conv.filter_share", TILEWRIGHT_AT(conv.filter_share), 0.3, 0.05, 1,
                 "the same of passes over filters"},
    ConstantSpec{"conv.zero_activity", TILEWRIGHT_AT(conv.zero_activity), 0.6, 0.1, 1,
                 "switched energy of products with images of zeros over random ones"},
    ConstantSpec{"conv.pass_us", TILEWRIGHT_AT(conv.pass_us), 4, 0.5, 30, "us of each further kernel of an algorithm"},
    ConstantSpec{"conv.atomics_per_cycle", TILEWRIGHT_AT(conv.atomics_per_cycle), 0.6, 0.1, 4,
                 "atomic additions per SM and cycle"},
    ConstantSpec{"conv.fft", TILEWRIGHT_AT(conv.fft), 1.5, 0.8, 6,
                 "time of the complex products of an FFT over plain ones"},
    ConstantSpec{"vector.share_hbm", TILEWRIGHT_AT(vector.share_hbm), 0.85, 0.5, 1,
                 "achieved share of DRAM bandwidth, HBM from Volta on"},
    ConstantSpec{"vector.share_gddr", TILEWRIGHT_AT(vector.share_gddr), 0.8, 0.5, 1,
                 "achieved share of DRAM bandwidth, GDDR from Turing on"},
    ConstantSpec{"vector.share_pascal", TILEWRIGHT_AT(vector.share_pascal), 0.75, 0.5, 1,
                 "achieved share of DRAM bandwidth up to Pascal"},
    ConstantSpec{"vector.start_us", TILEWRIGHT_AT(vector.start_us), 1, 0.1, 10,
                 "us of start and drain of a streaming kernel"},
    ConstantSpec{"vector.map_before", TILEWRIGHT_AT(vector.map_before), 0.7, 0.3, 0.99,
                 "share of host dispatch before the kernel starts, element-wise"},
    ConstantSpec{"vector.softmax_before", TILEWRIGHT_AT(vector.softmax_before), 0.7, 0.3, 0.99,
                 "share of host dispatch before the kernel starts, softmax"},
    ConstantSpec{"vector.norm_before", TILEWRIGHT_AT(vector.norm_before), 0.7, 0.3, 0.99,
                 "share of host dispatch before the kernel starts, layer norm"},
    ConstantSpec{"vector.l2_bytes_per_cycle", TILEWRIGHT_AT(vector.l2_bytes_per_cycle), 24, 6, 64,
                 "L2 bytes per cycle and SM in streaming kernels"},
    ConstantSpec{"vector.l2_reach", TILEWRIGHT_AT(vector.l2_reach), 0.8, 0.2, 2,
                 "share of L2 at which half of a streamed working set misses"},
    ConstantSpec{"vector.softmax_reach", TILEWRIGHT_AT(vector.softmax_reach), 0.6, 0.1, 2,
                 "share of L2 at which half of the rows in flight miss in later passes"},
    ConstantSpec{"vector.softmax_row_us", TILEWRIGHT_AT(vector.softmax_row_us), 1, 0.05, 10,
                 "us of the barriers of a softmax row"},
    ConstantSpec{"vector.softmax_step_us", TILEWRIGHT_AT(vector.softmax_step_us), 0.5, 0.02, 5,
                 "us of one vector load of a softmax block"},
    ConstantSpec{"vector.softmax_tail", TILEWRIGHT_AT(vector.softmax_tail), 2, 0.5, 8,
                 "scalar loads of a remainder, in steps each"},
    ConstantSpec{"vector.norm_reach", TILEWRIGHT_AT(vector.norm_reach), 0.6, 0.1, 2,
                 "share of L2 at which half of the rows in flight miss in later passes"},
    ConstantSpec{"vector.norm_row_us", TILEWRIGHT_AT(vector.norm_row_us), 2, 0.05, 20,
                 "us of the barriers of a layer-norm row"},
    ConstantSpec{"vector.norm_step_us", TILEWRIGHT_AT(vector.norm_step_us), 0.3, 0.02, 5,
                 "us of one vector load of a layer-norm block"},
    ConstantSpec{"attention.flash_efficiency", TILEWRIGHT_AT(attention.flash_efficiency), 0.6, 0.2, 1,
                 "share of the tensor peak inside a tile, FlashAttention-2"},
    ConstantSpec{"attention.flashinfer_efficiency", TILEWRIGHT_AT(attention.flashinfer_efficiency), 0.6, 0.2, 1,
                 "share of the tensor peak inside a tile, FlashInfer"},
    ConstantSpec{"attention.flash_block_cycles", TILEWRIGHT_AT(attention.flash_block_cycles), 2000, 200, 20000,
                 "cycles of prologue and epilogue of a prefill block, FlashAttention-2"},
    ConstantSpec{"attention.flashinfer_block_cycles", TILEWRIGHT_AT(attention.flashinfer_block_cycles), 2000, 200,
                 20000, "cycles of prologue and epilogue of a prefill block, FlashInfer"},
    ConstantSpec{"attention.lone_tile", TILEWRIGHT_AT(attention.lone_tile), 1.2, 1, 4,
                 "time of a tile of a block alone on its SM over one that shares it"},
    ConstantSpec{"attention.flash_chain_us", TILEWRIGHT_AT(attention.flash_chain_us), 3, 0.3, 20,
                 "us of the dependent loads of a decode block, FlashAttention-2"},
    ConstantSpec{"attention.flashinfer_chain_us", TILEWRIGHT_AT(attention.flashinfer_chain_us), 1.5, 0.3, 20,
                 "us of the dependent loads of a decode block, FlashInfer"},
    ConstantSpec{"attention.tile_us", TILEWRIGHT_AT(attention.tile_us), 1, 0.05, 5,
                 "us of one 128-key step without loads ahead: DRAM latency"},
    ConstantSpec{"attention.tile_cycles", TILEWRIGHT_AT(attention.tile_cycles), 1500, 100, 10000,
                 "cycles of one 128-key step without loads ahead"},
    ConstantSpec{"attention.combine_us", TILEWRIGHT_AT(attention.combine_us), 1.6, 0.2, 10,
                 "us of the kernel that adds up splits"},
    ConstantSpec{"attention.combine_split_us", TILEWRIGHT_AT(attention.combine_split_us), 0.2, 0.01, 2,
                 "us of each split in it"},
    ConstantSpec{"attention.copy_us", TILEWRIGHT_AT(attention.copy_us), 2, 0.2, 10,
                 "us of one copy that regroups queries or results"},
    ConstantSpec{"attention.cache_write_us", TILEWRIGHT_AT(attention.cache_write_us), 0.3, 0.01, 10,
                 "us of a token's block of the cache write"},
    ConstantSpec{"attention.cache_write_v014_us", TILEWRIGHT_AT(attention.cache_write_v014_us), 3, 0.1, 20,
                 "the same in vLLM 0.14"},
    ConstantSpec{"attention.l2_reach", TILEWRIGHT_AT(attention.l2_reach), 0.4, 0.05, 2,
                 "share of L2 at which half of the cache misses between replays"},
    ConstantSpec{"recurrent.cuda.efficiency", TILEWRIGHT_AT(recurrent.cuda.efficiency), 1, 0.1, 20,
                 "share of peak of an ideal block of a step"},
    ConstantSpec{"recurrent.cuda.operand", TILEWRIGHT_AT(recurrent.cuda.operand), 0.5, 0.05, 40,
                 "loss by operand delivery"},
    ConstantSpec{"recurrent.cuda.persistent_share", TILEWRIGHT_AT(recurrent.cuda.persistent_share), 0.3, 0.02, 1,
                 "share of peak with weights in registers"},
    ConstantSpec{"recurrent.tensor.efficiency", TILEWRIGHT_AT(recurrent.tensor.efficiency), 0.6, 0.1, 20,
                 "share of peak of an ideal block of a step"},
    ConstantSpec{"recurrent.tensor.operand", TILEWRIGHT_AT(recurrent.tensor.operand), 1, 0.05, 40,
                 "loss by operand delivery"},
    ConstantSpec{"recurrent.tensor.persistent_share", TILEWRIGHT_AT(recurrent.tensor.persistent_share), 0.3, 0.02, 1,
                 "share of peak with weights in registers"},
    ConstantSpec{"recurrent.step_us", TILEWRIGHT_AT(recurrent.step_us), 3, 0.1, 50,
                 "us of launches and element-wise part of a step"},
    ConstantSpec{"recurrent.first_us", TILEWRIGHT_AT(recurrent.first_us), 30, 1, 200,
                 "us more of each of the first 50 steps"},
    ConstantSpec{"recurrent.start_k", TILEWRIGHT_AT(recurrent.start_k), 100, 10, 4000,
                 "reduction steps of start and end of a block"},
    ConstantSpec{"recurrent.narrow_cycles", TILEWRIGHT_AT(recurrent.narrow_cycles), 190, 20, 1000,
                 "cycles of a reduction step in a 32-column block on CUDA cores"},
    ConstantSpec{"recurrent.batch_slope", TILEWRIGHT_AT(recurrent.batch_slope), 0.05, 0.0005, 0.5,
                 "each sample's addition to a step that streams weights"},
    ConstantSpec{"recurrent.register_share", TILEWRIGHT_AT(recurrent.register_share), 0.3, 0.1, 0.9,
                 "share of the register files that may hold weights"},
    ConstantSpec{"recurrent.sync_us", TILEWRIGHT_AT(recurrent.sync_us), 20, 1, 100,
                 "us of the barrier of a persistent step"},
    ConstantSpec{"recurrent.l2_reach", TILEWRIGHT_AT(recurrent.l2_reach), 0.6, 0.1, 2,
                 "share of L2 at which half of the weights miss between steps"},
    ConstantSpec{"recurrent.half_storage", TILEWRIGHT_AT(recurrent.half_storage), 0.5, 0.2, 1,
                 "rate of a 32-column block with 16-bit storage over fp32"},
};
#undef TILEWRIGHT_AT

}  // namespace

std::span<const ConstantSpec> constant_specs() { return specs; }

GpuConstants initial_constants() {
  GpuConstants constants;
  for (const ConstantSpec& spec : specs) spec.at(constants) = spec.guess;
  return constants;
}

Calibration read_calibration(const std::string& path) {
  const Value file = load_yaml(path);
  Calibration calibration;
  calibration.data_hash = file.at("data_hash").as_string();
  calibration.rows = file.at("rows").as_int(0, 1'000'000'000);
  calibration.power_hash = file.at("power_data_hash").as_string();
  calibration.power_rows = file.at("power_rows").as_int(0, 1'000'000'000);
  for (const Value& device : file.at("power_devices").items()) calibration.power_devices.push_back(device.as_string());
  const Value constants = file.at("constants");
  for (const ConstantSpec& spec : specs)
    spec.at(calibration.constants) = constants.at(spec.name).as_number(spec.least, spec.most);
  if (const auto devices = file.find("devices")) {
    for (const Value& device : devices->items()) {
      const auto factor = [&](std::string_view key) { return device.at(key).as_number(0.1, 10); };
      calibration.trims[device.at("name").as_string()] = {factor("cuda"), factor("tensor"), factor("dram"),
                                                          factor("power"), factor("conv")};
    }
  }
  if (const auto floors = file.find("host_floors")) {
    for (const Value& floor : floors->items()) {
      const Seconds first{1e-6 * floor.at("us").as_number(0, 1e6)};
      const auto last = floor.find("last_us");
      calibration.floors.push_back({floor.at("stack").as_string(), floor.at("op").as_string(),
                                    floor.at("device").as_string(), first,
                                    last ? Seconds{1e-6 * last->as_number(0, 1e6)} : first});
    }
  }
  if (const auto floors = file.find("stack_floors")) {
    for (const Value& floor : floors->items()) {
      calibration.stack_floors[floor.at("stack").as_string() + "/" + floor.at("op").as_string()] =
          1e-6 * floor.at("us").as_number(0, 1e6);
    }
  }
  if (const auto bands = file.find("error_bands")) {
    for (const Value& band : bands->items()) {
      calibration.bands.push_back({band.at("class").as_string(), band.at("precision").as_string(),
                                   band.at("transfer").as_string(), band.at("mape_pct").as_number(0, 1e6),
                                   band.at("rows").as_int(0, 1'000'000'000)});
    }
  }
  file.reject_unread_keys();
  return calibration;
}

std::string calibration_yaml(const Calibration& calibration) {
  std::string text = fmt::format(
      "# Constants of the GPU kernel models. Written by `tilewright calibrate gpu` from the tables of "
      "validation/measured/gpu; not edited by hand.\n"
      "data_hash: {}  # FNV-1a of the tables\nrows: {}\n"
      "power_data_hash: {}  # of energy.csv and roofline_power.csv: rows with a wattmeter, for board.* alone\n"
      "power_rows: {}\npower_devices: [{}]\nconstants:\n",
      calibration.data_hash, calibration.rows, calibration.power_hash, calibration.power_rows,
      fmt::join(calibration.power_devices, ", "));
  GpuConstants constants = calibration.constants;
  for (const ConstantSpec& spec : specs)
    text += fmt::format("  {}: {:.6g}  # {}; guess {:g}\n", spec.name, spec.at(constants), spec.meaning, spec.guess);
  const auto list = [&](std::string_view key, std::string_view comment, bool empty) {
    text += fmt::format("{}:{}  # {}\n", key, empty ? " []" : "", comment);
  };
  list("devices", "factors on rates, DRAM share and energy of devices that were calibrated themselves",
       calibration.trims.empty());
  for (const auto& [name, trim] : calibration.trims)
    text += fmt::format("  - {{name: {}, cuda: {:.5g}, tensor: {:.5g}, dram: {:.5g}, power: {:.5g}, conv: {:.5g}}}\n",
                        name, trim.cuda, trim.tensor, trim.dram, trim.power, trim.conv);
  list("host_floors", "host dispatch and empty kernel, by the host of each device (last_us: at the last row)",
       calibration.floors.empty());
  for (const HostFloor& floor : calibration.floors)
    text += fmt::format("  - {{stack: {}, op: {}, device: {}, us: {:.4g}{}}}\n", floor.stack, floor.op, floor.device,
                        1e6 * floor.floor.value,
                        floor.last == floor.floor ? "" : fmt::format(", last_us: {:.4g}", 1e6 * floor.last.value));
  list("stack_floors", "geometric mean over the hosts", calibration.stack_floors.empty());
  for (const auto& [key, seconds] : calibration.stack_floors) {
    const std::size_t slash = key.find('/');
    text += fmt::format("  - {{stack: {}, op: {}, us: {:.4g}}}\n", key.substr(0, slash), key.substr(slash + 1),
                        1e6 * seconds);
  }
  list("error_bands", "mean absolute percentage error on rows that the fit had not seen", calibration.bands.empty());
  for (const ErrorBand& band : calibration.bands)
    text += fmt::format("  - {{class: {}, precision: {}, transfer: {}, mape_pct: {:.3g}, rows: {}}}\n", band.op_class,
                        band.precision, band.transfer, band.mape_pct, band.rows);
  return text;
}

const Calibration& library_calibration() {
  static const Calibration calibration = read_calibration(library_folder("gpu") + "/constants.yaml");
  return calibration;
}

}  // namespace tilewright
