#pragma once
#include <cstdint>
#include <string_view>
#include <vector>
namespace tilewright {

class Value;
struct Chip;
struct Problem;
struct MapRules;
struct ArrayPass;
struct ComputeCost;

enum class FpgaStyle { overlay, streaming };
/// FPGA: a DSP/BRAM/LUT budget; an overlay runs layers in turn on one engine, a streaming design gives each layer its own stage.
struct FpgaParameters {
  FpgaStyle style = FpgaStyle::overlay;
  std::int64_t dsp = 0, bram36 = 0, uram = 0, lut = 0;                       // usable budget
  std::int64_t engines = 1;                                                  // overlay: processor cores
  std::int64_t pixel_parallel = 1, input_parallel = 1, output_parallel = 1;  // overlay: MACs per cycle of one engine
  std::int64_t fifo_rows = -1;  // streaming: rows between two stages besides the consumer's window; -1: a whole sample
};

/// The entry of the family list (arch_models/family.hpp says what each one promises).
std::vector<std::string_view> fpga_keys();
void parse_fpga(const Value& compute, Chip& chip);
int fpga_array_level(const Chip& chip);
MapRules fpga_rules(const Chip& chip, const Problem& problem);
ComputeCost fpga_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass);

}  // namespace tilewright
