// Suite `mapping`: access counts, cycles and energies of given mappings against reference results.
#pragma once

#include <string>

#include "validation/suite.hpp"

namespace tilewright {

/// Compares every count, cycle and energy of the reference cases with ours.
///
/// `data`: a file, or a folder whose .json files are read in the order of their names; empty: the project's own cases. A file is
/// `{format: 1, cases: [...]}`; a case has `id`, `problem` (instance, projection, output, coefficients), `mapping_outer_to_inner` (levels
/// from the outermost, each with its loops and `tile_words` of what it keeps; `residual` of a loop: its bound in the last
/// iteration), energies (`energy_per_action_pJ`, or `architecture`) and `expected` (levels, summary). Counts in the file are words
/// per instance and are compared to the word, times `utilized_instances`. Energies and percentages to 1e-4 or half a unit
/// of the second decimal, which is what is printed; a level of B-word blocks pays ceil(words / B) accesses per instance; an update has
/// an energy of its own, leakage is that of all instances over all cycles. A level takes as long as its words need at
/// its read and write rates, the whole as long as its slowest level and at least one cycle a step.
///
/// Where a loop has a `residual`, a count that takes the short last tile at full size is accepted as well (the
/// reference's convention between outer levels), listed in the notes and not counted as a mismatch. Sparse cases are listed as not compared.
///
/// One group a case (key `case`) and one over all (`*`); `worst` lists every difference. Passes when something was compared and
/// nothing differs. InputError: file, line and key of what is missing, unknown or malformed.
SuiteResult validate_mapping(const std::string& data);

}  // namespace tilewright
