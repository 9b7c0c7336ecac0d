#include "sim/mapping/tile_schedule.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "tests/sim/mapping/random_nest.hpp"

namespace tilewright {
namespace {

/// Adds the words of a step, field by field.
void add(AccessCounts& sum, const AccessCounts& step) {
  sum.points += step.points;
  for (std::size_t l = 0; l < sum.levels.size(); ++l) {
    for (std::size_t o = 0; o < sum.levels[l].size(); ++o) {
      const OperandAccesses& from = step.levels[l][o];
      OperandAccesses& to = sum.levels[l][o];
      to.reads += from.reads;
      to.fills += from.fills;
      to.updates += from.updates;
      to.drains += from.drains;
      to.delivered += from.delivered;
      REQUIRE(std::min({from.reads, from.fills, from.updates, from.drains, from.delivered}) >= 0);
    }
  }
}

void require_equal(const AccessCounts& sum, const AccessCounts& counts) {
  REQUIRE(sum.points == counts.points);
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    for (std::size_t o = 0; o < counts.levels[l].size(); ++o) {
      INFO("level " << l << " operand " << o);
      const OperandAccesses &a = sum.levels[l][o], &b = counts.levels[l][o];
      REQUIRE(a.reads == b.reads);
      REQUIRE(a.fills == b.fills);
      REQUIRE(a.updates == b.updates);
      REQUIRE(a.drains == b.drains);
      REQUIRE(a.delivered == b.delivered);
    }
  }
}

AccessCounts sum_of_steps(TileSchedule& schedule) {
  AccessCounts sum = schedule.moved();
  std::int64_t steps = 1;
  for (; schedule.advance(); ++steps) add(sum, schedule.moved());
  REQUIRE(steps == schedule.steps());
  return sum;
}

}  // namespace

TEST_CASE("the steps of a schedule add up to the access counts in every field, for any nest and any granularity") {
  std::mt19937_64 random(20260101);
  for (int i = 0; i < 6000; ++i) {
    const Problem problem = random_problem(random, 9);
    const Mapping mapping = random_mapping(random, problem);
    const AccessCounts counts = count_accesses(problem, mapping);
    for (const std::int64_t most : {1, 3, 10, 1000}) {
      TileSchedule schedule(problem, mapping, most);
      INFO("nest " << i << " in at most " << most << " steps");
      REQUIRE(schedule.steps() <= most);
      require_equal(sum_of_steps(schedule), counts);
      require_equal(sum_of_steps(schedule), counts);  // and again from the start
    }
  }
}

TEST_CASE("the schedules of all cores add up to the access counts, and those of one class are alike") {
  std::mt19937_64 random(20260102);
  int several = 0;
  for (int i = 0; i < 3000; ++i) {
    const Problem problem = random_problem(random, 9);
    const Mapping mapping = random_mapping(random, problem);
    if (TileSchedule::results_overlap(problem)) continue;
    std::vector<std::int64_t> bounds;  // of the spatial loops that tell cores apart: some of the outermost ones
    for (const LevelMapping& level : mapping.levels) {
      for (const Loop& loop : level.loops) {
        if (loop.kind != LoopKind::temporal && loop.bound > 1) bounds.push_back(loop.bound);
      }
    }
    bounds.resize(random() % (bounds.size() + 1));
    std::int64_t cores = 1;
    for (const std::int64_t bound : bounds) cores *= bound;
    const std::size_t level = random() % mapping.levels.size();
    const std::int64_t most = 1 + static_cast<std::int64_t>(random() % 20);
    AccessCounts sum = count_accesses(problem, mapping);
    const AccessCounts counts = sum;
    for (auto& operands : sum.levels) operands.assign(operands.size(), {});
    sum.points = 0;
    std::map<std::uint64_t, AccessCounts> classes;
    for (std::int64_t core = 0; core < cores; ++core) {
      CorePlace place{level, std::vector<std::int64_t>(bounds.size())};
      std::int64_t rest = core;
      for (std::size_t b = bounds.size(); b-- > 0; rest /= bounds[b]) place.place[b] = rest % bounds[b];
      TileSchedule schedule(problem, mapping, most, place);
      REQUIRE(schedule.steps() == TileSchedule(problem, mapping, most, {level, {}}).steps());
      const AccessCounts own = sum_of_steps(schedule);
      const auto [known, fresh] = classes.try_emplace(schedule.place_class(place.place), own);
      if (!fresh) require_equal(own, known->second);
      add(sum, own);
    }
    INFO("nest " << i << " on " << cores << " cores");
    require_equal(sum, counts);
    several += cores > 1 ? 1 : 0;
  }
  CHECK(several > 300);
}

