#include "arch_models/systolic/systolic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch_models/energy_table.hpp"
#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"

namespace tilewright {

namespace {

const std::vector<std::string>& dataflow_names() {
  static const std::vector<std::string> names{"weight_stationary", "output_stationary", "input_stationary",
                                              "row_stationary"};
  return names;
}

const SystolicParameters& parameters(const Chip& chip) { return std::get<SystolicParameters>(chip.parameters); }

/// The register of a PE: one word of the stationary operand, a shadow word behind it when the next weights shift in under the fold.
BufferLevel pe_level(const SystolicParameters& array, const Chip& chip) {
  BufferLevel pe;
  pe.name = "PE";
  pe.instances = checked_mul(checked_mul(array.rows, array.cols), array.arrays);
  pe.double_buffered = array.weights_double_buffered;
  pe.capacity = Bytes{array.weights_double_buffered ? 8.0 : 4.0};
  pe.keeps[static_cast<int>(Role::weight)] = array.dataflow == ArrayDataflow::weight_stationary;
  pe.keeps[static_cast<int>(Role::input)] = array.dataflow == ArrayDataflow::input_stationary;
  pe.keeps[static_cast<int>(Role::output)] = array.dataflow == ArrayDataflow::output_stationary;
  pe.energy_source = "in the MAC";
  if (!chip.energy_table.empty()) {
    const EnergyTable& table = load_energy_table(chip.energy_table, chip.technology_nm);
    if (table.regfile) {
      pe.access_bits = static_cast<std::int64_t>(table.regfile->width_bits);
      pe.read_energy = table.regfile->read;
      pe.write_energy = table.regfile->write;
      pe.energy_source = table.name + " register file";
    }
  }
  return pe;
}

/// Spreads one array (or all of them side by side) under the level that feeds it.
void set_fanout(BufferLevel& above, const SystolicParameters& array, const Value& compute) {
  if (above.instances != 1 && above.instances != array.arrays) {
    compute.fail(fmt::format("level '{}' above the array has {} instances; it must have 1 or one per array ({})",
                             above.name, above.instances, array.arrays));
  }
  above.fanout_x = checked_mul(array.cols, array.arrays / above.instances);
  above.fanout_y = array.rows;
}

/// First pair (output dim, window dim) that shares an axis of the streamed operand: P and R of a convolution; -1 where there is none.
std::pair<int, int> window_of(const Problem& problem) {
  const int input = streamed_operand(problem);
  if (input < 0) return {-1, -1};
  for (const Axis& axis : problem.operands[static_cast<std::size_t>(input)].axes) {
    int out = -1, window = -1;
    for (const Term& term : axis) {
      if (relevant(problem.operands.back(), term.dim))
        out = term.dim;
      else
        window = term.dim;
    }
    if (out >= 0 && window >= 0) return {out, window};
  }
  return {-1, -1};
}

void append(std::vector<int>& to, const std::vector<int>& dims) {
  for (int d : dims)
    if (std::find(to.begin(), to.end(), d) == to.end()) to.push_back(d);
}

/// What of the time of a pass follows from the array and the problem alone.
struct Streams {
  SystolicParameters array;
  double rate = 1;                    // MACs per lane and cycle
  std::vector<int> held;              // dims of the operand that stays in the PEs
  std::vector<int> reduced, windows;  // dims that miss the result; of these, filter rows and columns
};

Streams streams_of(const Chip& chip, const Problem& problem) {
  Streams streams{parameters(chip), arithmetic_of(chip, problem).macs_per_cycle, {}, {}, window_dims(problem)};
  const ArrayDataflow dataflow = streams.array.dataflow;
  const int held = dataflow == ArrayDataflow::weight_stationary  ? stationary_operand(problem)
                   : dataflow == ArrayDataflow::input_stationary ? streamed_operand(problem)
                                                                 : static_cast<int>(problem.operands.size()) - 1;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) {
    if (held >= 0 && relevant(problem.operands[static_cast<std::size_t>(held)], d)) streams.held.push_back(d);
    if (!relevant(problem.operands.back(), d)) streams.reduced.push_back(d);
  }
  return streams;
}

/// One fold, or pass of a row-stationary array.
struct Fold {
  double stream = 0;  // T: words that pass each PE
  double ramp = 0;    // row stationary
  double shift = 0, load = 0, skew = 0;
  double cycles = 0, fill_drain = 0;
};

Fold fold_of(const Streams& streams, const ArrayPass& pass) {
  const SystolicParameters& array = streams.array;
  const double rows = static_cast<double>(array.rows), cols = static_cast<double>(array.cols);
  Fold fold;
  fold.stream = static_cast<double>(extent_product(pass.temporal)) / streams.rate;
  if (array.dataflow == ArrayDataflow::row_stationary) {
    // Chen et al., JSSC 2017: every pass starts with a ramp-up. Here: the first window of input words arrives one a cycle, then the
    // partial sums climb the column, one PE a cycle (assumption; the paper gives no formula).
    double chain = 1;
    for (const int d : streams.reduced) chain *= static_cast<double>(pass.spatial[static_cast<std::size_t>(d)]);
    fold.ramp = chain + static_cast<double>(extent_product(pass.temporal, streams.windows));
    fold.cycles = fold.stream + fold.ramp;
    fold.fill_drain = rows + cols;  // filling the network of the array once
    return fold;
  }
  fold.skew = rows + cols - 2;  // operands enter row by row and leave column by column
  // The stationary operand shifts down the rows, one word per PE at a time; a PE that holds several words needs several shifts.
  fold.shift = rows * static_cast<double>(extent_product(pass.temporal, streams.held));
  fold.load = array.dataflow == ArrayDataflow::output_stationary ? 0.0 : fold.shift;
  if (array.weights_double_buffered) {
    // Fold hidden behind the one before: max(T, R) per fold (R cycles a word to shift the next weights in, or the finished results out);
    // first load and skew are paid once. TPU v1 loads a 256 x 256 tile in 256 cycles behind the running one (Jouppi et al., ISCA 2017).
    fold.cycles = std::max(fold.stream, fold.shift);
    fold.fill_drain = fold.load + fold.skew;
  } else {
    // Samajdar et al. (SCALE-Sim v2): lines per fold T + R + C - 2 (os), T + 2 R + C - 2 (ws, is); edge folds cost the same.
    fold.cycles = fold.stream + fold.load + fold.skew;
  }
  return fold;
}

struct ArrayAxes {
  std::vector<int> rows, cols;
};

/// Which dims the wires of the array allow on its rows (y) and columns (x).
ArrayAxes array_axes(const Problem& problem, ArrayDataflow dataflow) {
  const DimGroups groups = group_dims(problem);
  ArrayAxes axes;
  switch (dataflow) {
    case ArrayDataflow::
        weight_stationary:  // inputs enter by row, sums leave by column: a row is one reduced index. Groups (depthwise)
      axes = {groups.k, groups.n};  // would need other inputs per column: they run one after another on few columns.
      break;
    case ArrayDataflow::output_stationary:  // inputs by row, weights by column
      axes = {groups.m, groups.n};
      break;
    case ArrayDataflow::input_stationary:  // weights enter by row, one column per output pixel
      axes = {groups.k, groups.m};
      break;
    case ArrayDataflow::
        row_stationary: {  // filter rows vertically, output rows along; spare PEs take further channels or filters
      const auto [out_row, filter_row] = window_of(problem);
      if (filter_row >= 0) { axes = {{filter_row}, {out_row}}; }
      append(axes.rows, groups.k);
      append(axes.rows, groups.n);
      append(axes.rows, groups.batch);
      if (filter_row < 0) append(axes.cols, groups.m);
      append(axes.cols, groups.n);
      append(axes.cols, groups.batch);
      break;
    }
  }
  std::vector<int> all;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) all.push_back(d);
  if (axes.rows.empty() && axes.cols.empty()) axes.rows = all;
  return axes;
}

}  // namespace

