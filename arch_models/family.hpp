// The list of chip families. A family sees a Problem and the extents of a tile, never a Mapping.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arch_models/chip.hpp"
#include "core/document.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {

struct SoftwareStack;

/// What the search may do on a chip with a problem.
struct MapRules {
  /// Per level: problem dims that may be unrolled over fanout_x / fanout_y (several dims may share an axis).
  std::vector<std::vector<int>> x_dims, y_dims;
  /// keeps[level][operand]: the level stores this operand (false: bypass). The outermost level keeps all.
  std::vector<std::vector<bool>> keeps;
  /// When not empty: the tile held at `menu_level` is one of these extents per dim (already clipped to the bounds).
  int menu_level = -1;
  std::vector<std::vector<std::int64_t>> menu;
};

/// The tile that the compute array works on. All vectors are per problem dim.
struct ArrayPass {
  std::vector<std::int64_t> spatial;   // unrolled over the fan-out of the array level and below (lanes)
  std::vector<std::int64_t> temporal;  // iterated in time under the array level within one pass
  std::vector<std::int64_t> chip;      // unrolled over fan-outs above the array level (cores, SMs, engines)
  std::int64_t passes = 1;             // sequential passes: product of temporal loops at and above the array level
  bool explained = true;               // false: the cost is only compared, ComputeCost::why may stay empty
};

enum class EventKind { compute, memory, link };

/// Something that costs energy `count` times: a MAC, a synaptic operation, a neuron update, a spike hop.
struct Event {
  std::string name;
  EventKind kind = EventKind::compute;
  double count = 0;
  Joules each;
};

/// How a problem shares the chip with the other layers of its network.
enum class Stage {
  in_turn,  // one after another on the whole chip: times add up
  shared,  // a pipeline stage that holds a part of the lanes in proportion to its work: all stages take equally long, the
           // sum of the times that each would need on all lanes (streaming FPGA)
  own      // a pipeline stage on cores of its own: the slowest stage sets the pace (neuromorphic)
};

/// Time and events of a problem on the array.
struct ComputeCost {
  Cycles cycles;      // steady time of all passes
  Cycles fill_drain;  // paid once: array skew, pipeline depth, first weights
  std::vector<Event> events;
  Stage stage = Stage::in_turn;
  double fill_share = 0;  // stages: part of the pipeline's pace that passes before the first result is handed on
  double resident = 0;    // Stage::own: cores that the layer occupies for good, in chips
  std::int64_t blocks_per_core = 1;  // tiles (thread blocks) that a core holds at once
  std::string why;  // the formula with operands filled in, e.g. "4 waves x 1024 cycles (425 tiles on 108 SMs)"
};

struct PassTime {
  Cycles cycles, fill_drain;  // as in ComputeCost
};
using PassTimer = std::function<PassTime(const ArrayPass&)>;

/// Kernels [first, last) of a layer as a vendor's library runs them, whatever the search finds as their mapping. Times are of the chip, without the
/// host: busy = the largest of `limits` + what does not overlap with it + start.
struct LibraryLaunch {
  std::size_t first = 0, last = 0;
  std::int64_t launches = 1;  // dispatches of the host; all times are of all of them
  Seconds busy;
  std::vector<std::pair<std::string, Seconds>> limits;  // named as bounds: compute, memory:LEVEL
  Seconds start;                                        // start-up, barriers, second passes
  double computed = 1;  // share of the kernels' points that count: a causal mask leaves the others out
  double clock = 1;     // share of the chip's clock that its power limit allows
  Watts power;          // of the board while busy
  Watts idle;           // of the board while it waits for the host
  std::string why;
  std::optional<double>
      band_pct;  // mean error of such kernels on measured rows that the fit had not seen; none: no such rows
  bool same_device = false;  // the rows were measured on this chip
  std::optional<double>
      power_band_pct;  // mean error of the power of such kernels at a known rate; none: no wattmeter saw this number format
};

struct ArchFamily {
  std::string_view name;  // key `family` of a chip file
  std::string_view summary;
  std::vector<std::string_view> (*compute_keys)();  // keys of the `compute` map, for docs and messages
  /// Fills chip.parameters, chip.arithmetic and the fan-outs from the `compute` map; may append register levels.
  void (*parse)(const Value& compute, Chip& chip);
  /// Index of the array level: its fan-out and everything below is one array pass.
  int (*array_level)(const Chip& chip);
  MapRules (*rules)(const Chip& chip, const Problem& problem);
  /// Assumes `pass` was made from a legal mapping. Mac problems use the lanes, vector problems chip.vector.
  ComputeCost (*compute)(const Chip& chip, const Problem& problem, const ArrayPass& pass);
  bool unrolled_time;  // time and events follow from the unrolling alone, whatever the tiles
  bool pipelined;      // layers run at once as a pipeline (neuromorphic; FPGA decides per chip with is_pipelined)
  /// Where the library and not the mapping decides how a kernel runs: the launches of a layer's kernels, in order and complete; nullopt where
  /// the library has no kernel for a format. Null for families whose mapping decides the time.
  std::optional<std::vector<LibraryLaunch>> (*library)(const Chip& chip, std::span<const Kernel> kernels,
                                                       const SoftwareStack& stack) = nullptr;
  bool pass_of_all_cores = false;  // the array level hands tiles to the cores: an array pass is a wave over all of them
  /// The times of `compute` for many passes of one problem: what chip and problem decide alone is found once. Null: ask `compute`.
  PassTimer (*timer)(const Chip& chip, const Problem& problem) = nullptr;
};

std::span<const ArchFamily> arch_families();
/// Family of a chip. Precondition: the chip came from load_chip.
const ArchFamily& family_of(const Chip& chip);
/// True when all layers are resident and run as a pipeline on this chip (streaming FPGA, neuromorphic).
bool is_pipelined(const Chip& chip);

/// The outermost level of which every core (CPU core, streaming multiprocessor, engine) has an instance of its own, or a few; 0 where
/// the chip is one core.
std::size_t core_level(const Chip& chip);

/// The format in which a chip runs operands of the asked format: itself if supported, else the nearest supported one
/// (fp32 -> tf32 -> bf16 -> fp16 -> fp8 -> int16 -> int8 -> int4 ... then wider ones). nullopt never happens for a loaded chip.
DataType native_type(const Chip& chip, DataType asked);

}  // namespace tilewright
