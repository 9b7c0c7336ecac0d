#include "sim/scalesim/scalesim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

enum OperandIndex : std::size_t { ifmap, filter, ofmap };

/// How a layer falls on the array: rows x columns of work, streamed words, folds. Every fold takes as many lines as a full one.
struct Folding {
  std::int64_t rows = 0, cols = 0, stream = 0;  // Sr, Sc, T
  std::int64_t row_folds = 0, col_folds = 0;
  std::int64_t lines_each = 0;  // cycles of a fold

  std::int64_t folds() const { return checked_mul(row_folds, col_folds); }
  std::int64_t lines() const { return checked_mul(folds(), lines_each); }
};

Folding fold(const ScaleSimLayer& layer, const ScaleSimConfig& config) {
  const std::int64_t m = layer.m(), k = layer.k(), n = layer.n();
  Folding f;
  switch (config.dataflow) {
    case ScaleSimDataflow::os: f = {m, n, k, 0, 0, k + config.rows + config.cols - 2}; break;
    case ScaleSimDataflow::ws: f = {k, n, m, 0, 0, m + 2 * config.rows + config.cols - 2}; break;
    case ScaleSimDataflow::is: f = {k, m, n, 0, 0, n + 2 * config.rows + config.cols - 2}; break;
  }
  f.row_folds = ceil_div(f.rows, config.rows);
  f.col_folds = ceil_div(f.cols, config.cols);
  return f;
}

/// Cycles, utilisation and SRAM words without stalls. Assumes nothing of the memory; the three quirks of the counts are in docs/model.md.
ScaleSimResult array_figures(const ScaleSimLayer& layer, const ScaleSimConfig& config, const Folding& f) {
  const std::int64_t m = layer.m(), k = layer.k(), n = layer.n();
  const bool os = config.dataflow == ScaleSimDataflow::os;
  const bool is = config.dataflow == ScaleSimDataflow::is;
  ScaleSimResult result;
  result.layer = layer.name;
  result.folds = f.folds();
  result.cycles_each = f.lines_each;
  result.total_cycles = f.lines() - 1;
  const double pes = static_cast<double>(config.rows) * static_cast<double>(config.cols);
  const double slots = static_cast<double>(f.folds()) * pes;
  const double counted_lines = static_cast<double>(os ? f.lines_each : f.lines_each + config.cols - 1);
  const double points = static_cast<double>(f.rows) * static_cast<double>(f.cols);
  result.mapping_eff_pct = 100 * points / slots;
  result.compute_util_pct = 100 * points * static_cast<double>(f.stream) / (slots * counted_lines);

  const std::int64_t mk = checked_mul(m, k), kn = checked_mul(k, n), mn = checked_mul(m, n);
  checked_mul(mn, k);  // multiply-accumulates fit
  result.sram[ifmap].words = is ? mk : checked_mul(mk, f.col_folds);
  result.sram[filter].words = os ? checked_mul(kn, f.row_folds) : is ? checked_mul(kn, f.col_folds) : kn;
  result.sram[ofmap].words =
      os ? checked_add(mn, checked_mul(f.folds(), config.rows + config.cols)) : checked_mul(mn, f.row_folds);
  return result;
}

void set_overall_util(ScaleSimResult& result, const ScaleSimLayer& layer, const ScaleSimConfig& config) {
  const double slots =
      static_cast<double>(result.total_cycles) * static_cast<double>(config.rows) * static_cast<double>(config.cols);
  const double macs = static_cast<double>(layer.m()) * static_cast<double>(layer.k()) * static_cast<double>(layer.n());
  result.overall_util_pct = slots > 0 ? 100 * macs / slots : 0;
}

/// What the folds ask of ifmap and filter and hand to the ofmap buffer; column folds outside, row folds inside.
struct Demand {
  std::array<std::vector<FoldDemand>, 3> of;
};