std::vector<std::string_view> systolic_keys() {
  return {"rows", "cols", "arrays", "dataflow", "weights_double_buffered", "precisions", "mac_energy"};
}

void parse_systolic(const Value& compute, Chip& chip) {
  SystolicParameters array;
  array.rows = compute.at("rows").as_int(1, 1'000'000);
  array.cols = compute.at("cols").as_int(1, 1'000'000);
  array.arrays = int_or(compute, "arrays", 1, 1, 1'000'000);
  const std::string dataflow = compute.at("dataflow").as_choice("dataflow", dataflow_names());
  const auto at = std::find(dataflow_names().begin(), dataflow_names().end(), dataflow);
  array.dataflow = static_cast<ArrayDataflow>(at - dataflow_names().begin());
  if (const auto buffered = compute.find("weights_double_buffered"))
    array.weights_double_buffered = buffered->as_bool();
  chip.parameters = array;

  if (array.dataflow == ArrayDataflow::row_stationary) {
    const int level = systolic_array_level(chip);
    const std::int64_t pes = checked_mul(checked_mul(array.rows, array.cols), array.arrays);
    if (chip.levels.size() < 2 || chip.levels[static_cast<std::size_t>(level) + 1].instances != pes) {
      compute.fail(
          fmt::format("row_stationary needs the scratchpads of the PEs as innermost levels with instances: {}", pes));
    }
    set_fanout(chip.levels[static_cast<std::size_t>(level)], array, compute);
    chip.levels.back().fanout_x = chip.levels.back().fanout_y = 1;  // one MAC per PE
  } else {
    set_fanout(chip.levels.back(), array, compute);
    chip.levels.push_back(pe_level(array, chip));
  }
  read_precisions(compute, chip, 1.0);
  default_vector(chip, static_cast<double>(checked_mul(array.cols, array.arrays)),
                 "one activation unit per array column (Jouppi et al., ISCA 2017, section 2)");
}

