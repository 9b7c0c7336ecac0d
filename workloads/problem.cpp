#include "workloads/problem.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_set>

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_points = std::int64_t{1} << 62;

[[noreturn]] void fail(std::string key, std::string_view message) {
  throw InputError(Place{"", 0, 0, std::move(key)}, message);
}

std::vector<std::int64_t> bounds(const Problem& problem) {
  std::vector<std::int64_t> result;
  result.reserve(problem.dims.size());
  for (const Dim& dim : problem.dims) result.push_back(dim.bound);
  return result;
}

}  // namespace

int Problem::dim(std::string_view name) const {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::int64_t Problem::points() const {
  std::int64_t result = 1;
  for (const Dim& dim : dims) result = checked_mul(result, dim.bound);
  if (result > most_points) throw OverflowError("the problem has more than 2^62 iteration points");
  return result;
}

DataType compute_format(const Problem& problem) {
  DataType widest = problem.operands.front().type;
  for (const Operand& operand : problem.operands) {
    if (operand.role != Role::output && bits(operand.type) > bits(widest)) widest = operand.type;
  }
  return widest;
}

bool relevant(const Operand& operand, int dim) {
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) {
      if (term.dim == dim && term.coefficient != 0) return true;
    }
  }
  return false;
}

std::int64_t box_words(const Operand& operand, const std::vector<std::int64_t>& extents) {
  std::int64_t words = 1;
  for (const Axis& axis : operand.axes) {
    std::int64_t span = 1;
    for (const Term& term : axis) {
      const std::int64_t last = extents[static_cast<std::size_t>(term.dim)] - 1;
      const std::int64_t reach = checked_mul(last, term.coefficient);
      span = checked_add(span, reach < 0 ? checked_mul(reach, -1) : reach);
    }
    words = checked_mul(words, span);
  }
  return words;
}

std::int64_t tensor_words(const Problem& problem, const Operand& operand) {
  return box_words(operand, bounds(problem));
}

void validate(const Problem& problem) {
  std::unordered_set<std::string> names;
  if (problem.dims.empty()) fail("dims", "a problem needs at least one dim");
  for (const Dim& dim : problem.dims) {
    if (dim.bound < 1)
      fail(dim.name, fmt::format("the bound of dim '{}' is {}; it must be at least 1", dim.name, dim.bound));
    if (!names.insert(dim.name).second) fail(dim.name, fmt::format("dim '{}' is there twice", dim.name));
  }
  names.clear();
  std::size_t outputs = 0;
  for (const Operand& operand : problem.operands) {
    if (!names.insert(operand.name).second) {
      fail(operand.name, fmt::format("operand '{}' is there twice", operand.name));
    }
    if (!(operand.density > 0 && operand.density <= 1)) {
      fail(operand.name, fmt::format("the density of '{}' is {}; it must be in (0, 1]", operand.name, operand.density));
    }
    const double kept = operand.density * static_cast<double>(operand.block);
    if (operand.block < 0 || operand.block > 1 << 20 || std::abs(kept - std::round(kept)) > 1e-9) {
      fail(operand.name, fmt::format("'{}' cannot keep {:g} of every {} elements; give whole numbers such as 2 of 4",
                                     operand.name, kept, operand.block));
    }
    for (const Axis& axis : operand.axes) {
      for (const Term& term : axis) {
        if (term.dim < 0 || static_cast<std::size_t>(term.dim) >= problem.dims.size()) {
          fail(operand.name, fmt::format("a term of '{}' names dim number {}, but there are {} dims", operand.name,
                                         term.dim, problem.dims.size()));
        }
      }
    }
    outputs += operand.role == Role::output;
  }
  if (outputs != 1) fail("operands", fmt::format("a problem needs exactly one output, this one has {}", outputs));
  if (problem.operands.back().role != Role::output) fail("operands", "the output must be the last operand");
  if (!(problem.ops_per_point >= 0) || !std::isfinite(problem.ops_per_point)) {
    fail("ops_per_point", "operations per point must be finite and not negative");
  }
  problem.points();
  for (const Operand& operand : problem.operands) {
    checked_mul(tensor_words(problem, operand), 8);  // bytes of the widest format must fit as well
  }
}

}  // namespace tilewright
