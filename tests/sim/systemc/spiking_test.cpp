#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "sim/systemc/simulate.hpp"
#include "sim/twin/max_plus.hpp"
#include "sim/twin/path.hpp"
#include "sim/twin/spiking.hpp"

namespace tilewright {
namespace {

std::int64_t pick(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
}

struct Spot {
  std::int64_t x = 0, y = 0;
};

Spot place_of(const Mesh& mesh, std::int64_t core) {
  const std::int64_t place = core % mesh.cores_per_chip / mesh.cores_per_place, row = place / mesh.width;
  const std::int64_t along = row % 2 == 0 ? place % mesh.width : mesh.width - 1 - place % mesh.width;
  return {core / mesh.cores_per_chip * mesh.width + along, row};
}

Chip host() {
  Chip chip;
  chip.levels.emplace_back().name = "Host";
  return chip;
}

struct Played {
  Ticks end = 0;
  std::vector<TimeParts> rows;
  double hops = 0;
};

Played play(PlayResult (*engine)(Program&, Observer*, const PlayLimits&), const std::vector<SpikingLayer>& layers,
            const SpikingChip& spiking, std::int64_t samples) {
  const Chip chip = host();
  const auto program = spiking_program(layers, spiking, chip, samples);
  PathLedger ledger(*program);
  Played played;
  played.end = engine(*program, &ledger, {}).end;
  ledger.close(played.end);
  played.rows = ledger.rows();
  for (const double hops : ledger.hops()) played.hops += hops;
  return played;
}

SpikingLayer layer(std::int32_t row, Ticks core, CoreRange cores, std::vector<std::size_t> inputs, double sent) {
  SpikingLayer layer;
  layer.layer = "layer " + std::to_string(row);
  layer.row = row;
  layer.core = core;
  layer.cores = cores;
  layer.inputs = std::move(inputs);
  layer.sent = sent;
  return layer;
}

std::vector<SpikingLayer> random_layers(std::mt19937_64& random, std::int64_t cores) {
  std::vector<SpikingLayer> layers;
  const std::int64_t count = pick(random, 1, 7);
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t own = pick(random, 1, cores / 8);
    std::vector<std::size_t> inputs;
    if (i > 0) inputs.push_back(static_cast<std::size_t>(pick(random, 0, i - 1)));
    if (i > 1 && pick(random, 0, 2) == 0) inputs.push_back(static_cast<std::size_t>(i - 1));
    layers.push_back(layer(static_cast<std::int32_t>(i), static_cast<Ticks>(pick(random, 0, 4000)), {next, own}, inputs,
                           static_cast<double>(pick(random, 0, 60))));
    if (pick(random, 0, 4) == 0) layers.back().processor = static_cast<Ticks>(pick(random, 1, 3000));
    next += own;
  }
  return layers;
}

}  // namespace

TEST_CASE("spikes on a mesh cross the links that X-Y routing says, pair by pair of cores") {
  std::mt19937_64 random(21);
  for (int i = 0; i < 200; ++i) {
    Mesh mesh{pick(random, 1, 6), pick(random, 1, 5), pick(random, 1, 3), 0};
    mesh.cores_per_chip = mesh.width * mesh.height * mesh.cores_per_place - pick(random, 0, mesh.cores_per_place - 1);
    const std::int64_t chips = pick(random, 1, 3), cores = chips * mesh.cores_per_chip;
    const auto range = [&] {
      const std::int64_t first = pick(random, 0, cores - 1);
      return CoreRange{first, pick(random, 1, cores - first)};
    };
    const CoreRange from = range(), to = range();
    const double spikes = 100, destinations = static_cast<double>(pick(random, 1, to.count));
    const SpikeFlow flow = route_spikes(mesh, chips, from, to, spikes, destinations);
    std::map<std::int64_t, double> expected;
    double hops = 0;
    const double pair = spikes * destinations / static_cast<double>(from.count * to.count);
    const std::int64_t width = chips * mesh.width;
    for (std::int64_t s = from.first; s < from.first + from.count; ++s) {
      for (std::int64_t d = to.first; d < to.first + to.count; ++d) {
        const Spot a = place_of(mesh, s), b = place_of(mesh, d);
        for (std::int64_t x = a.x; x < b.x; ++x) expected[(a.y * width + x) * 4] += pair;
        for (std::int64_t x = a.x; x > b.x; --x) expected[(a.y * width + x) * 4 + 1] += pair;
        for (std::int64_t y = a.y; y < b.y; ++y) expected[(y * width + b.x) * 4 + 2] += pair;
        for (std::int64_t y = a.y; y > b.y; --y) expected[(y * width + b.x) * 4 + 3] += pair;
        const std::int64_t distance = std::abs(a.x - b.x) + std::abs(a.y - b.y);
        hops += pair * static_cast<double>(distance);
        REQUIRE(distance <= std::max<std::int64_t>(flow.longest, 0));
      }
    }
    REQUIRE(flow.hops == Approx(hops).margin(1e-9));
    REQUIRE(flow.links.size() == expected.size());
    for (const LinkLoad& load : flow.links) REQUIRE(load.spikes == Approx(expected[load.link]));
  }
}

