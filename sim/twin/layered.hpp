// Layers one after another on the whole chip, as tile transactions.
#pragma once

#include <memory>

#include "sim/cost/evaluation.hpp"
#include "sim/twin/program.hpp"

namespace tilewright {

/// Kernels that run at once: the first one and those fused into it. The evaluations outlive the program.
struct KernelRun {
  std::string layer;
  std::int32_t row = 0;  // of the report
  std::vector<const Evaluation*> kernels;
  std::int64_t repeat = 1;   // one after another
  bool new_request = false;  // reads nothing that those before have written
};

/// A tile step is: tiles from the outermost level (one transaction an operand; the buffer must have room), the array's work,
/// which the inner levels feed while it runs, and the results' way out. The next step's tiles are fetched while the array works,
/// before older results are written. The first weights of the next kernel are fetched ahead, its inputs wait for the
/// results of the kernel before. On a chip with a launch overhead a kernel starts when the one before has ended.
///
/// The array takes ComputeCost::cycles in equal parts for all steps, fused kernels in the shadow; fill and drain once per kernel.
/// Buffers hold two tiles where they are double buffered, else one. `most_steps`: of one kernel, see TileSchedule.
///
/// Where the chip has cores (core_level) each plays its own tiles on its own array and ports, down to the tile of one core; they share
/// the levels outside and meet only there: each port serves the cores in turn. A tile that several cores share is fetched once, for the
/// first of them, and replaced when all have ended the step. A core may have ComputeCost::blocks_per_core steps under way before the
/// first of them has ended. All cores start a kernel together. At most `most_cores` are told apart; the steps of a kernel times its
/// cores stay below most_steps x 4 (but 64 steps are allowed). Fused kernels fall to the cores of the first one in equal parts.
/// Ledger::kernels() gives the first kernel of run i at the index first_kernel(runs, i), fused ones behind it.
std::unique_ptr<Program> layered_program(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps,
                                         std::int64_t most_cores = 256);

/// Index of the first kernel of run `i` among all kernels of all runs.
std::size_t first_kernel(const std::vector<KernelRun>& runs, std::size_t i);

}  // namespace tilewright
