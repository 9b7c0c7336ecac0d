// One more unit of each resource, over the whole library.
#include "arch_models/one_more.hpp"

#include <catch2/catch.hpp>

#include "arch_models/load.hpp"

namespace tilewright {
namespace {

std::vector<std::string> resources(const Chip& chip) {
  std::vector<std::string> names;
  for (const OneMore& step : one_more_of_each(chip)) names.push_back(step.resource);
  return names;
}

const OneMore& named(const std::vector<OneMore>& steps, const std::string& resource) {
  for (const OneMore& step : steps) {
    if (step.resource == resource) return step;
  }
  FAIL("no step " << resource);
  return steps.front();
}

}  // namespace

TEST_CASE("every step of every chip leaves a consistent chip that is larger in one resource only") {
  for (const std::string& name : chip_library()) {
    INFO(name);
    const Chip chip = load_chip(name);
    const std::vector<OneMore> steps = one_more_of_each(chip);
    REQUIRE(!steps.empty());
    for (const OneMore& step : steps) {
      INFO(step.resource << " " << step.from << " -> " << step.to);
      REQUIRE(step.from != step.to);
      REQUIRE(step.chip.levels.size() == chip.levels.size());
      for (std::size_t l = 0; l + 1 < chip.levels.size(); ++l) {
        const BufferLevel& level = step.chip.levels[l];
        REQUIRE(step.chip.levels[l + 1].instances == level.instances * level.fanout_x * level.fanout_y);
      }
      const bool store = step.resource.find('.') != std::string::npos;  // LEVEL.capacity, LEVEL.bandwidth
      REQUIRE((step.chip.lanes() == chip.lanes()) == store);
      REQUIRE(step.chip.lanes() >= chip.lanes());
      int larger = 0;
      for (std::size_t l = 0; l < chip.levels.size(); ++l) {
        const BufferLevel &before = chip.levels[l], &after = step.chip.levels[l];
        REQUIRE(after.read_energy == before.read_energy);
        larger += after.capacity != before.capacity;
        larger += after.bandwidth != before.bandwidth;
        if (after.capacity != before.capacity) REQUIRE(after.capacity->value - before.capacity->value == 1024);
        if (after.bandwidth != before.bandwidth)
          REQUIRE(((after.bandwidth - before.bandwidth) * chip.clock).value == Approx(1e9));
      }
      REQUIRE(larger == (store ? 1 : 0));
    }
  }
}

TEST_CASE("the counts that a family names in its chip file can each grow by one") {
  const auto has = [](const std::string& chip, const std::vector<std::string>& expected) {
    const std::vector<std::string> names = resources(load_chip(chip));
    for (const std::string& resource : expected) {
      INFO(chip << " " << resource);
      REQUIRE(std::find(names.begin(), names.end(), resource) != names.end());
    }
  };
  has("eyeriss", {"rows", "cols", "GlobalBuffer.capacity", "WeightSpad.capacity", "DRAM.bandwidth"});
  has("tpu-v3", {"rows", "cols", "arrays"});
  has("xeon-8380", {"cores", "fma_units"});
  has("a100-sxm4-80gb", {"sms", "L2.capacity"});
  has("zcu102-dpu", {"pixel_parallel", "input_parallel", "output_parallel", "engines"});
  has("pynq-z2-streaming", {"dsp"});
  has("loihi", {"cores"});
}

TEST_CASE("one more core under each of several shared caches is one for each of them") {
  // EPYC 7763: 8 L3 with 8 cores each; one more under each makes 72.
  const Chip chip = load_chip("epyc-7763");
  const std::vector<OneMore> steps = one_more_of_each(chip);
  const OneMore& cores = named(steps, "cores");
  REQUIRE(cores.from == "64");
  REQUIRE(cores.to == "72");
  REQUIRE(std::get<CpuParameters>(cores.chip.parameters).cores == 72);
  REQUIRE(cores.chip.levels.back().instances == 72);
  REQUIRE(cores.chip.vector.ops_per_cycle_fp32 == Approx(chip.vector.ops_per_cycle_fp32 * 72 / 64));
}

TEST_CASE("one more row of an array is one more PE in each column") {
  const Chip chip = load_chip("eyeriss");  // 12 x 14
  const std::vector<OneMore> steps = one_more_of_each(chip);
  const OneMore& rows = named(steps, "rows");
  REQUIRE(rows.from == "12");
  REQUIRE(rows.to == "13");
  REQUIRE(rows.chip.lanes() == 13 * 14);
  REQUIRE(rows.chip.levels.back().instances == 13 * 14);
  REQUIRE(named(steps, "WeightSpad.capacity").from == "448 B");
  REQUIRE(named(steps, "WeightSpad.capacity").to == "1472 B");
  REQUIRE(named(steps, "GlobalBuffer.capacity").to == "101 KiB");
}

}  // namespace tilewright
