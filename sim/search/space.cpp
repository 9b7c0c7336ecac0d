#include "sim/search/space.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/checked.hpp"
#include "sim/search/divisors.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_frames = 60'000;
constexpr std::size_t most_permuted = 5;  // groups of one level whose orders are all listed

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

TiledOperand tiled(const Problem& problem, const Operand& operand, const std::vector<int>& dims) {
  TiledOperand t;
  t.output = operand.role == Role::output;
  t.on_chip = operand.on_chip;
  t.bits = bits(operand.type);
  t.words = 1;
  for (const Axis& axis : operand.axes) {
    Axis kept;
    const auto names = std::count_if(axis.begin(), axis.end(), [](const Term& term) { return term.coefficient != 0; });
    t.overlapping = t.overlapping || names > 1;
    for (const Term& term : axis) {
      const auto at = std::find(dims.begin(), dims.end(), term.dim);
      if (term.coefficient == 0 || problem.dims[static_cast<std::size_t>(term.dim)].bound == 1) continue;
      if (at == dims.end()) {
        t.diagonal = true;  // a dim that is not tiled: no exact figures, the bound falls back to one tile
        continue;
      }
      const auto d = static_cast<std::size_t>(at - dims.begin());
      if (has(t.moved_by, d)) t.diagonal = true;
      t.moved_by |= DimSet{1} << d;
      kept.push_back({static_cast<int>(d), term.coefficient < 0 ? -term.coefficient : term.coefficient});
      t.words *= static_cast<double>(problem.dims[static_cast<std::size_t>(term.dim)].bound);
    }
    if (kept.size() > 1) {
      for (const Term& term : kept) t.window |= DimSet{1} << term.dim;
    }
    t.simple = t.simple && kept.size() <= 1 && (kept.empty() || kept[0].coefficient == 1);
    if (kept.empty()) continue;
    t.axes.push_back(std::move(kept));
    t.shared.push_back(names > 1);
  }
  t.simple = t.simple && !t.diagonal && !(t.output && t.overlapping);
  return t;
}

void find_passes(Space& space) {
  const int passes = passes_dim(space.problem()), columns = space.problem().dim("C");
  for (std::size_t d = 0; d < space.dims.size() && passes >= 0 && columns >= 0; ++d) {
    if (space.dims[d] == passes) space.passes = DimSet{1} << d;
    if (space.dims[d] == columns) space.columns = DimSet{1} << d;
  }
}

void group_dims_of(Space& space) {
  std::map<std::pair<DimSet, bool>, DimSet> by_still;  // columns stand apart where passes must stay outside of them
  for (std::size_t d = 0; d < space.dims.size(); ++d) {
    DimSet still = 0;
    for (std::size_t o = 0; o < space.operands.size(); ++o) {
      if (!has(space.operands[o].moved_by, d)) still |= DimSet{1} << o;
    }
    if (std::popcount(still) > 1) space.one_still = false;
    by_still[{still, space.passes != 0 && has(space.columns, d)}] |= DimSet{1} << d;
  }
  for (const auto& [still, dims] : by_still) {
    space.still.push_back(still.first);
    space.groups.push_back(dims);
  }
}

/// True if every effect of `a` is at least as good as that of `b`: longer runs, and the same group to close a windowed operand's.
bool dominates(const Space& space, const OrderClass& a, const OrderClass& b) {
  for (std::size_t o = 0; o < space.operands.size(); ++o) {
    const OrderClass::Effect &x = a.effects[o], &y = b.effects[o];
    if ((x.stripped & y.stripped) != y.stripped) return false;
    if (y.closed_by < 0 && x.closed_by >= 0) return false;
    if (space.operands[o].window != 0 && x.closed_by != y.closed_by) return false;
  }
  return true;
}

