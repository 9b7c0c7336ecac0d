// What must hold of any optimum: more of a chip never hurts, and figures scale with their causes.
#include <catch2/catch.hpp>

#include <cmath>
#include <utility>

#include "arch_models/load.hpp"
#include "sim/search/search.hpp"
#include "tests/sim/search/small_problems.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

constexpr std::int64_t full_proof = 1'500'000;  // work that proves every small case

constexpr std::array objectives{Objective::latency, Objective::energy, Objective::edp};

double best_score(const SmallCase& c, Objective objective) {
  SearchOptions options;
  options.objective = objective;
  options.factors = Factors::perfect;
  options.budget = full_proof;
  const auto found = find_best(c.problem, c.chip, c.rules, options);
  return found ? score(found->best, c.chip, objective) : std::numeric_limits<double>::infinity();
}

/// Checks 200 random cases before and after a change of the chip.
void never_worse(unsigned seed, const std::function<void(SmallCase&, Random&)>& change) {
  Random random(seed);
  for (int i = 0; i < 200; ++i) {
    const SmallCase before = small_case(random, 3 + random() % 2, 512);
    SmallCase after = before;
    change(after, random);
    for (const Objective objective : objectives) {
      INFO("case " << i << ", objective " << static_cast<int>(objective));
      REQUIRE(best_score(after, objective) <= best_score(before, objective) * (1 + 1e-9));
    }
  }
}

}  // namespace

TEST_CASE("more capacity never makes the optimum worse") {
  never_worse(11, [](SmallCase& c, Random& random) {
    BufferLevel& level = c.chip.levels[1 + random() % (c.chip.levels.size() - 1)];
    level.capacity = Bytes{2 * level.capacity->value};
  });
}

TEST_CASE("more bandwidth never makes the optimum worse") {
  never_worse(12, [](SmallCase& c, Random& random) {
    BufferLevel& level = c.chip.levels[random() % c.chip.levels.size()];
    level.bandwidth = 2.0 * level.bandwidth;
  });
}

TEST_CASE("more room to unroll never makes the optimum worse") {
  never_worse(13, [](SmallCase& c, Random& random) {
    const std::size_t l = random() % c.chip.levels.size();
    c.chip.levels[l].fanout_x *= 2;
    c.chip.static_power = {};  // the array's own size, and so its skew and its leakage, stay as they are
  });
}

TEST_CASE("scaling all energies scales the least energy") {
  Random random(14);
  for (int i = 0; i < 200; ++i) {
    const SmallCase before = small_case(random, 3, 512);
    SmallCase after = before;
    for (BufferLevel& level : after.chip.levels) {
      level.read_energy = 8.0 * level.read_energy;
      level.write_energy = 8.0 * level.write_energy;
      level.transfer_energy_per_bit = 8.0 * level.transfer_energy_per_bit;
      level.leakage = 8.0 * level.leakage;
    }
    for (auto& [type, arithmetic] : after.chip.arithmetic) arithmetic.energy_per_mac = 8.0 * arithmetic.energy_per_mac;
    after.chip.vector.energy_per_op = 8.0 * after.chip.vector.energy_per_op;
    after.chip.static_power = 8.0 * after.chip.static_power;
    const double least = best_score(before, Objective::energy), scaled = best_score(after, Objective::energy);
    if (std::isinf(least)) continue;  // nothing fits
    REQUIRE(scaled == Approx(8 * least).epsilon(1e-9));
  }
}