Demand demand(const ScaleSimConfig& config, const Folding& f) {
  Demand demand;
  const std::int64_t load = config.rows;  // lines in which the stationary operand enters
  for (std::int64_t fc = 0; fc < f.col_folds; ++fc) {
    for (std::int64_t fr = 0; fr < f.row_folds; ++fr) {
      const std::int64_t start = (fc * f.row_folds + fr) * f.lines_each;
      const std::int64_t row = fr * config.rows, col = fc * config.cols;
      const std::int64_t rows = std::min(config.rows, f.rows - row), cols = std::min(config.cols, f.cols - col);
      const FoldDemand loaded{col, cols, row, rows, start + load - 1, Entry::loaded};
      const FoldDemand streamed{0, f.stream, row, rows, start + load, Entry::skewed_elements};
      switch (config.dataflow) {
        case ScaleSimDataflow::os:
          demand.of[ifmap].push_back({row, rows, 0, f.stream, start, Entry::skewed_vectors});
          demand.of[filter].push_back({col, cols, 0, f.stream, start, Entry::skewed_vectors});
          // the results leave from the bottom row, full height first: unused rows at the bottom hold nothing
          demand.of[ofmap].push_back(
              {col, cols, row, rows, start + f.stream - 1 + config.rows - rows, Entry::skewed_vectors});
          break;
        case ScaleSimDataflow::ws:
          demand.of[ifmap].push_back(streamed);
          demand.of[filter].push_back(loaded);
          demand.of[ofmap].push_back({col, cols, 0, f.stream, start + 2 * load - 1, Entry::skewed_vectors});
          break;
        case ScaleSimDataflow::is:
          demand.of[ifmap].push_back(loaded);
          demand.of[filter].push_back(streamed);
          demand.of[ofmap].push_back({col, cols, 0, f.stream, start + 2 * load - 1, Entry::skewed_vectors});
          break;
      }
    }
  }
  return demand;
}

FetchOrder fetch_order(OperandIndex operand, const ScaleSimConfig& config) {
  switch (config.dataflow) {
    case ScaleSimDataflow::os: return {operand == ifmap ? config.rows : config.cols, true, true};
    case ScaleSimDataflow::ws:
      return operand == ifmap ? FetchOrder{config.rows, true, false} : FetchOrder{config.cols, false, true};
    case ScaleSimDataflow::is: break;
  }
  return operand == ifmap ? FetchOrder{config.cols, false, true} : FetchOrder{config.rows, true, false};
}

/// A layer whose exact counts would take too long or too much memory is refused before any work.
void check_size(const ScaleSimLayer& layer, const ScaleSimConfig& config, const Folding& f,
                std::int64_t address_space) {
  constexpr double most_steps = 2e10;
  const double most_words = config.user_bandwidth ? 268435456.0 : 8589934592.0;
  const double lines = static_cast<double>(f.lines());
  const double runs = config.dataflow == ScaleSimDataflow::os
                          ? static_cast<double>(config.rows + config.cols) *
                                (static_cast<double>(layer.filter_h) + static_cast<double>(layer.k()) / 64)
                          : static_cast<double>(f.stream);
  const double steps = lines + static_cast<double>(f.folds()) * runs;
  const double words = config.user_bandwidth ? std::max(static_cast<double>(layer.m()) * static_cast<double>(layer.k()),
                                                        static_cast<double>(layer.n()) * static_cast<double>(layer.k()))
                                             : static_cast<double>(address_space);
  if (steps > most_steps || words > most_words) {
    throw InputError(
        {.file = layer.name, .line = 0, .column = 0, .key = {}},
        fmt::format("too large for SCALE-Sim's exact DRAM counts ({:.3g} steps, {:.3g} words; most {:.3g} and {:.3g}); "
                    "run it with --engine analytical",
                    steps, words, most_steps, most_words));
  }
}

/// Hands out the waiting of one read operand, line by line.
struct ReadSide {
  Prefetches plan;  // without events in CALC mode
  std::size_t next = 0;
  std::int64_t prefetches = 0;

  std::int64_t next_line() const { return next < plan.events.size() ? plan.events[next].line : -1; }
  /// Cycles that the array waits in `line`, which it wants to start in `cycle`; a word that is there takes one cycle.
  std::int64_t wait(std::int64_t line, std::int64_t cycle) {
    if (next_line() != line) return 0;
    prefetches += plan.events[next++].count;
    return std::max<std::int64_t>(0, plan.completion(prefetches) - (cycle + 1));
  }
};

