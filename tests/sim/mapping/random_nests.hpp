// Small random problems and nests of every shape, for laws and for agreement with the walker.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sim/mapping/access_counts.hpp"

namespace tilewright::testing {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t least, std::int64_t most);
Operand operand(const char* name, Role role, std::vector<Axis> axes);
/// Z[M, N] += A[M, K] x B[K, N].
Problem product(std::int64_t m, std::int64_t n, std::int64_t k);
Problem random_problem(Random& random);
/// Every loop starts below its dim's bound and the loops cover all dims.
bool legal(const Problem& problem, const Mapping& mapping);
Mapping random_mapping(Random& random, const Problem& problem);
/// The nest in one line.
std::string text(const Problem& problem, const Mapping& mapping);
/// One line for each count that differs; empty when all agree.
std::string difference(const Problem& problem, const AccessCounts& a, const AccessCounts& b);

}  // namespace tilewright::testing