TEST_CASE("a slack of latency buys energy within it, more slack never costs energy, and no slack changes nothing") {
  Random random(18);
  int cheaper = 0;
  for (int i = 0; i < 150; ++i) {
    const SmallCase c = small_case(random, 3, 512);
    SearchOptions options;
    options.factors = Factors::perfect;
    options.budget = full_proof;
    const auto exact = find_best(c.problem, c.chip, c.rules, options);
    if (!exact) continue;
    REQUIRE(exact->gap == 0);
    CHECK_FALSE(exact->slack);
    Joules least = exact->best.energy.total();
    for (const double slack : {0.01, 1.0, 20.0, 100.0, 1e6}) {
      options.latency_slack = slack;
      const auto found = find_best(c.problem, c.chip, c.rules, options);
      INFO("case " << i << ", slack " << slack);
      REQUIRE(found);
      REQUIRE(found->slack);
      CHECK(found->slack->fastest.mapping == exact->best.mapping);
      CHECK(unproven(*found) == 0);
      CHECK(found->slack->energy_bound == found->best.energy.total().value);
      CHECK(found->best.cycles <= (1 + slack / 100) * exact->best.cycles);
      CHECK(found->best.energy.total() <= least);
      cheaper += found->best.energy.total() < least;
      least = found->best.energy.total();
    }
    options.latency_slack = 0;
    options.objective = Objective::energy;
    const auto frugal = find_best(c.problem, c.chip, c.rules, options);
    CHECK(least.value == Approx(frugal->best.energy.total().value).epsilon(1e-9));
  }
  CHECK(cheaper > 20);
}

TEST_CASE("an offered mapping is taken where it is better, never where it is worse or does not fit") {
  Random random(19);
  int taken = 0;
  for (int i = 0; i < 60; ++i) {
    const SmallCase c = small_case(random, 3, 512);
    SearchOptions options;
    options.factors = Factors::perfect;
    options.budget = full_proof;
    const auto best = find_best(c.problem, c.chip, c.rules, options);
    if (!best) continue;
    const Mapping trivial = trivial_mapping(c.problem, c.chip, c.rules.keeps);
    SearchResult worse = *best;
    worse.best = evaluate(c.problem, trivial, c.chip);
    worse.runners_up.clear();
    const double before = score(worse.best, c.chip, Objective::latency);
    offer(worse, c.problem, c.chip, options, best->best.mapping);
    CHECK(worse.best.cycles == best->best.cycles);
    CHECK(worse.gap == 0);
    if (score(best->best, c.chip, Objective::latency) < before) {
      ++taken;
      CHECK(worse.runners_up.front().mapping == trivial);
      SearchResult same = *best;
      offer(same, c.problem, c.chip, options, trivial);
      CHECK(same.best.mapping == best->best.mapping);
      SmallCase cramped = c;  // no store holds a word
      for (std::size_t l = 1; l < cramped.chip.levels.size(); ++l) cramped.chip.levels[l].capacity = Bytes{0};
      SearchResult slow = *best;
      slow.best = evaluate(c.problem, trivial, c.chip);
      offer(slow, c.problem, cramped.chip, options, best->best.mapping);
      CHECK(slow.best.mapping == trivial);
    }
  }
  CHECK(taken > 10);
}

TEST_CASE("a family that walks the loop nest takes a cycle a step at its lanes' rate at least") {
  // The search's bound on the array's time rests on it. GPU kernels come from a menu and are bounded by it.
  Random random(15);
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    for (int i = 0; i < 40; ++i) {
      const auto any = [&] { return pick(random, {1, 2, 3, 7, 16, 64}); };
      const Problem problem = gemm(any(), any(), any(), native_type(chip, DataType::int8));
      const CostModel model = cost_model(problem, chip);
      const MapRules rules = model.family->rules(chip, problem);
      Mapping mapping = trivial_mapping(problem, chip, rules.keeps);
      std::vector<Loop> loops = std::exchange(mapping.levels[0].loops, {});
      for (const Loop& loop : loops) mapping.levels[random() % chip.levels.size()].loops.push_back(loop);
      const ComputeCost cost = model.family->compute(chip, problem, array_pass(model, mapping));
      if (!rules.menu.empty() || cost.stage == Stage::own) continue;
      INFO(name);
      const double rate = static_cast<double>(problem.points()) / model.ideal.value / static_cast<double>(chip.lanes());
      REQUIRE(cost.cycles.value >= static_cast<double>(problem.points()) / rate * (1 - 1e-12));
    }
  }
}