/// Plays the lines in which something happens. Every line costs one cycle plus the longest wait of the three operands.
void play(ScaleSimResult& result, const Demand& demand, const std::array<OperandMatrix, 2>& operands,
          ReadSide (&reads)[2], const Folding& f, std::int64_t ofmap_bytes, std::int64_t ofmap_bandwidth) {
  WriteBuffer writes(ofmap_bytes, ofmap_bandwidth);
  std::array<std::int64_t, 3> first{}, last{};
  for (const OperandIndex o : {ifmap, filter}) {
    first[o] = demand.of[o].front().first_line();
    last[o] = last_line(operands[o], demand.of[o]);
  }
  first[ofmap] = demand.of[ofmap].front().first_line();
  last[ofmap] = demand.of[ofmap].back().end_line() - 1;
  const std::int64_t final_line = f.lines() - 1;
  std::vector<std::int64_t> marks{final_line};
  for (const OperandIndex o : {ifmap, filter}) {
    marks.push_back(first[o]);
    marks.push_back(last[o]);
    for (const Prefetches::Event& event : reads[o].plan.events) marks.push_back(event.line);
  }
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());

  std::int64_t stall = 0;
  const auto step = [&](std::int64_t line, std::int64_t words) {
    const std::int64_t cycle = line + stall;
    std::array<std::int64_t, 3> wait{reads[ifmap].wait(line, cycle), reads[filter].wait(line, cycle), 0};
    const std::int64_t written = writes.write(words, cycle);
    wait[ofmap] = written - cycle;
    for (const OperandIndex o : {ifmap, filter, ofmap}) {
      const std::int64_t served = cycle + wait[o] + (o == ofmap ? 0 : 1);
      if (line == first[o]) result.sram[o].start = served;
      if (line == last[o]) result.sram[o].stop = served;
    }
    if (line == final_line) result.total_cycles = written;
    stall += *std::max_element(wait.begin(), wait.end());
  };
  auto mark = marks.begin();
  for (const FoldDemand& fold : demand.of[ofmap]) {
    for (std::int64_t line = fold.first_line(); line < fold.end_line(); ++line) {
      for (; mark != marks.end() && *mark < line; ++mark) step(*mark, 0);
      if (mark != marks.end() && *mark == line) ++mark;
      step(line, words_in_line(fold, line));
    }
  }
  for (; mark != marks.end(); ++mark) step(*mark, 0);
  result.stall_cycles = stall;
  result.dram[ofmap] = writes.finish(result.total_cycles);
}

}  // namespace

double ScaleSimResult::sram_bandwidth(std::size_t operand) const {
  return total_cycles > 0 ? static_cast<double>(sram[operand].words) / static_cast<double>(total_cycles) : 0;
}

double ScaleSimResult::dram_bandwidth(std::size_t operand) const {
  const AccessSpan& span = dram[operand];
  return static_cast<double>(span.words) / static_cast<double>(span.stop - span.start + 1);
}

ScaleSimResult simulate_scalesim(const ScaleSimLayer& layer, const ScaleSimConfig& config, ScaleSimDetail detail) {
  const Folding f = fold(layer, config);
  ScaleSimResult result = array_figures(layer, config, f);
  if (detail == ScaleSimDetail::memory || config.user_bandwidth) {
    const std::array<OperandMatrix, 2> operands{ifmap_operand(layer), filter_operand(layer)};
    check_size(layer, config, f, std::max(operands[ifmap].words, operands[filter].words));
    const Demand wanted = demand(config, f);
    const std::array<std::int64_t, 3> bytes{1024 * config.ifmap_kib, 1024 * config.filter_kib, 1024 * config.ofmap_kib};
    ReadSide reads[2];
    for (const OperandIndex o : {ifmap, filter}) {
      if (config.user_bandwidth) {
        reads[o].plan = plan_prefetches(operands[o], wanted.of[o], fetch_order(o, config), bytes[o], config.bandwidth);
      } else {
        result.dram[o] = estimate_reads(operands[o], wanted.of[o], bytes[o]);
      }
    }
    play(result, wanted, operands, reads, f, bytes[ofmap], config.user_bandwidth ? config.bandwidth : config.cols);
    if (config.user_bandwidth) {
      for (const OperandIndex o : {ifmap, filter}) result.dram[o] = reads[o].plan.span(reads[o].prefetches);
    }
  }
  set_overall_util(result, layer, config);
  return result;
}

}  // namespace tilewright