int systolic_array_level(const Chip& chip) {
  const SystolicParameters& array = parameters(chip);
  const int last = static_cast<int>(chip.levels.size()) - 1;
  if (array.dataflow != ArrayDataflow::row_stationary) return std::max(0, last - 1);
  const std::int64_t pes = checked_mul(checked_mul(array.rows, array.cols), array.arrays);
  for (int l = 1; l <= last; ++l) {
    if (chip.levels[static_cast<std::size_t>(l)].instances == pes) return l - 1;
  }
  return std::max(0, last - 1);
}

MapRules systolic_rules(const Chip& chip, const Problem& problem) {
  MapRules rules = plain_rules(chip, problem);
  const int level = systolic_array_level(chip);
  if (problem.compute ==
      Compute::vector) {  // the activation units work beside the array, straight from the buffer above it
    for (std::size_t l = static_cast<std::size_t>(level) + 1; l < chip.levels.size(); ++l) {
      rules.keeps[l].assign(problem.operands.size(), false);
    }
    return rules;
  }
  spread_over_chip(rules, chip, level, output_dims(problem));  // several arrays split the result
  const ArrayAxes axes = array_axes(problem, parameters(chip).dataflow);
  rules.y_dims[static_cast<std::size_t>(level)] = axes.rows;
  rules.x_dims[static_cast<std::size_t>(level)] = axes.cols;
  return rules;
}

ComputeCost systolic_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  if (problem.compute == Compute::vector) return vector_cost(chip, problem);
  const SystolicParameters& array = parameters(chip);
  const Fold fold = fold_of(streams_of(chip, problem), pass);
  ComputeCost cost;
  cost.events.push_back(mac_event(chip, problem));
  cost.cycles = Cycles{static_cast<double>(pass.passes) * fold.cycles};
  cost.fill_drain = Cycles{fold.fill_drain};
  if (!pass.explained) return cost;
  const std::int64_t used = extent_product(pass.spatial), pes = array.rows * array.cols;
  if (array.dataflow == ArrayDataflow::row_stationary) {
    cost.why = fmt::format("{} passes x ({:g} steps + {:g} ramp-up) = {:.0f} cycles (row stationary, {} of {} PEs)",
                           pass.passes, fold.stream, fold.ramp, cost.cycles.value, used, pes);
  } else if (array.weights_double_buffered) {
    cost.why = fmt::format("{} folds x max({:g} streamed, {:g} shifted) = {:.0f} cycles, {} of {} PEs", pass.passes,
                           fold.stream, fold.shift, cost.cycles.value, used, pes);
  } else {
    cost.why = fmt::format("{} folds x ({:g} streamed + {:g} loaded + {:g} skew) = {:.0f} cycles, {} of {} PEs",
                           pass.passes, fold.stream, fold.load, fold.skew, cost.cycles.value, used, pes);
  }
  return cost;
}

PassTimer systolic_timer(const Chip& chip, const Problem& problem) {
  if (problem.compute == Compute::vector) {
    const PassTime whatever_the_pass{vector_cost(chip, problem).cycles, {}};
    return [whatever_the_pass](const ArrayPass&) { return whatever_the_pass; };
  }
  return [streams = streams_of(chip, problem)](const ArrayPass& pass) {
    const Fold fold = fold_of(streams, pass);
    return PassTime{Cycles{static_cast<double>(pass.passes) * fold.cycles}, Cycles{fold.fill_drain}};
  };
}

}  // namespace tilewright