TEST_CASE("the energy of the array follows from the problem and the unrolling alone, whatever the tiles") {
  // Tiles are compared without asking the family for it.
  Random random(17);
  const auto energy = [](const ComputeCost& cost) {
    double sum = 0;
    for (const Event& event : cost.events) sum += event.count * event.each.value;
    return sum;
  };
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    for (int i = 0; i < 40; ++i) {
      const auto any = [&] { return pick(random, {1, 2, 3, 7, 16, 64}); };
      const Problem problem = gemm(any(), any(), any(), native_type(chip, DataType::int8));
      const CostModel model = cost_model(problem, chip);
      Mapping mapping = trivial_mapping(problem, chip, model.family->rules(chip, problem).keeps);
      const double outside = energy(model.family->compute(chip, problem, array_pass(model, mapping)));
      const std::vector<Loop> loops = std::exchange(mapping.levels[0].loops, {});
      for (const Loop& loop : loops) mapping.levels[random() % chip.levels.size()].loops.push_back(loop);
      INFO(name);
      REQUIRE(energy(model.family->compute(chip, problem, array_pass(model, mapping))) == outside);
    }
  }
}

TEST_CASE("a larger tile never takes the array longer") {
  // Tiles are left out of the search when a larger one already takes the array too long. GPU kernels come from a menu.
  Random random(18);
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    if (family_of(chip).unrolled_time) continue;
    for (int i = 0; i < 40; ++i) {
      const Problem problem = small_problem(random, 4000);
      if (problem.compute == Compute::vector || !family_of(chip).rules(chip, problem).menu.empty()) continue;
      ArrayPass pass;
      pass.explained = false;
      pass.spatial = pass.chip = pass.temporal = std::vector<std::int64_t>(problem.dims.size(), 1);
      for (const Dim& dim : problem.dims) pass.passes *= dim.bound;
      const auto cycles = [&] { return family_of(chip).compute(chip, problem, pass).cycles; };
      Cycles before = cycles();
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        pass.temporal[d] = problem.dims[d].bound;
        pass.passes /= problem.dims[d].bound;
        INFO(name << ", dim " << d);
        REQUIRE(cycles() <= before);
        before = cycles();
      }
    }
  }
}

TEST_CASE("a family's timer takes the times that its cost says") {
  Random random(19);
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    const ArchFamily& family = family_of(chip);
    if (family.timer == nullptr) continue;
    for (int i = 0; i < 40; ++i) {
      const Problem problem = small_problem(random, 4000);
      const auto some = [&] {
        std::vector<std::int64_t> extents;
        for (std::size_t d = 0; d < problem.dims.size(); ++d) extents.push_back(pick(random, {1, 2, 3, 7, 16}));
        return extents;
      };
      const ArrayPass pass{some(), some(), some(), pick(random, {1, 5, 64}), false};
      const PassTime time = family.timer(chip, problem)(pass);
      const ComputeCost cost = family.compute(chip, problem, pass);
      INFO(name);
      REQUIRE(time.cycles == cost.cycles);
      REQUIRE(time.fill_drain == cost.fill_drain);
    }
  }
}

TEST_CASE("a family whose time follows from the unrolling alone takes it whatever the tiles") {
  Random random(16);
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    if (!family_of(chip).unrolled_time) continue;
    for (int i = 0; i < 40; ++i) {
      const auto any = [&] { return pick(random, {1, 2, 3, 7, 16, 64}); };
      const Problem problem = gemm(any(), any(), any(), native_type(chip, DataType::int8));
      const CostModel model = cost_model(problem, chip);
      Mapping mapping = trivial_mapping(problem, chip, model.family->rules(chip, problem).keeps);
      const ComputeCost outside = model.family->compute(chip, problem, array_pass(model, mapping));
      const std::vector<Loop> loops = std::exchange(mapping.levels[0].loops, {});
      for (const Loop& loop : loops) mapping.levels[random() % chip.levels.size()].loops.push_back(loop);
      const ComputeCost inside = model.family->compute(chip, problem, array_pass(model, mapping));
      INFO(name);
      REQUIRE(inside.cycles == outside.cycles);
      REQUIRE(inside.fill_drain == outside.fill_drain);
      REQUIRE(inside.resident == outside.resident);
    }
  }
}