TEST_CASE("two layers of neurons on paper") {
  // 3 time steps; cores 100 and 40 ticks; 8 spikes over one link at 5 ticks each; barrier 10. The second layer starts a step later:
  // step 0: 100 + 40 + 10; steps 1 and 2 the same (the second layer's 40 are hidden); step 3: 40 + 10.
  SpikingChip chip{{2, 1, 1, 2}, 1, 3, 5, 10, 1};
  const std::vector<SpikingLayer> layers{layer(0, 100, {0, 1}, {}, 8), layer(1, 40, {1, 1}, {0}, 0)};
  const Played played = play(simulate, layers, chip, 1);
  CHECK(played.end == 3 * 150 + 50);
  CHECK(played.hops == 3 * 8);
  CHECK(played.rows[0].compute == 300);
  CHECK(played.rows[0].contention == 120);
  CHECK(played.rows[1].drain == 40);
  CHECK(played.rows[0].overhead + played.rows[1].overhead == 40);
  chip.least_step = 200;
  CHECK(play(simulate, layers, chip, 1).end == 4 * 200);
  // A second sample follows without a gap: three steps more.
  CHECK(play(simulate, layers, chip, 2).end == 7 * 200);
}

TEST_CASE("a shared link serves one layer's spikes after the other's") {
  // Three places in a row. Both layers send to the third one: 4 spikes and then 6 over the link between the last two.
  const SpikingChip chip{{3, 1, 1, 3}, 1, 1, 10, 0, 1};
  std::vector<SpikingLayer> layers{layer(0, 0, {0, 1}, {}, 4), layer(1, 0, {1, 1}, {}, 6),
                                   layer(2, 0, {2, 1}, {0, 1}, 0)};
  const Played played = play(simulate, layers, chip, 1);
  // The way of two hops: 40 ticks and one hop more for the last spike; then 60 and one more; nothing else takes time but a least step.
  CHECK(played.end == 100 + 10 + 1);
}

TEST_CASE(
    "time steps: never below the work of any layer, both engines alike, parts add up, slower links never faster") {
  std::mt19937_64 random(22);
  for (int i = 0; i < 150; ++i) {
    const Mesh mesh{8, 4, 4, 128};
    SpikingChip chip{mesh,
                     1,
                     pick(random, 1, 6),
                     static_cast<Ticks>(pick(random, 0, 20)),
                     static_cast<Ticks>(pick(random, 0, 500)),
                     static_cast<Ticks>(pick(random, 1, 2000))};
    const std::vector<SpikingLayer> layers = random_layers(random, 128);
    const std::int64_t samples = pick(random, 1, 3);
    const Played one = play(simulate, layers, chip, samples);
    for (const SpikingLayer& l : layers) {
      const Ticks step = std::max(chip.least_step, l.core + chip.barrier);
      REQUIRE(one.end >=
              static_cast<Ticks>(samples * chip.time_steps) * step + static_cast<Ticks>(samples) * l.processor);
    }
    REQUIRE(play(play_max_plus, layers, chip, samples).end == one.end);
    Ticks parts = 0;
    for (const TimeParts& row : one.rows) parts += row.total();
    REQUIRE(parts == one.end);
    double hops = 0;
    for (const SpikingLayer& l : layers) {
      for (const std::size_t input : l.inputs)
        hops += route_spikes(mesh, 1, layers[input].cores, l.cores, layers[input].sent, l.destinations).hops;
    }
    REQUIRE(one.hops == Approx(hops * static_cast<double>(samples * chip.time_steps)));
    chip.hop += 7;
    REQUIRE(play(simulate, layers, chip, samples).end >= one.end);
  }
}

}  // namespace tilewright
