#include "tests/sim/scalesim/naive.hpp"

#include <set>

namespace tilewright::test {
namespace {

using Line = std::vector<std::int64_t>;  // what each port asks for in a cycle; -1: nothing
using Lines = std::vector<Line>;
using Matrix = std::vector<Line>;

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Addresses of the ifmap operand, M x K.
Matrix ifmap_matrix(const ScaleSimLayer& l) {
  Matrix matrix;
  for (std::int64_t y = 0; y < l.ofmap_h(); ++y) {
    for (std::int64_t x = 0; x < l.ofmap_w(); ++x) {
      Line window;
      for (std::int64_t r = 0; r < l.filter_h; ++r)
        for (std::int64_t s = 0; s < l.filter_w; ++s)
          for (std::int64_t c = 0; c < l.channels; ++c) {
            const std::int64_t row = y * l.stride_h + r, col = x * l.stride_w + s;
            window.push_back(row < l.ifmap_h && col < l.ifmap_w ? (row * l.ifmap_w + col) * l.channels + c : -1);
          }
      matrix.push_back(window);
    }
  }
  return matrix;
}

/// Addresses of the filter operand, K x N.
Matrix filter_matrix(const ScaleSimLayer& l) {
  Matrix matrix;
  for (std::int64_t k = 0; k < l.k(); ++k) {
    Line row;
    for (std::int64_t n = 0; n < l.n(); ++n) row.push_back(n * l.k() + k);
    matrix.push_back(row);
  }
  return matrix;
}

Matrix transposed(const Matrix& m) {
  Matrix result(m.front().size(), Line(m.size()));
  for (std::size_t i = 0; i < m.size(); ++i)
    for (std::size_t j = 0; j < m[i].size(); ++j) result[j][i] = m[i][j];
  return result;
}

/// Rows [row, row + rows) and columns [col, col + cols) with -1 where the matrix has none.
Matrix block(const Matrix& m, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols) {
  Matrix result(static_cast<std::size_t>(rows), Line(static_cast<std::size_t>(cols), -1));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c) {
      const auto i = static_cast<std::size_t>(row + r), j = static_cast<std::size_t>(col + c);
      if (i < m.size() && j < m[i].size()) result[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)] = m[i][j];
    }
  return result;
}

/// Appends a fold of `lines` lines: row i of `m` enters in line start + i, port p another p lines later when skewed.
void append(Lines& to, const Matrix& m, std::int64_t start, bool skewed, std::int64_t lines) {
  const std::size_t first = to.size();
  to.resize(first + static_cast<std::size_t>(lines), Line(m.front().size(), -1));
  for (std::size_t i = 0; i < m.size(); ++i)
    for (std::size_t p = 0; p < m[i].size(); ++p)
      to[first + static_cast<std::size_t>(start) + i + (skewed ? p : 0)][p] = m[i][p];
}

void append_below(Matrix& to, const Matrix& m) { to.insert(to.end(), m.begin(), m.end()); }

Line row_by_row(const Matrix& m) {
  Line order;
  for (const Line& row : m) order.insert(order.end(), row.begin(), row.end());
  return order;
}

Line by_diagonals(const Matrix& m) {
  Line order;
  const std::size_t rows = m.size(), cols = m.front().size();
  for (std::size_t d = 0; d < rows + cols; ++d)
    for (std::size_t c = 0; c < cols && c <= d; ++c)
      if (d - c < rows) order.push_back(m[d - c][c]);
  return order;
}

struct Streams {
  Lines ifmap, filter, ofmap;
  Line ifmap_order, filter_order;  // for the prefetch
};