std::vector<OrderClass> order_classes(const Space& space, std::uint32_t present) {
  std::vector<int> groups;
  for (std::size_t g = 0; g < space.groups.size(); ++g) {
    if (has(present, g)) groups.push_back(static_cast<int>(g));
  }
  const auto group_of = [&](DimSet dims) {
    for (const int g : groups) {
      if ((space.groups[static_cast<std::size_t>(g)] & dims) != 0) return g;
    }
    return -1;
  };
  const int passes = group_of(space.passes), columns = group_of(space.columns);
  std::vector<OrderClass> classes;
  const auto consider = [&](const std::vector<int>& order) {
    if (space.passes != 0 && passes >= 0 && columns >= 0 &&
        std::find(order.begin(), order.end(), passes) > std::find(order.begin(), order.end(), columns))
      return;
    OrderClass made{order, std::vector<OrderClass::Effect>(space.operands.size())};
    for (std::size_t o = 0; o < space.operands.size(); ++o) {
      OrderClass::Effect& effect = made.effects[o];
      for (auto g = order.rbegin(); g != order.rend() && effect.closed_by < 0; ++g) {
        if (has(space.still[static_cast<std::size_t>(*g)], o)) {
          effect.stripped |= DimSet{1} << *g;
        } else {
          effect.closed_by = *g;
        }
      }
    }
    for (const OrderClass& other : classes) {
      if (dominates(space, other, made)) return;
    }
    std::erase_if(classes, [&](const OrderClass& other) { return dominates(space, made, other); });
    classes.push_back(std::move(made));
  };
  // The innermost groups decide: with many groups all pairs of them are tried, the others keep their order.
  const auto permuted = static_cast<std::ptrdiff_t>(std::min(groups.size(), most_permuted));
  if (groups.size() <= most_permuted) {
    do consider(groups);
    while (std::next_permutation(groups.begin(), groups.begin() + permuted));
  } else {
    for (std::size_t a = 0; a < groups.size(); ++a) {
      for (std::size_t b = 0; b < groups.size(); ++b) {
        if (a == b) continue;
        std::vector<int> order;
        for (std::size_t g = 0; g < groups.size(); ++g) {
          if (g != a && g != b) order.push_back(groups[g]);
        }
        order.push_back(groups[b]);
        order.push_back(groups[a]);
        consider(order);
      }
    }
  }
  return classes;
}

bool allowed(const std::vector<std::vector<int>>& rules, std::size_t level, int dim) {
  return level < rules.size() && std::find(rules[level].begin(), rules[level].end(), dim) != rules[level].end();
}

/// Lists the frames: level by level from the inside, dim by dim.
class FrameLister {
 public:
  FrameLister(Space& space, bool perfect, std::size_t most, double most_steps)
      : space_(space), perfect_(perfect), most_(most), most_steps_(most_steps) {
    double room = 1;
    rooms_.assign(space.spatial_levels.size() + 1, 1);
    for (std::size_t place = space.spatial_levels.size(); place-- > 0;) {
      const BufferLevel& above = space.chip().levels[space.spatial_levels[place]];
      rooms_[place] = room *= static_cast<double>(above.fanout_x) * static_cast<double>(above.fanout_y);
    }
  }

  /// False when there are too many.
  bool list(bool thinned) {
    thinned_ = thinned;
    choices_.clear();
    reached_.resize(space_.spatial_levels.size() * space_.dims.size());
    space_.factors.assign(space_.spatial_levels.size() * space_.dims.size(), 1);
    space_.plain = {};
    space_.frames.clear();
    const int entries = static_cast<int>(space_.rules.menu.size());
    for (int menu = entries > 0 ? 0 : -1; menu < entries; ++menu) {
      menu_ = menu;
      now_.assign(space_.spatial_levels.size() * space_.dims.size(), 1);
      for (std::size_t d = 0; d < space_.dims.size(); ++d) { left_[d] = menu < 0 ? space_.bounds[d] : entry(d); }
      if (!next_level(0, menu >= 0)) return false;
    }
    return true;
  }

 private:
  std::int64_t entry(std::size_t d) const {
    return space_.rules.menu[static_cast<std::size_t>(menu_)][static_cast<std::size_t>(space_.dims[d])];
  }

  bool next_level(std::size_t place, bool in_menu) {
    if (in_menu && (place == space_.spatial_levels.size() ||
                    static_cast<int>(space_.spatial_levels[place]) < space_.rules.menu_level)) {
      const Extents saved = left_;
      for (std::size_t d = 0; d < space_.dims.size(); ++d) left_[d] = ceil_div(space_.bounds[d], entry(d));
      const bool more = next_level(place, false);
      left_ = saved;
      return more;
    }
    if (place == space_.spatial_levels.size()) {
      if (!perfect_ && divide()) return true;
      if (space_.frames.size() >= most_) return false;
      space_.frames.push_back({space_.factors.size(), menu_});
      space_.factors.insert(space_.factors.end(), now_.begin(), now_.end());
      return true;
    }
    return next_dim(place, 0, 1, {1}, in_menu);
  }

