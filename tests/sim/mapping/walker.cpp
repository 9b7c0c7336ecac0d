#include "tests/sim/mapping/walker.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

namespace tilewright {
namespace {

using Index = std::size_t;

struct NestLoop {
  int dim;
  Index level;
  bool temporal;
  std::int64_t bound, step;
};

/// One visited iteration: the digit of every loop and the index of every dim.
struct Visit {
  std::vector<std::int64_t> digits, indices;
};

struct Interval {
  std::int64_t low = 0, high = -1;  // inclusive
  std::int64_t size() const { return std::max<std::int64_t>(high - low + 1, 0); }
};
using Box = std::vector<Interval>;  // per axis

std::int64_t words(const Box& box) {
  std::int64_t product = 1;
  for (const Interval& i : box) product *= i.size();
  return product;
}

Box common(const Box& a, const Box& b) {
  Box both = a;
  for (Index i = 0; i < a.size(); ++i) both[i] = {std::max(a[i].low, b[i].low), std::min(a[i].high, b[i].high)};
  return both;
}

std::int64_t position(const Axis& axis, const std::vector<std::int64_t>& indices) {
  std::int64_t sum = 0;
  for (const Term& term : axis) sum += term.coefficient * indices[static_cast<Index>(term.dim)];
  return sum;
}

bool moves(const Operand& operand, int dim) {
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) {
      if (term.dim == dim && term.coefficient != 0) return true;
    }
  }
  return false;
}

std::vector<NestLoop> nest_of(const Problem& problem, const Mapping& mapping) {
  std::vector<NestLoop> nest;
  for (Index l = 0; l < mapping.levels.size(); ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      nest.push_back({loop.dim, l, loop.kind == LoopKind::temporal, loop.bound, 1});
    }
  }
  std::vector<std::int64_t> inside(problem.dims.size(), 1);
  for (Index i = nest.size(); i-- > 0;) {
    nest[i].step = inside[static_cast<Index>(nest[i].dim)];
    inside[static_cast<Index>(nest[i].dim)] *= nest[i].bound;
  }
  return nest;
}

/// All valid points: temporal loops in nest order, and for every moment all combinations of the spatial ones.
std::vector<Visit> visits_of(const Problem& problem, const std::vector<NestLoop>& nest) {
  std::vector<Index> order;
  for (Index i = 0; i < nest.size(); ++i)
    if (nest[i].temporal) order.push_back(i);
  for (Index i = 0; i < nest.size(); ++i)
    if (!nest[i].temporal) order.push_back(i);
  std::vector<Visit> visits;
  std::vector<std::int64_t> digits(nest.size(), 0);
  while (true) {
    std::vector<std::int64_t> indices(problem.dims.size(), 0);
    for (Index i = 0; i < nest.size(); ++i) indices[static_cast<Index>(nest[i].dim)] += digits[i] * nest[i].step;
    bool inside = true;
    for (Index d = 0; d < indices.size(); ++d) inside = inside && indices[d] < problem.dims[d].bound;
    if (inside) visits.push_back({digits, indices});
    Index i = order.size();
    while (i-- > 0) {
      if (++digits[order[i]] < nest[order[i]].bound) break;
      digits[order[i]] = 0;
      if (i == 0) return visits;
    }
    if (order.empty()) return visits;
  }
}

/// A number for the digits of some loops.
struct Code {
  std::vector<Index> loops;
  std::int64_t size = 1;
  void add(const std::vector<NestLoop>& nest, Index i) {
    loops.push_back(i);
    size *= nest[i].bound;
  }
  std::int64_t of(const std::vector<NestLoop>& nest, const Visit& visit) const {
    std::int64_t code = 0;
    for (Index i : loops) code = code * nest[i].bound + visit.digits[i];
    return code;
  }
};

/// Words of a box that are not in another, each as one number.
void append_words(const Box& box, const Box* without, std::vector<std::int64_t>& words) {
  std::vector<std::int64_t> at;
  for (const Interval& i : box) at.push_back(i.low);
  while (true) {
    bool held = without != nullptr;
    std::int64_t code = 0;
    for (Index a = 0; a < box.size(); ++a) {
      if (without != nullptr) held = held && at[a] >= (*without)[a].low && at[a] <= (*without)[a].high;
      code = code * 512 + at[a];
    }
    if (!held) words.push_back(code);
    Index a = box.size();
    while (a > 0 && ++at[a - 1] > box[a - 1].high) {
      at[a - 1] = box[a - 1].low;
      --a;
    }
    if (a == 0) return;
  }
}

std::int64_t distinct_of(std::vector<std::int64_t>& words) {
  std::sort(words.begin(), words.end());
  return std::unique(words.begin(), words.end()) - words.begin();
}

