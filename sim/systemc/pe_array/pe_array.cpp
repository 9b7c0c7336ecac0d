#include "sim/systemc/pe_array/pe_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "sim/systemc/kernel/kernel.hpp"
#include "sim/systemc/pe_array/pe.hpp"

namespace tilewright {
namespace {

using sc_core::sc_signal;

constexpr std::int64_t most_pes = 65'536, most_pe_cycles = 200'000'000, most_waveform_cycles = 4'000'000;

/// The product as the array sees it: S (rows x cols of work, stationary in the array or its result) and T streamed words.
struct Folding {
  std::int64_t work_rows = 0, work_cols = 0, stream = 0;
};

Folding folding(const PeArrayRequest& request) {
  const std::int64_t m = request.a.rows, k = request.a.cols, n = request.b.cols;
  if (request.dataflow == ArrayDataflow::output_stationary) return {m, n, k};
  if (request.dataflow == ArrayDataflow::weight_stationary) return {k, n, m};
  return {k, m, n};
}

/// A fold: which block of the work the array holds. Column folds outside, row folds inside.
struct Block {
  std::int64_t row = 0, rows = 0, col = 0, cols = 0;
};

Block block_of(std::int64_t fold, const PeArrayRequest& request, const PeArrayCycles& shape) {
  const Folding work = folding(request);
  const std::int64_t row = fold % shape.row_folds * request.rows, col = fold / shape.row_folds * request.cols;
  return {row, std::min(request.rows, work.work_rows - row), col, std::min(request.cols, work.work_cols - col)};
}

/// The wires of the array: horizontal(r, c) enters PE (r, c) from the left, vertical(r, c) from above; one more at each far edge.
struct Wires {
  Wires(std::int64_t row_count, std::int64_t col_count)
      : cols(col_count),
        right("right", static_cast<std::size_t>(row_count * (col_count + 1))),
        down("down", static_cast<std::size_t>((row_count + 1) * col_count)) {}
  sc_signal<Word>& horizontal(std::int64_t r, std::int64_t c) {
    return right[static_cast<std::size_t>(r * (cols + 1) + c)];
  }
  sc_signal<Word>& vertical(std::int64_t r, std::int64_t c) { return down[static_cast<std::size_t>(r * cols + c)]; }

  std::int64_t cols;
  sc_core::sc_vector<sc_signal<Word>> right, down;
  sc_signal<bool> shift{"shift"};
};

/// Feeds the edges: in each cycle it writes what the array sees in the next one. A fold ends when the token behind the last streamed word reaches the
/// far corner; nothing here counts cycles ahead.
class Feeder : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clock{"clock"};

  Feeder(const sc_core::sc_module_name& name, const PeArrayRequest& request, const PeArrayCycles& shape, Wires& wires)
      : sc_module(name), request_(request), shape_(shape), wires_(wires) {
    SC_HAS_PROCESS(Feeder);
    SC_METHOD(cycle);
    sensitive << clock.pos();
    dont_initialize();
    begin_fold();
  }
  bool finished() const { return cycles_ > 0; }
  std::int64_t cycles() const { return cycles_; }
  std::int64_t current_cycle() const { return now_; }
  std::int64_t current_fold() const { return fold_now_; }

 private:
  bool output_stationary() const { return request_.dataflow == ArrayDataflow::output_stationary; }

  void cycle() {
    ++now_;
    fold_now_ = fold_;
    if (finished()) return;
    const bool at_corner = wires_.horizontal(request_.rows - 1, request_.cols - 1).read().last;
    if (draining_ > 0) {
      if (--draining_ == 0) return end_fold();
    } else if (at_corner) {
      if (!output_stationary() || request_.exit == ResultExit::in_place) return end_fold();
      draining_ = request_.rows;
    }
    if (draining_ > 0) {
      present_nothing();
      wires_.shift.write(true);
    } else {
      present(++line_);
    }
  }

  void end_fold() {
    if (++fold_ == shape_.folds()) {
      cycles_ = now_ + 1;
      present_nothing();
      wires_.shift.write(false);
    } else {
      begin_fold();
    }
  }

  void begin_fold() {
    block_ = block_of(fold_, request_, shape_);
    line_ = 0;
    present(0);
  }

  void present_nothing() {
    for (std::int64_t r = 0; r < request_.rows; ++r) wires_.horizontal(r, 0).write({});
    for (std::int64_t c = 0; c < request_.cols; ++c) wires_.vertical(0, c).write({});
  }

