#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/checked.hpp"
#include "sim/mapping/access_counts.hpp"

namespace tilewright {
namespace {

using Json = nlohmann::json;

struct ReferenceCase {
  Problem problem;
  Mapping mapping;
  std::vector<std::string> levels;  // names, outermost first
};

ReferenceCase read_case(const Json& json) {
  ReferenceCase result;
  const Json& problem = json.at("problem");
  for (const auto& [name, bound] : problem.at("instance").items())
    result.problem.dims.push_back({name, bound.get<std::int64_t>()});
  std::map<std::string, std::int64_t> factors;
  if (problem.contains("coefficients")) {
    for (const Json& c : problem.at("coefficients")) factors[c.at("name")] = c.at("default");
  }
  const std::string output = problem.at("output").at(0);
  const auto add = [&](const std::string& name, const Json& axes) {
    Operand operand;
    operand.name = name;
    operand.role = name == output ? Role::output : Role::input;
    for (const Json& terms : axes) {
      Axis axis;
      for (const Json& term : terms) {
        axis.push_back(
            {result.problem.dim(term.at(0).get<std::string>()), term.size() > 1 ? factors.at(term.at(1)) : 1});
      }
      operand.axes.push_back(axis);
    }
    result.problem.operands.push_back(operand);
  };
  for (const auto& [name, axes] : problem.at("projection").items())
    if (name != output) add(name, axes);
  add(output, problem.at("projection").at(output));
  for (const Json& level : json.at("mapping_outer_to_inner")) {
    const std::string name = level.at("level");
    if (name != "inter_PE_spatial") {
      result.levels.push_back(name);
      LevelMapping mapped;
      for (const Operand& o : result.problem.operands) mapped.keeps.push_back(level.at("tile_words").contains(o.name));
      result.mapping.levels.push_back(mapped);
    }
    for (const Json& loop : level.at("loops_outer_to_inner")) {
      const std::string place = loop.value("spatial", "");
      result.mapping.levels.back().loops.push_back({result.problem.dim(loop.at("dim").get<std::string>()),
                                                    loop.at("bound").get<std::int64_t>(),
                                                    place == "X"   ? LoopKind::spatial_x
                                                    : place == "Y" ? LoopKind::spatial_y
                                                                   : LoopKind::temporal});
    }
  }
  return result;
}

/// Energies of one access (read, write, update) of a level.
struct Energies {
  double read = 0, write = 0, update = 0;
};

Energies energies_of(const Json& json, const std::string& level) {
  if (json.contains("energy_per_action_pJ")) {
    const Json& e = json.at("energy_per_action_pJ").at(level);
    return {e.at("read"), e.at("write"), e.at("update")};
  }
  const Json& e = json.at("architecture").at("energy_per_scalar_access_pJ").at(level);
  return {e.at("read"), e.at("write_or_update"), e.at("write_or_update")};
}

/// 1e-4 relative; the file prints two decimals, so half a unit of the last is rounding.
bool same_energy(double ours, double printed) { return std::abs(ours - printed) <= std::max(1e-4 * printed, 0.00501); }

}  // namespace

TEST_CASE("the mapped reference cases agree in counts, cycles and energy") {
  std::ifstream file(TILEWRIGHT_SOURCE_DIR "/tests/sim/mapping/reference_cases.json");
  const Json cases = Json::parse(file).at("cases");
  REQUIRE(cases.size() == 15);
  for (const Json& json : cases) {
    const std::string id = json.at("id");
    INFO(id);
    const ReferenceCase c = read_case(json);
    const AccessCounts counts = count_accesses(c.problem, c.mapping);
    const bool imperfect = id == "tw/gemm_imperfect_M10";
    double cycles = static_cast<double>(counts.temporal_steps);
    for (const Json& expected : json.at("expected").at("levels")) {
      const std::string name = expected.at("name");
      INFO(name);
      if (!expected.contains("dataspaces")) {  // the MACs
        CHECK(counts.points == expected.at("computes_total").get<std::int64_t>());
        CHECK(counts.lanes_used == expected.at("utilized_instances").get<std::int64_t>());
        continue;
      }
      const auto found = std::find(c.levels.begin(), c.levels.end(), name);
      REQUIRE(found != c.levels.end());
      const std::size_t l = static_cast<std::size_t>(found - c.levels.begin());
      const Energies energies = energies_of(json, name);
      const std::int64_t block = expected.at("block_words");
      std::int64_t read_words = 0, written_words = 0;
      for (std::size_t o = 0; o < c.problem.operands.size(); ++o) {
        const std::string& operand = c.problem.operands[o].name;
        INFO(operand);
        const OperandAccesses& ours = counts.levels[l][o];
        REQUIRE(ours.kept == expected.at("dataspaces").contains(operand));
        if (!ours.kept) continue;
        read_words += ours.reads;
        written_words += ours.fills + ours.updates;
        const Json& theirs = expected.at("dataspaces").at(operand);
        const std::int64_t instances = theirs.at("utilized_instances");
        CHECK(ours.utilized_instances == instances);
        CHECK(ours.tile_words == theirs.at("utilized_capacity_words").get<std::int64_t>());
        if (imperfect && name != "RF") continue;  // clipped values below
        CHECK(ours.reads == theirs.at("reads_per_instance").get<std::int64_t>() * instances);
        CHECK(ours.fills == theirs.at("fills_per_instance").get<std::int64_t>() * instances);
        CHECK(ours.updates == theirs.at("updates_per_instance").get<std::int64_t>() * instances);
        const auto accesses = [&](std::int64_t words) {
          return static_cast<double>(ceil_div(words / instances, block) * instances);
        };
        const double energy = accesses(ours.reads) * energies.read + accesses(ours.fills) * energies.write +
                              accesses(ours.updates) * energies.update;
        INFO(energy << " pJ, printed " << theirs.at("pJ_total"));
        CHECK(same_energy(energy, theirs.at("pJ_total").get<double>()));
      }
      if (!json.contains("architecture")) continue;
      for (const Json& level : json.at("architecture").at("levels_outer_to_inner")) {
        if (level.at("name") != name) continue;
        if (level.contains("rbw"))
          cycles = std::max(cycles, static_cast<double>(read_words) / level.at("rbw").get<double>());
        if (level.contains("wbw"))
          cycles = std::max(cycles, static_cast<double>(written_words) / level.at("wbw").get<double>());
      }
    }
    CHECK(cycles == json.at("expected").at("summary").at("cycles").get<double>());
    if (imperfect) {  // A 10 x 16, B 16 x 8, Z 10 x 8: every word once
      CHECK(counts.levels[0][0].reads == 160);
      CHECK(counts.levels[0][1].reads == 128);
      CHECK(counts.levels[0][2].updates == 80);
      CHECK(counts.levels[0][2].reads == 0);
      CHECK(counts.levels[1][0].fills == 160);
      CHECK(counts.levels[1][0].reads == 640);
      CHECK(counts.levels[1][1].reads == 384);
      CHECK(counts.levels[1][2].fills == 0);
      CHECK(counts.levels[1][2].updates == 80);
    }
  }
}

}  // namespace tilewright
