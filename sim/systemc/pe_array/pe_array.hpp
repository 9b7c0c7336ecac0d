// A systolic array PE by PE and cycle by cycle: it multiplies real numbers, and every PE can be watched.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "arch_models/systolic/systolic.hpp"
#include "sim/systemc/pe_array/matrix.hpp"

namespace tilewright {

/// How finished results leave an output stationary array.
enum class ResultExit {
  in_place,  // every PE hands its result over in the cycle of its last MAC (as SCALE-Sim and the systolic family count)
  bottom     // the columns shift their results out at the bottom, one row a cycle, before the next fold
};

/// What one PE did in a cycle.
struct PeState {
  bool active = false;      // multiplied two operands of the problem
  bool loading = false;     // a stationary word moved in
  std::int64_t index = -1;  // number of the streamed word within the fold; -1: none
  double streamed = 0;      // from the left
  double partner = 0;       // the word it is multiplied with: from above, or held
  double sum = 0;           // after the MAC: accumulator, or partial sum handed down
};

/// The whole array in one cycle; PEs row by row.
struct ArrayFrame {
  std::int64_t cycle = 0, fold = 0;
  std::vector<PeState> pes;
};

struct PeArrayRequest {
  Matrix a, b;  // M x K and K x N
  std::int64_t rows = 1, cols = 1;
  ArrayDataflow dataflow = ArrayDataflow::weight_stationary;
  ResultExit exit = ResultExit::in_place;
  std::function<void(const ArrayFrame&)> on_frame;  // called once a cycle, in order; may be empty
  std::string vcd;                                  // file for a waveform of every PE; empty: none
};

struct PeArrayResult {
  Matrix product;  // a x b; sums run over k within a fold, then over the folds
  std::int64_t cycles = 0, folds = 0, macs = 0;
  double utilization = 0;  // MACs / (PEs x cycles)
};

/// Folds and cycles by the formula: lines per fold T + R + C - 2 (output stationary, in place), T + 2 R + C - 2 (all others), T = K, M, N for output, weight
/// and input stationary. The simulation does not use it except for its limits. Source: Samajdar et al., ISPASS 2020; SCALE-Sim version 2.
struct PeArrayCycles {
  std::int64_t row_folds = 0, col_folds = 0, stream = 0, lines_each = 0;
  std::int64_t folds() const { return row_folds * col_folds; }
  std::int64_t total() const { return folds() * lines_each; }
};
PeArrayCycles pe_array_cycles(const PeArrayRequest& request);

/// Simulates the product. One simulation at a time in a process (a second caller waits); any number one after another.
/// InputError: shapes that do not fit together, an empty matrix, row stationary, more than 65,536 PEs or 200 M PE cycles (waveform: 4 M), a waveform
/// file that cannot be written. An exception of on_frame ends the simulation and is passed on.
PeArrayResult simulate_pe_array(const PeArrayRequest& request);

}  // namespace tilewright
