// What a prediction consists of. Every figure shown anywhere comes from these fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch_models/family.hpp"
#include "sim/mapping/access_counts.hpp"

namespace tilewright {

enum class Objective { latency, energy, edp };
enum class Engine { roofline, analytical, systemc };

/// Energy kept apart by kind; total() is the sum in this fixed order.
struct EnergyBy {
  Joules compute, memory, link, static_;
  Joules total() const { return compute + memory + link + static_; }
};

struct LevelCost {
  std::string name;
  Bytes traffic;                       // read + written, all instances
  Cycles time;                         // traffic / bandwidth of the instances in use; 0 when never the bound
  Joules energy;                       // dynamic
  std::vector<Joules> operand_energy;  // per operand, sums to energy
};

/// What limits: compute, memory:LEVEL, link:NAME or overhead.
struct Bound {
  std::string name;
  Cycles time;
};

/// One problem with one mapping on one chip (one execution).
struct Evaluation {
  Problem problem;
  Mapping mapping;
  AccessCounts counts;
  std::vector<LevelCost> levels;
  std::vector<Bound> bounds;  // all candidates, the binding one first
  ComputeCost compute;
  Cycles cycles;    // latency in clock cycles, overhead included
  Cycles overhead;  // fill, drain, launch
  EnergyBy energy;
  double utilization = 0;  // points / (peak points per cycle x cycles)
  Cycles cycles_bound;     // no mapping can be faster (compute peak, compulsory traffic)
  Joules energy_bound;     // no mapping can need less (compulsory traffic, arithmetic)
  double computed = 1;     // share of the points that a library computes: a causal mask leaves the others out
  double search_gap = 0;   // of the search that chose the mapping: part of the score above its proven bound
};

/// Where the activations of a layer live when the network is planned as a whole, and with whom it runs.
struct Placement {
  std::vector<std::pair<std::string, std::string>> inputs, outputs;  // tensor and level(s)
  std::int64_t tiles = 1;                                            // of a depth-first group
  std::vector<std::string> group;  // layers that run depth-first together, this one included; empty: alone
  bool weights_ahead = false;      // loaded under the layer before
  bool weights_pinned = false;     // loaded once for all tiles
};

/// Where the simulated cycles of a layer went; they add up to its cycles. Simulation only.
struct CycleParts {
  Cycles compute, overhead;  // steps on the array; launches
  Cycles fill, drain;        // before the first step, behind the last one
  Cycles dram;               // waiting for tiles from the outermost level
  Cycles contention;         // ... that queue behind other traffic
  Cycles buffer;             // waiting for room in a buffer, or for its port
  Cycles idle;               // cores without a tile while others of the layer work
};

/// Where the time of a layer goes when a library runs it behind a software stack: wait + limit + rest + start = latency. `limit` is the largest
/// of arithmetic, cache and memory (the layer's bound), `rest` what of the others does not overlap with it.
struct LibraryTime {
  Seconds wait;  // for the host and between kernels
  Seconds limit, rest, start;
  Seconds busy;    // limit + rest + start
  Seconds banded;  // part of `busy` with an error band
  std::int64_t launches = 0;
  Joules board;                    // predicted board power x busy
  Watts idle;                      // of the board while it waits
  double power_banded = 0;         // sum over launches with a power band of energy (J) x band (%)
  Joules power_seen;               // energy of these launches
  std::optional<double> band_pct;  // mean error of such kernels, weighted by time; none: no measured rows of the kind
  bool same_device = false;
};

/// Plus cycles of one layer: kernels in order, fused ones in the shadow of the one before.
struct LayerEvaluation {
  std::string name, op;
  std::int64_t repeat = 1;
  std::vector<std::pair<Evaluation, std::int64_t>> kernels;  // evaluation and sequential repeats
  std::int64_t macs = 0;
  double operations = 0;  // 2 x MACs + vector operations ("flops")
  std::string precision;
  Cycles cycles;
  Seconds latency;
  EnergyBy energy;  // one execution
  std::string bound;
  double arithmetic_intensity = 0;             // operations per byte at the outermost level
  double utilization = 0, optimality_gap = 0;  // part of the score that the search could not prove necessary
  std::optional<CycleParts> parts;             // engine systemc
  std::optional<LibraryTime> library;          // on a software stack
  std::vector<std::string> notes;
  std::optional<Placement> placement;  // only with residency
};

/// What keeping activations on chip saves against layer by layer.
struct Residency {
  std::string level;    // in which they stay
  std::string space;    // the decisions that were compared, in words
  bool proven = false;  // no other plan of the space is better
  Seconds latency;      // layer by layer, as are energy and dram
  Joules energy;
  Bytes dram;
  Bytes peak_reserved;        // most that stays on chip at a time
  std::int64_t searches = 0;  // mappings searched for it
};

/// One training step of a network on GPUs: forward, backward and update by the kernels of the library.
struct TrainingStep {
  std::string optimizer, parallel, link;  // how several GPUs share the work, over what; empty on one
  std::int64_t gpus = 1;
  Seconds forward, backward, update;  // kernels and waits of one GPU
  Seconds exchange, idle;             // what no kernel hides of the exchange; bubble of a pipeline
  Seconds total;                      // the sum of these five
  double samples_per_s = 0;           // of all GPUs
  Bytes weights, gradients, master, states,
      activations;                   // of the whole model; activations of one GPU's batch; tensor parallel: of one GPU
  std::int64_t gpus_for_memory = 1;  // that hold all of them together; 0: no number does
  Joules board;                      // of all GPUs
  std::int64_t epoch_steps = 0;      // steps of an epoch; 0: not asked for
};

/// GPUs that share each layer by rows and columns of its weights; layers and totals are those of one of them.
struct TensorParallelRun {
  std::int64_t gpus = 1, split = 0;  // weight products that they share
  std::string link;
  Seconds exchange;  // part of the latency
  Bytes memory;      // of one GPU: its weights and live activations
  Joules board;      // of all GPUs
};

struct NetworkEvaluation {
  std::string workload, workload_source, chip, family, chip_source, energy_table, validation;
  std::int64_t batch = 1, macs = 0, params = 0, layer_count = 0, peak_memory_bytes = 0;
  std::int64_t chips_for_memory =
      1;  // that hold peak_memory_bytes together; 0: no number does (tensor parallel: what each holds whole)
  Engine engine = Engine::analytical;
  Objective objective = Objective::latency;
  std::vector<LayerEvaluation> layers;
  Seconds latency;
  Cycles cycles;
  EnergyBy energy;
  double operations = 0;
  Bytes dram;
  double utilization = 0;
  Watts average_power;
  double throughput_per_s = 0;       // samples per second
  std::string stack, stack_meaning;  // the software that runs the kernels; empty: times are those of the mappings
  std::optional<double> band_pct;    // expected error of the latency; none: not validated
  std::optional<Joules> board;       // of the board: predicted power while busy, idle power while it waits
  std::optional<double>
      board_band_pct;  // expected error of that energy: of time and power, which are taken as independent; none: not validated
  std::vector<std::string> notes;  // precision substitutions, chips needed, views, unmodelled operators
  std::optional<Residency> residency;
  std::optional<TensorParallelRun> parallel;
  std::optional<TrainingStep> training;
  std::string failure;                   // not empty: infeasible, nothing else is valid
  std::optional<Infeasible> infeasible;  // where a layer does not fit: what, where and by how much
};

}  // namespace tilewright