Streams streams(const ScaleSimLayer& l, const ScaleSimConfig& g) {
  const Matrix a = ifmap_matrix(l), b = filter_matrix(l);
  const Matrix at = transposed(a), bt = transposed(b);
  const std::int64_t rows = g.rows, cols = g.cols, pixels = l.m(), window = l.k(), filters = l.n();
  Matrix results(static_cast<std::size_t>(pixels), Line(static_cast<std::size_t>(filters), 1));
  const Matrix results_t = transposed(results);
  Streams s;
  Matrix ifmap_fetch, filter_fetch;
  if (g.dataflow == ScaleSimDataflow::os) {
    const std::int64_t lines = window + rows + cols - 2;
    for (std::int64_t fc = 0; fc < up(filters, cols); ++fc)
      for (std::int64_t fr = 0; fr < up(pixels, rows); ++fr) {
        append(s.ifmap, block(at, 0, window, fr * rows, rows), 0, true, lines);
        append(s.filter, block(b, 0, window, fc * cols, cols), 0, true, lines);
        Matrix out = block(results, fr * rows, rows, fc * cols, cols);
        std::reverse(out.begin(), out.end());
        append(s.ofmap, out, window - 1, true, lines);
      }
    for (std::int64_t fr = 0; fr < up(pixels, rows); ++fr)
      append_below(ifmap_fetch, block(at, 0, window, fr * rows, rows));
    for (std::int64_t fc = 0; fc < up(filters, cols); ++fc)
      append_below(filter_fetch, block(b, 0, window, fc * cols, cols));
    s.ifmap_order = by_diagonals(ifmap_fetch);
    s.filter_order = by_diagonals(filter_fetch);
    return s;
  }
  const bool ws = g.dataflow == ScaleSimDataflow::ws;
  const std::int64_t across = ws ? filters : pixels, stream = ws ? pixels : filters,
                     lines = stream + 2 * rows + cols - 2;
  const Matrix& held = ws ? b : at;              // window x across
  const Matrix& streamed = ws ? a : bt;          // stream x window
  const Matrix& out = ws ? results : results_t;  // stream x across
  Lines& held_lines = ws ? s.filter : s.ifmap;
  Lines& streamed_lines = ws ? s.ifmap : s.filter;
  for (std::int64_t fc = 0; fc < up(across, cols); ++fc)
    for (std::int64_t fr = 0; fr < up(window, rows); ++fr) {
      Matrix load = block(held, fr * rows, rows, fc * cols, cols);
      std::reverse(load.begin(), load.end());
      append(held_lines, load, 0, false, lines);
      append(streamed_lines, block(streamed, 0, stream, fr * rows, rows), rows, true, lines);
      append(s.ofmap, block(out, 0, stream, fc * cols, cols), 2 * rows - 1, true, lines);
    }
  Matrix held_fetch, streamed_fetch;
  for (std::int64_t fc = 0; fc < up(across, cols); ++fc)
    append_below(held_fetch, block(held, 0, window, fc * cols, cols));
  for (std::int64_t fr = 0; fr < up(window, rows); ++fr)
    append_below(streamed_fetch, block(streamed, 0, stream, fr * rows, rows));
  (ws ? s.filter_order : s.ifmap_order) = row_by_row(held_fetch);
  (ws ? s.ifmap_order : s.filter_order) = by_diagonals(streamed_fetch);
  return s;
}

bool asks(const Line& line) {
  return std::any_of(line.begin(), line.end(), [](std::int64_t word) { return word >= 0; });
}

/// CALC: fill half of the buffer with misses, empty it, again.
class Filling {
 public:
  explicit Filling(std::int64_t bytes) : set_(bytes / 100) {}
  void read(const Line& line, std::int64_t cycle) {
    for (const std::int64_t word : line) {
      if (word < 0) continue;
      if (first_ < 0) first_ = cycle;
      if (!held_.insert(word).second) continue;
      ++reads_;
      if (static_cast<std::int64_t>(held_.size()) < 50 * set_) continue;
      held_.clear();
      last_ = cycle;
    }
  }
  AccessSpan span() const {
    if (last_ >= 0) return {first_ - up(50 * set_, 10), last_ + 1, reads_};
    return {-up(up(reads_, set_) * set_, 10), -1, reads_};
  }

 private:
  std::int64_t set_, first_ = -1, last_ = -1, reads_ = 0;
  std::set<std::int64_t> held_;
};

/// USER: a window on lines of the fetch order.
class Prefetching {
 public:
  Prefetching(const Line& order, std::int64_t bytes, std::int64_t bandwidth) : bandwidth_(bandwidth) {
    std::set<std::int64_t> line;
    std::int64_t words = 0;
    for (const std::int64_t word : order) {
      if (word < 0) continue;
      line.insert(word);
      if (++words < up(bytes, 100)) continue;
      lines_.push_back(line);
      line.clear();
      words = 0;
    }
    lines_.push_back(line);
    const std::int64_t most = up(bytes / 2, up(bytes, 100));
    length_ = std::min<std::int64_t>(most, count());
    step_ = std::min(most, count() - length_);
    each_ = up(bytes / 2, bandwidth);
    first_ = std::min(each_, up(static_cast<std::int64_t>(order.size()), bandwidth));
    accesses_ = first_ * bandwidth;
  }
  /// Cycle in which the line is served.
  std::int64_t read(const Line& line, std::int64_t cycle) {
    std::int64_t served = cycle + 1;
    for (const std::int64_t word : line) {
      while (word >= 0 && !hit(word)) {
        start_ = (start_ + step_) % count();
        accesses_ += each_ * bandwidth_;
        done_ += each_ + 1;
        served = std::max(served, done_);
      }
    }
    return served;
  }
  AccessSpan span() const { return {-first_, done_, accesses_}; }