  /// Line `line` of the fold: the stationary block enters from above in reverse order, then the streams follow, one row or column later each.
  void present(std::int64_t line) {
    const std::int64_t load = output_stationary() ? 0 : request_.rows;
    for (std::int64_t r = 0; r < request_.rows; ++r) {
      const std::int64_t t = line - load - r;
      Word word;
      if (t >= 0 && t < shape_.stream) {
        word.index = static_cast<std::int32_t>(t);
        word.last = t == shape_.stream - 1;
        word.valid = r < block_.rows;
        if (word.valid) word.value = from_left(block_.row + r, t);
      }
      wires_.horizontal(r, 0).write(word);
    }
    for (std::int64_t c = 0; c < request_.cols; ++c) wires_.vertical(0, c).write(word_above(line, load, c));
    wires_.shift.write(line < load);
  }

  Word word_above(std::int64_t line, std::int64_t load, std::int64_t c) const {
    Word word;
    if (c >= block_.cols) return word;
    if (load > 0) {
      const std::int64_t row = load - 1 - line;
      word.valid = row >= 0 && row < block_.rows;
      if (word.valid) word.value = stationary(block_.row + row, block_.col + c);
    } else {
      const std::int64_t t = line - c;
      word.valid = t >= 0 && t < shape_.stream;
      if (word.valid) word.value = request_.b.at(t, block_.col + c);
    }
    return word;
  }

  double from_left(std::int64_t row, std::int64_t t) const {
    if (output_stationary()) return request_.a.at(row, t);
    return request_.dataflow == ArrayDataflow::weight_stationary ? request_.a.at(t, row) : request_.b.at(row, t);
  }
  double stationary(std::int64_t row, std::int64_t col) const {
    return request_.dataflow == ArrayDataflow::weight_stationary ? request_.b.at(row, col) : request_.a.at(col, row);
  }

  const PeArrayRequest& request_;
  const PeArrayCycles& shape_;
  Wires& wires_;
  Block block_;
  std::int64_t fold_ = 0, line_ = 0, draining_ = 0, now_ = -1, fold_now_ = 0, cycles_ = 0;
};

/// Collects the results: in place from each PE, or at the bottom edge, a cycle after they left the last row.
class Collector : public sc_core::sc_module, public ResultSink {
 public:
  sc_core::sc_in<bool> clock{"clock"};

  Collector(const sc_core::sc_module_name& name, const PeArrayRequest& request, const PeArrayCycles& shape,
            Wires& wires)
      : sc_module(name),
        request_(request),
        shape_(shape),
        wires_(wires),
        product_(request.a.rows, request.b.cols),
        taken_(static_cast<std::size_t>(request.rows * request.cols)),
        left_(static_cast<std::size_t>(request.cols)) {
    if (in_place()) return;
    SC_HAS_PROCESS(Collector);
    SC_METHOD(cycle);
    sensitive << clock.pos();
    dont_initialize();
  }
  const Matrix& product() const { return product_; }

  void take(std::int64_t row, std::int64_t col, double value) override {
    const std::int64_t fold = taken_[static_cast<std::size_t>(row * request_.cols + col)]++;
    const Block block = block_of(fold, request_, shape_);
    if (row < block.rows && col < block.cols) product_.at(block.row + row, block.col + col) += value;
  }

 private:
  bool in_place() const {
    return request_.dataflow == ArrayDataflow::output_stationary && request_.exit == ResultExit::in_place;
  }

  void cycle() {
    for (std::int64_t c = 0; c < request_.cols; ++c) {
      const Word& word = wires_.vertical(request_.rows, c).read();
      if (word.result) leave(c, word.value);
    }
  }

  /// The j-th result of a fold at the bottom of a column: row R - 1 - j of the block, or streamed word j.
  void leave(std::int64_t col, double value) {
    const std::int64_t nth = left_[static_cast<std::size_t>(col)]++;
    if (request_.dataflow == ArrayDataflow::output_stationary) {
      take(request_.rows - 1 - nth % request_.rows, col, value);
      return;
    }
    const Block block = block_of(nth / shape_.stream, request_, shape_);
    const std::int64_t t = nth % shape_.stream;
    if (col >= block.cols) return;
    const bool weights = request_.dataflow == ArrayDataflow::weight_stationary;
    product_.at(weights ? t : block.col + col, weights ? block.col + col : t) += value;
  }