  /// True if even with all the room that is left the steps are too many.
  bool too_slow(double room) const {
    if (menu_ >= 0 || std::isinf(most_steps_)) return false;
    double steps = 1;
    for (std::size_t d = 0; d < space_.dims.size(); ++d) steps *= static_cast<double>(left_[d]);
    return steps > most_steps_ * room;
  }

  /// True if all factors divide: a frame of the perfect space.
  bool divide() const {
    for (std::size_t d = 0; d < space_.dims.size(); ++d) {
      std::int64_t left = menu_ < 0 ? space_.bounds[d] : entry(d);
      bool in_menu = menu_ >= 0;
      for (std::size_t place = 0; place < space_.spatial_levels.size(); ++place) {
        if (in_menu && static_cast<int>(space_.spatial_levels[place]) < space_.rules.menu_level) {
          in_menu = false;
          left = ceil_div(space_.bounds[d], entry(d));
        }
        const std::int64_t factor = now_[place * space_.dims.size() + d];
        if (left % factor != 0) return false;
        left /= factor;
      }
    }
    return true;
  }

  /// `taken`: product of the factors so far; `along_x`: what of it may lie along x.
  bool next_dim(std::size_t place, std::size_t d, std::int64_t taken, const std::vector<std::int64_t>& along_x,
                bool in_menu) {
    if (too_slow(rooms_[place] / static_cast<double>(taken))) return true;
    if (d == space_.dims.size()) return next_level(place + 1, in_menu);
    const std::size_t level = space_.spatial_levels[place];
    const BufferLevel& above = space_.chip().levels[level];
    const bool x = allowed(space_.rules.x_dims, level, space_.dims[d]);
    const bool y = allowed(space_.rules.y_dims, level, space_.dims[d]);
    if ((!x && !y) || left_[d] == 1) return next_dim(place, d + 1, taken, along_x, in_menu);
    const std::int64_t before = left_[d];
    std::vector<std::int64_t>& reached = reached_[place * space_.dims.size() + d];
    for (const std::int64_t factor : choices(before, x ? above.fanout_x : 1, y ? above.fanout_y : 1, in_menu)) {
      reached.clear();
      for (const std::int64_t used : along_x) {
        for (const std::int64_t part : divisors_of(factor)) {
          if ((part > 1 && !x) || (part < factor && !y)) continue;
          const std::int64_t both = taken * factor, ways = used * part;
          if (ways <= above.fanout_x && both / ways <= above.fanout_y &&
              std::find(reached.begin(), reached.end(), ways) == reached.end())
            reached.push_back(ways);
        }
      }
      if (reached.empty()) continue;
      now_[place * space_.dims.size() + d] = static_cast<std::int32_t>(factor);
      left_[d] = ceil_div(before, factor);
      const bool more = next_dim(place, d + 1, taken * factor, reached, in_menu);
      left_[d] = before;
      now_[place * space_.dims.size() + d] = 1;
      if (!more) return false;
    }
    return true;
  }

  const std::vector<std::int64_t>& divisors_of(std::int64_t n) {
    std::vector<std::int64_t>& found = divisors_[n];
    if (found.empty()) found = divisors(n);
    return found;
  }

  const std::vector<std::int64_t>& choices(std::int64_t n, std::int64_t x_room, std::int64_t y_room, bool in_menu) {
    const bool perfect = perfect_ || in_menu;
    std::vector<std::int64_t>& found = choices_[{n, x_room, y_room, perfect}];
    if (!found.empty()) return found;
    for (const std::int64_t first : unrolling_choices(n, x_room, perfect)) {
      for (const std::int64_t second : unrolling_choices(ceil_div(n, first), y_room, perfect)) {
        found.push_back(first * second);
      }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    if (thinned_ && found.size() > 3) {  // nothing, half of the most, the most
      const std::int64_t most = found.back();
      const auto half = std::lower_bound(found.begin(), found.end(), ceil_div(most, 2));
      found = {1, *half, most};
      found.erase(std::unique(found.begin(), found.end()), found.end());
    }
    return found;
  }

  Space& space_;
  bool perfect_, thinned_ = false;
  std::size_t most_;
  double most_steps_;
  std::vector<double> rooms_;  // lanes that the level at a place and those outside it may unroll over
  int menu_ = -1;
  Extents left_{};
  std::vector<std::int32_t> now_;
  std::vector<std::vector<std::int64_t>> reached_;  // [place][dim]: factors that may lie along x
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> divisors_;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>, std::vector<std::int64_t>> choices_;
};

}  // namespace

