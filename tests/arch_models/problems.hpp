// Small problems, chips and passes for the family tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "arch_models/family.hpp"

namespace tilewright::test {

/// C[M, N] = A[M, K] B[K, N].
inline Problem product(std::int64_t m, std::int64_t n, std::int64_t k, DataType type = DataType::fp32) {
  Problem p;
  p.dims = {{"M", m}, {"N", n}, {"K", k}};
  p.operands = {{"inputs", Role::input, type, {{{0, 1}}, {{2, 1}}}, 1.0},
                {"weights", Role::weight, type, {{{2, 1}}, {{1, 1}}}, 1.0},
                {"outputs", Role::output, type, {{{0, 1}}, {{1, 1}}}, 1.0}};
  return p;
}

/// Convolution with square filter r, stride 1; dims N K C P Q R S.
inline Problem convolution(std::int64_t k, std::int64_t c, std::int64_t side, std::int64_t q, std::int64_t r,
                           DataType type = DataType::fp32) {
  Problem p;
  p.dims = {{"N", 1}, {"K", k}, {"C", c}, {"P", side}, {"Q", q}, {"R", r}, {"S", r}};
  p.operands = {{"inputs", Role::input, type, {{{0, 1}}, {{2, 1}}, {{3, 1}, {5, 1}}, {{4, 1}, {6, 1}}}, 1.0},
                {"weights", Role::weight, type, {{{1, 1}}, {{2, 1}}, {{5, 1}}, {{6, 1}}}, 1.0},
                {"outputs", Role::output, type, {{{0, 1}}, {{1, 1}}, {{3, 1}}, {{4, 1}}}, 1.0}};
  return p;
}

/// Depthwise convolution: dims G P Q R S.
inline Problem depthwise(std::int64_t g, std::int64_t side, std::int64_t r, DataType type = DataType::fp32) {
  Problem p;
  p.dims = {{"G", g}, {"P", side}, {"Q", side}, {"R", r}, {"S", r}};
  p.operands = {{"inputs", Role::input, type, {{{0, 1}}, {{1, 1}, {3, 1}}, {{2, 1}, {4, 1}}}, 1.0},
                {"weights", Role::weight, type, {{{0, 1}}, {{3, 1}}, {{4, 1}}}, 1.0},
                {"outputs", Role::output, type, {{{0, 1}}, {{1, 1}}, {{2, 1}}}, 1.0}};
  return p;
}

/// Element by element over n elements.
inline Problem elementwise(std::int64_t n, double ops, DataType type = DataType::fp32) {
  Problem p;
  p.dims = {{"E", n}};
  p.operands = {{"inputs", Role::input, type, {{{0, 1}}}, 1.0}, {"outputs", Role::output, type, {{{0, 1}}}, 1.0}};
  p.compute = Compute::vector;
  p.ops_per_point = ops;
  return p;
}

using Extents = std::vector<std::pair<std::string, std::int64_t>>;

/// A pass from extents by dim name; everything not named is 1.
inline ArrayPass pass_of(const Problem& problem, const Extents& spatial, const Extents& temporal, std::int64_t passes,
                         const Extents& chip = {}) {
  const auto fill = [&](const Extents& named) {
    std::vector<std::int64_t> extents(problem.dims.size(), 1);
    for (const auto& [name, extent] : named) extents[static_cast<std::size_t>(problem.dim(name))] = extent;
    return extents;
  };
  return {fill(spatial), fill(temporal), fill(chip), passes};
}

inline BufferLevel level(const std::string& name, double capacity, std::int64_t instances, std::int64_t fanout = 1) {
  BufferLevel l;
  l.name = name;
  if (capacity > 0) l.capacity = Bytes{capacity};
  l.instances = instances;
  l.fanout_x = fanout;
  return l;
}

/// A chip with levels, 1 GHz, no energy table; the family's parse fills the rest from the text of the `compute` map.
inline Chip chip_of(const std::string& family, std::vector<BufferLevel> levels, const std::string& compute) {
  Chip chip;
  chip.name = "test";
  chip.family = family;
  chip.clock = Hertz{1e9};
  chip.levels = std::move(levels);
  family_of(chip).parse(parse_yaml(compute, "test.yaml"), chip);
  return chip;
}

inline ComputeCost cost_of(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  return family_of(chip).compute(chip, problem, pass);
}

}  // namespace tilewright::test