/// True if one word arrives in several messages, which a parent instance and a moment tell apart.
bool several_messages(std::vector<std::pair<std::int64_t, std::int64_t>>& word_and_message) {
  std::sort(word_and_message.begin(), word_and_message.end());
  for (Index i = 1; i < word_and_message.size(); ++i) {
    if (word_and_message[i].first == word_and_message[i - 1].first &&
        word_and_message[i].second != word_and_message[i - 1].second) {
      return true;
    }
  }
  return false;
}

bool has_windows(const Operand& operand) {
  return std::any_of(operand.axes.begin(), operand.axes.end(), [](const Axis& axis) { return axis.size() > 1; });
}

std::vector<char> flags(std::int64_t n) { return std::vector<char>(static_cast<Index>(n), 0); }

}  // namespace

bool shares_dims(const Operand& operand) {
  std::set<int> seen;
  for (const Axis& axis : operand.axes) {
    std::set<int> here;
    for (const Term& term : axis) here.insert(term.dim);
    for (int dim : here) {
      if (!seen.insert(dim).second) return true;
    }
  }
  return false;
}

AccessCounts walk_accesses(const Problem& problem, const Mapping& mapping) {
  const std::vector<NestLoop> nest = nest_of(problem, mapping);
  const std::vector<Visit> visits = visits_of(problem, nest);
  AccessCounts counts;
  counts.points = static_cast<std::int64_t>(visits.size());
  counts.temporal_steps = counts.lanes_used = 1;
  for (const NestLoop& loop : nest) (loop.temporal ? counts.temporal_steps : counts.lanes_used) *= loop.bound;
  counts.levels.assign(mapping.levels.size(), std::vector<OperandAccesses>(problem.operands.size()));

  for (Index o = 0; o < problem.operands.size(); ++o) {
    const Operand& operand = problem.operands[o];
    const bool output = operand.role == Role::output;
    const bool shared = shares_dims(operand);
    std::vector<std::int64_t> partition(mapping.levels.size(), 0);
    Index parent = 0;
    for (Index level = 0; level < mapping.levels.size(); ++level) {
      if (!mapping.levels[level].keeps[o]) continue;
      OperandAccesses& here = counts.levels[level][o];
      here.kept = true;

      Code instance, tile, group, feeder;  // feeder: the parent's instance
      Index stripped_from = 0;             // temporal loops from here to the level are stripped
      for (Index i = 0; i < nest.size() && nest[i].level < level; ++i) {
        if (nest[i].temporal && nest[i].bound > 1 && moves(operand, nest[i].dim)) stripped_from = i + 1;
      }
      for (Index i = 0; i < nest.size() && nest[i].level < level; ++i) {
        if (!nest[i].temporal) {
          instance.add(nest, i);
          if (nest[i].level < parent) feeder.add(nest, i);
          if (nest[i].level < parent || moves(operand, nest[i].dim)) group.add(nest, i);
        } else if (i < stripped_from) {
          tile.add(nest, i);
        }
      }
      const std::int64_t inner_bound = tile.loops.empty() ? 1 : nest[tile.loops.back()].bound;

      // Boxes of the visited points of every tile of every instance.
      std::vector<Box> boxes(static_cast<Index>(instance.size * tile.size));
      std::vector<std::vector<Interval>> spans(static_cast<Index>(instance.size));
      for (const Visit& visit : visits) {
        const std::int64_t who = instance.of(nest, visit);
        Box& box = boxes[static_cast<Index>(who * tile.size + tile.of(nest, visit))];
        const bool first = box.empty();
        if (first) box.resize(operand.axes.size());
        for (Index a = 0; a < operand.axes.size(); ++a) {
          const std::int64_t at = position(operand.axes[a], visit.indices);
          box[a] = first ? Interval{at, at} : Interval{std::min(box[a].low, at), std::max(box[a].high, at)};
        }
        auto& span = spans[static_cast<Index>(who)];
        const bool new_instance = span.empty();
        if (new_instance) span.resize(problem.dims.size());
        for (Index d = 0; d < problem.dims.size(); ++d) {
          const std::int64_t at = visit.indices[d];
          span[d] = new_instance ? Interval{at, at} : Interval{std::min(span[d].low, at), std::max(span[d].high, at)};
        }
      }
      for (const Box& box : boxes)
        if (!box.empty() || operand.axes.empty()) here.tile_words = std::max(here.tile_words, words(box));
      for (const auto& span : spans) here.utilized_instances += !span.empty();

      // In time order: a new tile arrives (or, for an output, will leave) whenever an instance's tile changes.
      std::int64_t moved = 0, sent = 0;
      std::vector<std::int64_t> current(static_cast<Index>(instance.size), -1);
      std::vector<char> served = flags(group.size * tile.size);
      std::map<std::int64_t, std::vector<std::int64_t>> wanted;  // per parent instance and moment: the new words
      std::vector<std::pair<std::int64_t, std::int64_t>> messages;
      for (const Visit& visit : visits) {
        const std::int64_t who = instance.of(nest, visit), now = tile.of(nest, visit);
        std::int64_t& held = current[static_cast<Index>(who)];
        if (held == now) continue;
        const Box& box = boxes[static_cast<Index>(who * tile.size + now)];
        std::int64_t fresh = words(box);
        const Box* last = nullptr;
        if (held >= 0 && now == held + 1 && now % inner_bound != 0) {
          last = &boxes[static_cast<Index>(who * tile.size + held)];
          fresh -= words(common(box, *last));
        }
        const std::int64_t message = feeder.of(nest, visit) * tile.size + now;
        if (!output && !shared && has_windows(operand)) append_words(box, last, wanted[message]);
        if (output && level > 0) {
          std::vector<std::int64_t> arriving;
          append_words(box, nullptr, arriving);
          for (const std::int64_t word : arriving) messages.emplace_back(word, message);
        }
        held = now;
        moved += fresh;
        char& done = served[static_cast<Index>(group.of(nest, visit) * tile.size + now)];
        if (!done) sent += fresh;
        done = 1;
      }

      if (output) {  // words owned per instance
        for (std::int64_t who = 0; who < instance.size; ++who) {
          const auto& span = spans[static_cast<Index>(who)];
          if (span.empty()) continue;
          std::int64_t owned = 1;
          for (Index a = 0; a < operand.axes.size(); ++a) {
            const Axis& axis = operand.axes[a];
            if (axis.size() > 1 || shared) {
              std::int64_t extent = 1;
              for (const Term& term : axis) {
                extent += std::abs(term.coefficient) * (span[static_cast<Index>(term.dim)].size() - 1);
              }
              owned *= extent;
              continue;
            }
            std::set<std::int64_t> distinct;
            for (std::int64_t t = 0; t < tile.size; ++t) {
              const Box& box = boxes[static_cast<Index>(who * tile.size + t)];
              for (std::int64_t w = box.empty() ? 1 : box[a].low; !box.empty() && w <= box[a].high; ++w)
                distinct.insert(w);
            }
            owned *= static_cast<std::int64_t>(distinct.size());
          }
          partition[level] += owned;
        }
      }
      if (level > 0) {
        OperandAccesses& outer = counts.levels[parent][o];
        if (output) {
          here.drains = moved;
          here.fills = std::max<std::int64_t>(moved - partition[level], 0);
          outer.updates = sent;
          outer.collected = moved;
          outer.partial_sums = shared || has_windows(operand) || several_messages(messages);
          outer.delivered = here.fills;
        } else {
          here.fills = moved;
          outer.reads = outer.merged_reads = sent;
          if (!wanted.empty()) outer.merged_reads = 0;
          for (auto& [message, new_words] : wanted) outer.merged_reads += distinct_of(new_words);
          outer.delivered = moved;
        }
      }
      parent = level;
    }

    Code lane;
    for (Index i = 0; i < nest.size(); ++i) {
      if (nest[i].temporal || nest[i].level < parent || moves(operand, nest[i].dim)) lane.add(nest, i);
    }
    std::vector<char> served = flags(lane.size);
    std::int64_t distinct = 0;
    for (const Visit& visit : visits) {
      char& done = served[static_cast<Index>(lane.of(nest, visit))];
      distinct += !done;
      done = 1;
    }
    OperandAccesses& inner = counts.levels[parent][o];
    inner.feeds_lanes = true;
    Code step, feeder;
    for (Index i = 0; i < nest.size(); ++i) {
      if (nest[i].temporal) step.add(nest, i);
      if (!nest[i].temporal && nest[i].level < parent) feeder.add(nest, i);
    }
    std::map<std::int64_t, std::vector<std::int64_t>> wanted;
    std::vector<std::pair<std::int64_t, std::int64_t>> messages;
    for (const Visit& visit : visits) {
      std::int64_t word = 0;
      for (const Axis& axis : operand.axes) word = word * 512 + position(axis, visit.indices);
      const std::int64_t message = feeder.of(nest, visit) * step.size + step.of(nest, visit);
      output ? static_cast<void>(messages.emplace_back(word, message)) : wanted[message].push_back(word);
    }
    if (!output) {
      inner.reads = inner.merged_reads = distinct;
      if (!shared && has_windows(operand)) {
        inner.merged_reads = 0;
        for (auto& [message, words_now] : wanted) inner.merged_reads += distinct_of(words_now);
      }
      inner.delivered = counts.points;
      continue;
    }
    inner.updates = distinct;
    inner.collected = counts.points;
    inner.partial_sums = shared || has_windows(operand) || several_messages(messages);
    for (Index level = 0; level < mapping.levels.size(); ++level) {
      OperandAccesses& here = counts.levels[level][o];
      if (here.kept) here.reads = std::max<std::int64_t>(here.updates - partition[level], 0);
    }
    inner.delivered = inner.reads;
  }
  return counts;
}

}  // namespace tilewright