  const PeArrayRequest& request_;
  const PeArrayCycles& shape_;
  Wires& wires_;
  Matrix product_;
  std::vector<std::int64_t> taken_, left_;  // results so far of each PE, of each column
};

/// Clock, wires, PEs, edges.
class Array : public sc_core::sc_module {
 public:
  Array(const sc_core::sc_module_name& name, const PeArrayRequest& request, const PeArrayCycles& shape)
      : sc_module(name),
        wires(request.rows, request.cols),
        feeder("feeder", request, shape, wires),
        collector("collector", request, shape, wires),
        request_(request) {
    feeder.clock(clock);
    collector.clock(clock);
    for (std::int64_t r = 0; r < request.rows; ++r) {
      for (std::int64_t c = 0; c < request.cols; ++c) add_pe(r, c);
    }
    if (!request.on_frame) return;
    frame_.pes.resize(pes_.size());
    SC_HAS_PROCESS(Array);
    SC_METHOD(observe);
    sensitive << clock.negedge_event();
    dont_initialize();
  }

  void trace(sc_core::sc_trace_file* file) {
    sc_core::sc_trace(file, clock, "clock");
    sc_core::sc_trace(file, wires.shift, "shift");
    for (std::int64_t r = 0; r < request_.rows; ++r) {
      for (std::int64_t c = 0; c < request_.cols; ++c) {
        const PeState& state = pes_[static_cast<std::size_t>(r * request_.cols + c)]->state();
        const std::string pe = fmt::format("pe_{}_{}", r, c);
        sc_core::sc_trace(file, state.active, pe + ".active");
        sc_core::sc_trace(file, state.sum, pe + ".sum");
        sc_trace(file, wires.horizontal(r, c).read(), pe + ".left");
        sc_trace(file, wires.vertical(r, c).read(), pe + ".top");
      }
    }
  }

  sc_core::sc_clock clock{"clock", sc_core::sc_time(1, sc_core::SC_NS), 0.5, sc_core::sc_time(1, sc_core::SC_NS)};
  Wires wires;
  Feeder feeder;
  Collector collector;
  std::exception_ptr failure;  // thrown by on_frame

 private:
  void add_pe(std::int64_t r, std::int64_t c) {
    const std::string name = fmt::format("pe_{}_{}", r, c);
    std::unique_ptr<Pe> pe;
    if (request_.dataflow == ArrayDataflow::output_stationary) {
      auto own = std::make_unique<OutputStationaryPe>(name.c_str(), r, c);
      if (request_.exit == ResultExit::in_place) own->results(collector);
      pe = std::move(own);
    } else {
      pe = std::make_unique<StationaryPe>(name.c_str());
    }
    pe->clock(clock);
    pe->shift(wires.shift);
    pe->left(wires.horizontal(r, c));
    pe->top(wires.vertical(r, c));
    pe->right(wires.horizontal(r, c + 1));
    pe->bottom(wires.vertical(r + 1, c));
    pes_.push_back(std::move(pe));
  }

  /// Between two cycles; an exception must not cross the kernel, so it waits in `failure`.
  void observe() {
    frame_.cycle = feeder.current_cycle();
    frame_.fold = feeder.current_fold();
    if (failure || (feeder.finished() && frame_.cycle >= feeder.cycles())) return;
    for (std::size_t i = 0; i < pes_.size(); ++i) frame_.pes[i] = pes_[i]->state();
    try {
      request_.on_frame(frame_);
    } catch (...) { failure = std::current_exception(); }
  }