 private:
  std::int64_t count() const { return static_cast<std::int64_t>(lines_.size()); }
  bool hit(std::int64_t word) const {
    for (std::int64_t i = 0; i < length_; ++i)
      if (lines_[static_cast<std::size_t>((start_ + i) % count())].contains(word)) return true;
    return false;
  }
  std::vector<std::set<std::int64_t>> lines_;
  std::int64_t bandwidth_, length_ = 0, step_ = 0, each_ = 0, first_ = 0, start_ = 0, done_ = -1, accesses_ = 0;
};

/// The write buffer, one word at a time.
class Writing {
 public:
  Writing(std::int64_t bytes, std::int64_t bandwidth) : half_(bytes / 2), bandwidth_(bandwidth), free_(bytes) {}
  std::int64_t write(const Line& line, std::int64_t cycle) {
    for (const std::int64_t word : line) {
      if (word < 0) continue;
      --free_;
      if (++open_ == bandwidth_) close();
      if (cycle < busy_until_) {
        if (free_ <= 0) cycle = busy_until_;
      } else if (free_ < half_) {
        close();
        busy_until_ = drain(cycle);
      }
    }
    return cycle;
  }
  AccessSpan finish(std::int64_t cycle) {
    close();
    while (next_ < waiting_.size()) cycle = drain(cycle) + 1;
    return span_;
  }

 private:
  void close() {
    if (open_ > 0) waiting_.push_back(open_);
    open_ = 0;
  }
  std::int64_t drain(std::int64_t cycle) {
    if (next_ == 0) span_.start = cycle;
    std::int64_t lines = 0;
    for (; lines < up(half_, bandwidth_) && next_ < waiting_.size(); ++lines) ++next_;
    const std::int64_t words = lines * bandwidth_ - (bandwidth_ - waiting_[next_ - 1]);
    free_ += words;
    span_.words += words;
    span_.stop = cycle + lines - 1;
    return span_.stop;
  }
  std::int64_t half_, bandwidth_, free_, open_ = 0, busy_until_ = 0;
  std::vector<std::int64_t> waiting_;
  std::size_t next_ = 0;
  AccessSpan span_;
};

}  // namespace

ScaleSimResult naive_scalesim(const ScaleSimLayer& layer, const ScaleSimConfig& config) {
  const Streams s = streams(layer, config);
  ScaleSimResult result;
  Filling filling[2]{Filling(1024 * config.ifmap_kib), Filling(1024 * config.filter_kib)};
  Prefetching prefetching[2]{Prefetching(s.ifmap_order, 1024 * config.ifmap_kib, config.bandwidth),
                             Prefetching(s.filter_order, 1024 * config.filter_kib, config.bandwidth)};
  Writing writing(1024 * config.ofmap_kib, config.user_bandwidth ? config.bandwidth : config.cols);
  const Lines* wanted[3]{&s.ifmap, &s.filter, &s.ofmap};
  bool seen[3]{};
  for (std::size_t i = 0; i < s.ofmap.size(); ++i) {
    const std::int64_t cycle = static_cast<std::int64_t>(i) + result.stall_cycles;
    std::int64_t served[3]{};
    for (std::size_t o = 0; o < 2; ++o) {
      const Line& line = (*wanted[o])[i];
      filling[o].read(line, cycle);
      served[o] = config.user_bandwidth ? prefetching[o].read(line, cycle) : cycle + 1;
    }
    served[2] = writing.write(s.ofmap[i], cycle);
    for (std::size_t o = 0; o < 3; ++o) {
      if (!asks((*wanted[o])[i])) continue;
      if (!seen[o]) result.sram[o].start = served[o];
      seen[o] = true;
      result.sram[o].stop = served[o];
    }
    result.total_cycles = served[2];
    result.stall_cycles += std::max({served[0] - cycle - 1, served[1] - cycle - 1, served[2] - cycle});
  }
  for (std::size_t o = 0; o < 2; ++o)
    result.dram[o] = config.user_bandwidth ? prefetching[o].span() : filling[o].span();
  result.dram[2] = writing.finish(result.total_cycles);
  return result;
}

}  // namespace tilewright::test
