// The architectures of a study: a part of a search space, as one axis.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/accuracy/accuracy.hpp"
#include "workloads/space/space.hpp"

namespace tilewright {

/// Codes stand beside architectures.
struct ArchitectureList {
  SearchSpace space;
  std::vector<Architecture> architectures;
  std::vector<std::string> codes;
  std::unordered_map<std::string, std::size_t> position;  // by code
};

/// `which`: "all", "scored" (those of the accuracy table), a list of codes, or {sample: N}. Absent: scored with a table, else all. InputError: more
/// than a million, a code that the space does not have, scored without a table.
ArchitectureList list_architectures(SearchSpace space, const Value& root, const AccuracySource* accuracy,
                                    std::uint64_t seed);

/// What a strategy sees instead of the one axis: number of values of each choice.
std::vector<std::size_t> choice_sizes(const SearchSpace& space);
/// The architecture of the list that differs from `wanted` in the fewest choices, the first of equals, among those that are `open` (by position;
/// all where none is).
std::size_t nearest(const ArchitectureList& list, const Architecture& wanted,
                    const std::function<bool(std::size_t)>& open = {});

}  // namespace tilewright