  const PeArrayRequest& request_;
  std::vector<std::unique_ptr<Pe>> pes_;
  ArrayFrame frame_;
};

[[noreturn]] void refuse(std::string_view key, std::string_view why) {
  throw InputError({.file = "array", .line = 0, .column = 0, .key = std::string(key)}, why);
}

void check_request(const PeArrayRequest& request) {
  if (request.a.rows < 1 || request.a.cols < 1 || request.b.cols < 1) refuse("gemm", "m, n and k must be at least 1");
  if (request.a.cols != request.b.rows)
    refuse("gemm", fmt::format("the first matrix has {} columns, the second {} rows", request.a.cols, request.b.rows));
  if (request.dataflow == ArrayDataflow::row_stationary)
    refuse("dataflow", "row stationary is no systolic dataflow; choose os, ws or is");
  if (request.rows < 1 || request.cols < 1 || request.rows > most_pes || request.cols > most_pes ||
      request.rows * request.cols > most_pes)
    refuse("rows",
           fmt::format("{} x {} PEs; from 1 to {} can be simulated one by one", request.rows, request.cols, most_pes));
  const std::int64_t most = request.vcd.empty() ? most_pe_cycles : most_waveform_cycles;
  const std::int64_t work = checked_mul(pe_array_cycles(request).total(), request.rows * request.cols);
  if (work > most) {
    refuse("gemm", fmt::format("{} cycles of {} PEs: more than {} million PE cycles{}; take a smaller problem, or "
                               "`tilewright run` for its cycles",
                               pe_array_cycles(request).total(), request.rows * request.cols, most / 1'000'000,
                               request.vcd.empty() ? "" : " with a waveform"));
  }
}

/// A waveform in the making; made after the modules, gone before them. The kernel insists on a name of its own and writes the date of the run into the
/// file: keep() moves it to where it was asked for, without the date, so that the same request gives the same bytes.
class Waveform {
 public:
  Waveform(const std::string& path, Array& array) : path_(path) {
    if (path.empty()) return;
    write_file(path, "");  // says what is wrong with the path before the kernel does
    file_ = sc_core::sc_create_vcd_trace_file((path + ".part").c_str());
    array.trace(file_);
  }
  ~Waveform() { close(); }
  Waveform(const Waveform&) = delete;
  Waveform& operator=(const Waveform&) = delete;

  void keep() {
    if (file_ == nullptr) return;
    sc_core::sc_close_vcd_trace_file(file_);
    file_ = nullptr;
    std::string wave = read_file(part(), std::int64_t{8} << 30);
    const std::size_t date = wave.find("$date"), end = wave.find("$end", date);
    if (date != std::string::npos && end != std::string::npos) wave.erase(date, end + 5 - date);
    std::filesystem::remove(part());
    write_file(path_, wave);
  }

 private:
  std::string part() const { return path_ + ".part.vcd"; }
  void close() {
    if (file_ == nullptr) return;
    sc_core::sc_close_vcd_trace_file(file_);
    std::error_code ignored;
    std::filesystem::remove(part(), ignored);
  }

  std::string path_;
  sc_core::sc_trace_file* file_ = nullptr;
};

}  // namespace

PeArrayCycles pe_array_cycles(const PeArrayRequest& request) {
  const Folding work = folding(request);
  const bool in_place = request.dataflow == ArrayDataflow::output_stationary && request.exit == ResultExit::in_place;
  PeArrayCycles cycles;
  cycles.row_folds = ceil_div(work.work_rows, request.rows);
  cycles.col_folds = ceil_div(work.work_cols, request.cols);
  cycles.stream = work.stream;
  cycles.lines_each = work.stream + (in_place ? 1 : 2) * request.rows + request.cols - 2;
  return cycles;
}

PeArrayResult simulate_pe_array(const PeArrayRequest& request) {
  check_request(request);
  const PeArrayCycles shape = pe_array_cycles(request);
  PeArrayResult result;
  try {
    const SystemCContext context;
    Array array("array", request, shape);
    Waveform waveform(request.vcd, array);
    // two more: the clock's first edge is at 1 ns, and the last results reach the collector a cycle after the last MAC
    constexpr std::int64_t slice = 4096;
    for (std::int64_t left = shape.total() + 2; left > 0 && !array.failure; left -= slice)
      sc_core::sc_start(sc_core::sc_time(static_cast<double>(std::min(left, slice)), sc_core::SC_NS));
    if (array.failure) std::rethrow_exception(array.failure);
    if (!array.feeder.finished()) throw std::logic_error("the array did not finish in the cycles of its formula");
    result.product = array.collector.product();
    result.cycles = array.feeder.cycles();
    waveform.keep();
  } catch (const sc_core::sc_report& report) { throw std::runtime_error(fmt::format("SystemC: {}", report.what())); }
  result.folds = shape.folds();
  result.macs = request.a.rows * request.a.cols * request.b.cols;
  result.utilization = static_cast<double>(result.macs) /
                       (static_cast<double>(request.rows * request.cols) * static_cast<double>(result.cycles));
  return result;
}

}  // namespace tilewright