int passes_dim(const Problem& problem) {
  if (problem.compute != Compute::vector) return -1;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) {
    const bool still = std::none_of(problem.operands.begin(), problem.operands.end(),
                                    [d](const Operand& operand) { return relevant(operand, d); });
    if (still && problem.dims[static_cast<std::size_t>(d)].bound > 1) return d;
  }
  return -1;
}

std::vector<std::int64_t> unrolling_choices(std::int64_t n, std::int64_t room, bool perfect) {
  std::vector<std::int64_t> found;
  const std::int64_t most = std::min(n, room);
  for (std::int64_t s = 1; s <= most; ++s) {
    const bool smallest = ceil_div(n, s) < (s == 1 ? n + 1 : ceil_div(n, s - 1));
    if (n % s == 0 || (!perfect && smallest)) found.push_back(s);
  }
  return found;
}

bool split_axes(const Space& space, std::size_t level, const std::int32_t* factors, Extents& x, Extents& y) {
  const BufferLevel& above = space.chip().levels[level];
  const auto place = [&](const auto& self, std::size_t d, std::int64_t x_used, std::int64_t y_used) -> bool {
    if (d == space.dims.size()) return true;
    const bool along_x = allowed(space.rules.x_dims, level, space.dims[d]);
    const bool along_y = allowed(space.rules.y_dims, level, space.dims[d]);
    const std::vector<std::int64_t> parts = divisors(factors[d]);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      x[d] = *part;
      y[d] = factors[d] / *part;
      if ((x[d] > 1 && !along_x) || (y[d] > 1 && !along_y)) continue;
      if (x_used * x[d] > above.fanout_x || y_used * y[d] > above.fanout_y) continue;
      if (self(self, d + 1, x_used * x[d], y_used * y[d])) return true;
    }
    return false;
  };
  return place(place, 0, 1, 1);
}

Space make_space(const CostModel& model, MapRules rules, Factors factors, std::int64_t effort, double most_steps) {
  Space space;
  space.model = &model;
  space.rules = std::move(rules);
  space.levels = model.chip->levels.size();
  const Problem& problem = *model.problem;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].bound > 1) space.dims.push_back(static_cast<int>(d));
  }
  if (space.dims.size() > most_dims) {
    std::stable_sort(space.dims.begin(), space.dims.end(), [&](int a, int b) {
      return problem.dims[static_cast<std::size_t>(a)].bound > problem.dims[static_cast<std::size_t>(b)].bound;
    });
    space.dims.resize(most_dims);
    std::sort(space.dims.begin(), space.dims.end());
  }
  space.bounds.fill(1);
  for (std::size_t d = 0; d < space.dims.size(); ++d) {
    space.bounds[d] = problem.dims[static_cast<std::size_t>(space.dims[d])].bound;
  }
  for (const Operand& operand : problem.operands) space.operands.push_back(tiled(problem, operand, space.dims));
  find_passes(space);
  group_dims_of(space);
  for (std::uint32_t present = 0; present < std::uint32_t{1} << space.groups.size(); ++present) {
    space.orders.push_back(order_classes(space, present));
  }
  for (std::size_t l = space.levels; l-- > 0;) {
    const BufferLevel& level = model.chip->levels[l];
    const bool x = level.fanout_x > 1 && l < space.rules.x_dims.size() && !space.rules.x_dims[l].empty();
    const bool y = level.fanout_y > 1 && l < space.rules.y_dims.size() && !space.rules.y_dims[l].empty();
    if (x || y) space.spatial_levels.push_back(l);
  }
  space.only_perfect = factors == Factors::perfect;
  constexpr std::int64_t work_a_frame = 2, large_effort = 16000;
  const auto most = static_cast<std::size_t>(std::clamp<std::int64_t>(effort / work_a_frame, 1, most_frames));
  FrameLister lister(space, factors == Factors::perfect, most, most_steps);
  if (!lister.list(false)) {
    space.all_frames = false;
    if (effort >= large_effort) {
      lister.list(true);
    } else {
      space.frames.clear();
    }
  }
  return space;
}

}  // namespace tilewright
