#include "sim/search/solved.hpp"

#include <cstring>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <type_traits>
#include <unordered_map>

namespace tilewright {
namespace {

constexpr std::size_t most_answers = 4096;

class Question {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void add(const std::string& text) {
    add(text.size());
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void add_problem(Question& bytes, const Problem& problem) {
  bytes.add(problem.compute);
  bytes.add(problem.ops_per_point);
  bytes.add(problem.dims.size());
  for (const Dim& dim : problem.dims) bytes.add(dim.bound);
  // Two letters mean something to families and mapping rules: channels or columns, and samples.
  for (const char* letter : {"C", "N"}) bytes.add(problem.dim(letter));
  for (const Operand& operand : problem.operands) {
    bytes.add(operand.role);
    bytes.add(operand.type);
    bytes.add(operand.density);
    bytes.add(operand.block);
    bytes.add(operand.on_chip);
    bytes.add(operand.axes.size());
    for (const Axis& axis : operand.axes) {
      bytes.add(axis.size());
      for (const Term& term : axis) {
        bytes.add(term.dim);
        bytes.add(term.coefficient);
      }
    }
  }
}

template <class... Fields>
void add_all(Question& bytes, const Fields&... fields) {
  (bytes.add(fields), ...);
}

// Field by field: bytes of padding differ between equal structs. A field that is added to a struct does not compile here until it is named.
void add_parameters(Question& bytes, const CpuParameters& parameters) {
  const auto& [cores, simd_bits, fma_units, fma_latency] = parameters;
  add_all(bytes, cores, simd_bits, fma_units, fma_latency);
}

void add_parameters(Question& bytes, const GpuParameters& parameters) {
  const auto& [sms, cuda_cores, tensor_cores, registers, shared, blocks, warps] = parameters;
  add_all(bytes, sms, cuda_cores, tensor_cores, registers, shared, blocks, warps);
}

void add_parameters(Question& bytes, const FpgaParameters& parameters) {
  const auto& [style, dsp, bram36, uram, lut, engines, pixels, inputs, outputs, fifo_rows] = parameters;
  add_all(bytes, style, dsp, bram36, uram, lut, engines, pixels, inputs, outputs, fifo_rows);
}

void add_parameters(Question& bytes, const SystolicParameters& parameters) {
  const auto& [rows, cols, arrays, dataflow, weights_double_buffered] = parameters;
  add_all(bytes, rows, cols, arrays, dataflow, weights_double_buffered);
}

void add_parameters(Question& bytes, const NeuromorphicParameters& parameters) {
  const auto& [cores, neurons, axons, synapse_memory, synapse_bits, mesh_x, mesh_y, time_steps, spike_rate, synop_time,
               update_time, barrier_time, hop_time, min_step_time, synop_energy, update_energy, hop_energy,
               spike_energy, all_in_synop] = parameters;
  add_all(bytes, cores, neurons, axons, synapse_memory, synapse_bits, mesh_x, mesh_y, time_steps, spike_rate,
          synop_time, update_time, barrier_time, hop_time, min_step_time, synop_energy, update_energy, hop_energy,
          spike_energy, all_in_synop);
}

void add_chip(Question& bytes, const Chip& chip) {
  bytes.add(chip.family);
  bytes.add(chip.energy_table);
  bytes.add(chip.technology_nm);
  bytes.add(chip.clock);
  bytes.add(chip.static_power);
  bytes.add(chip.launch_overhead);
  bytes.add(chip.vector.ops_per_cycle_fp32);
  bytes.add(chip.vector.width_scaling);
  bytes.add(chip.vector.energy_per_op);
  bytes.add(chip.arithmetic.size());
  for (const auto& [type, arithmetic] : chip.arithmetic) {
    bytes.add(type);
    bytes.add(arithmetic.macs_per_cycle);
    bytes.add(arithmetic.energy_per_mac);
  }
  bytes.add(chip.accumulator.has_value());
  if (chip.accumulator) bytes.add(*chip.accumulator);
  for (const bool gated : chip.sparse.gated) bytes.add(gated);
  for (const bool skipped : chip.sparse.skipped) bytes.add(skipped);
  for (const BufferLevel& level : chip.levels) {
    bytes.add(level.name);  // shown in the answer
    bytes.add(level.capacity ? level.capacity->value : -1.0);
    bytes.add(level.instances);
    bytes.add(level.fanout_x);
    bytes.add(level.fanout_y);
    bytes.add(level.bandwidth);
    bytes.add(level.access_bits);
    bytes.add(level.read_energy);
    bytes.add(level.write_energy);
    bytes.add(level.transfer_energy_per_bit);
    bytes.add(level.leakage);
    bytes.add(level.separate_ports);
    bytes.add(level.double_buffered);
    for (const bool keeps : level.keeps) bytes.add(keeps);
    bytes.add(level.link.merged_overlap);
    bytes.add(level.link.forwarding);
    bytes.add(level.link.hop_energy_per_bit);
    bytes.add(level.link.reduction_energy_per_bit);
    for (const Compression& stored : level.stored) {
      bytes.add(stored.format);
      bytes.add(stored.index_bits);
      bytes.add(stored.pointer_bits);
    }
  }
  bytes.add(chip.parameters.index());
  std::visit([&](const auto& parameters) { add_parameters(bytes, parameters); }, chip.parameters);
}

struct Kept {
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_future<std::shared_ptr<const Answer>>> answers;
  std::deque<std::string> oldest;
};

Kept& kept() {
  static Kept answers;
  return answers;
}

}  // namespace

std::string question(const Problem& problem, const Chip& chip, const SearchOptions& options) {
  Question bytes;
  bytes.add(options.objective);
  bytes.add(options.factors);
  bytes.add(options.free_keeps);
  bytes.add(options.uneven);
  bytes.add(options.budget);
  bytes.add(options.latency_slack);
  bytes.add(options.other_objectives);
  add_problem(bytes, problem);
  add_chip(bytes, chip);
  return bytes.take();
}

Answer solved_once(const std::string& key, const std::function<Answer()>& solve) {
  std::promise<std::shared_ptr<const Answer>> promise;
  std::shared_future<std::shared_ptr<const Answer>> answer;
  bool mine = false;
  {
    const std::lock_guard lock(kept().mutex);
    const auto [found, fresh] = kept().answers.try_emplace(key);
    if (fresh) {
      mine = true;
      found->second = promise.get_future().share();
      kept().oldest.push_back(key);
      if (kept().oldest.size() > most_answers) {
        kept().answers.erase(kept().oldest.front());
        kept().oldest.pop_front();
      }
    }
    answer = found->second;
  }
  if (mine) {
    try {
      promise.set_value(std::make_shared<const Answer>(solve()));
    } catch (...) {
      promise.set_exception(std::current_exception());  // the same question fails in the same way
    }
  }
  return *answer.get();
}

void forget_solved() {
  const std::lock_guard lock(kept().mutex);
  kept().answers.clear();
  kept().oldest.clear();
}

}  // namespace tilewright