TEST_CASE("a stationary operand moves in the first step of its use alone") {
  // M 4 in time outside, N 3 in time: the inputs (M, K) move once per M, the weights (K, N) with every step.
  Problem problem;
  problem.dims = {{"M", 4}, {"N", 3}, {"K", 2}};
  Operand a, b, z;
  a.name = "inputs", a.axes = {{{0, 1}}, {{2, 1}}};
  b.name = "weights", b.role = Role::weight, b.axes = {{{2, 1}}, {{1, 1}}};
  z.name = "outputs", z.role = Role::output, z.axes = {{{0, 1}}, {{1, 1}}};
  problem.operands = {a, b, z};
  const Mapping mapping{{{{{0, 4, LoopKind::temporal}, {1, 3, LoopKind::temporal}}, {true, true, true}},
                         {{{2, 2, LoopKind::temporal}}, {true, true, true}}}};
  TileSchedule schedule(problem, mapping, 100);
  REQUIRE(schedule.steps() == 12);
  REQUIRE_FALSE(schedule.aggregated());
  for (int step = 0; step < 12; ++step) {
    CHECK(schedule.moved().levels[0][0].reads == (step % 3 == 0 ? 2 : 0));
    CHECK(schedule.moved().levels[0][1].reads == 2);
    CHECK(schedule.moved().levels[0][2].updates == 1);
    schedule.advance();
  }
}

TEST_CASE("a partial sum that comes back is read again from its second visit on") {
  // K 2 outside N 3: each of the 3 results leaves twice and comes back once.
  Problem problem;
  problem.dims = {{"M", 1}, {"N", 3}, {"K", 2}};
  Operand a, z;
  a.name = "inputs", a.axes = {{{2, 1}}};
  z.name = "outputs", z.role = Role::output, z.axes = {{{1, 1}}};
  problem.operands = {a, z};
  const Mapping mapping{{{{{2, 2, LoopKind::temporal}, {1, 3, LoopKind::temporal}}, {true, true}}, {{}, {true, true}}}};
  TileSchedule schedule(problem, mapping, 100);
  for (int step = 0; step < 6; ++step) {
    CHECK(schedule.moved().levels[0][1].updates == 1);
    CHECK(schedule.moved().levels[1][1].fills == (step < 3 ? 0 : 1));
    schedule.advance();
  }
}

TEST_CASE("billions of iterations are summed into as many steps as asked, none lost") {
  Problem problem;
  problem.dims = {{"M", 1'000'003}, {"N", 4096}, {"K", 512}};
  Operand a, b, z;
  a.name = "inputs", a.axes = {{{0, 1}}, {{2, 1}}};
  b.name = "weights", b.role = Role::weight, b.axes = {{{2, 1}}, {{1, 1}}};
  z.name = "outputs", z.role = Role::output, z.axes = {{{0, 1}}, {{1, 1}}};
  problem.operands = {a, b, z};
  const Mapping mapping{{{{{0, 1'000'003, LoopKind::temporal}, {1, 4096, LoopKind::temporal}}, {true, true, true}},
                         {{{2, 512, LoopKind::temporal}}, {true, true, true}}}};
  TileSchedule schedule(problem, mapping, 5000);
  CHECK(schedule.aggregated());
  CHECK(schedule.steps() <= 5000);
  require_equal(sum_of_steps(schedule), count_accesses(problem, mapping));
}

}  // namespace tilewright
