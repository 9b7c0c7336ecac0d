#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>
namespace tilewright {

class Value;
struct Chip;
struct Problem;
struct MapRules;
struct ArrayPass;
struct ComputeCost;
struct PassTime;

enum class ArrayDataflow { weight_stationary, output_stationary, input_stationary, row_stationary };
/// Systolic and spatial arrays: rows x cols PEs, `arrays` of them.
struct SystolicParameters {
  std::int64_t rows = 1, cols = 1, arrays = 1;
  ArrayDataflow dataflow = ArrayDataflow::weight_stationary;
  bool weights_double_buffered = true;  // the next weights shift in under the running fold
};

/// The entry of the family list (arch_models/family.hpp says what each one promises).
std::vector<std::string_view> systolic_keys();
void parse_systolic(const Value& compute, Chip& chip);
int systolic_array_level(const Chip& chip);
MapRules systolic_rules(const Chip& chip, const Problem& problem);
ComputeCost systolic_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass);
std::function<PassTime(const ArrayPass&)> systolic_timer(const Chip& chip, const Problem& problem);

}  // namespace tilewright
