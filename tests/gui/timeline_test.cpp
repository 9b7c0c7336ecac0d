// The drawn schedule against the report of the simulation that it is of.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "gui/viewmodels/timeline.hpp"

namespace tilewright::gui {
namespace {

AnalysisPtr analysed(const std::string& workload, const std::string& chip) {
  Analyser analyser;
  return analyser.analyse({workload, chip, {}});
}

TEST_CASE("an array's time runs from 0 to the end without gap, and the mean of the arrays is that of the report") {
  for (const char* chip : {"edge-systolic-16x16", "a100-sxm4-80gb", "xeon-8380", "zcu102-dpu"}) {
    INFO(chip);
    const TimelinePtr shown = simulate_timeline(*analysed("mobilenet_v2", chip), {10'000'000, nullptr, {}});
    REQUIRE(shown->left_out == 0);
    std::vector<CycleParts> parts(shown->result.layers.size());
    double arrays = 0;
    for (const Lane& lane : shown->lanes) {
      if (!lane.array || lane.slices.empty()) continue;  // a core may never be needed
      ++arrays;
      Ticks at = 0;
      for (const Slice& slice : lane.slices) {
        REQUIRE(slice.start == at);
        at = slice.end;
        CycleParts& layer = parts.at(static_cast<std::size_t>(slice.row));
        const Cycles cycles = cycles_of(slice.end - slice.start);
        switch (slice.kind) {
          case SliceKind::launch: layer.overhead += cycles; break;
          case SliceKind::prime:
          case SliceKind::fill: layer.fill += cycles; break;
          case SliceKind::drain: layer.drain += cycles; break;
          case SliceKind::dram: layer.dram += cycles; break;
          case SliceKind::contention: layer.contention += cycles; break;
          case SliceKind::buffer: layer.buffer += cycles; break;
          case SliceKind::idle: layer.idle += cycles; break;
          default: layer.compute += cycles; break;
        }
      }
      REQUIRE(at == shown->end);
    }
    REQUIRE(arrays >= 1);
    REQUIRE(cycles_of(shown->end).value == Approx(shown->result.cycles.value).epsilon(1e-12));
    for (std::size_t row = 0; row < parts.size(); ++row) {
      INFO(shown->result.layers[row].name);
      const CycleParts& report = *shown->result.layers[row].parts;
      for (const auto part : {&CycleParts::compute, &CycleParts::overhead, &CycleParts::fill, &CycleParts::drain,
                              &CycleParts::dram, &CycleParts::contention, &CycleParts::buffer, &CycleParts::idle}) {
        // The report cuts the mean of several arrays to whole ticks.
        REQUIRE((parts[row].*part).value / arrays ==
                Approx((report.*part).value).epsilon(1e-9).margin(cycles_of(1).value));
      }
    }
  }
}

TEST_CASE("on every lane slices follow one another, and the limit leaves slices out but no time") {
  for (const char* chip : {"edge-systolic-16x16", "pynq-z2-streaming", "loihi-2"}) {
    INFO(chip);
    const AnalysisPtr analysis = analysed("resnet18", chip);
    const TimelinePtr whole = simulate_timeline(*analysis, {10'000'000, nullptr, {}});
    std::size_t slices = 0;
    for (const Lane& lane : whole->lanes) {
      Ticks at = 0;
      std::array<Ticks, slice_kinds> sums{};
      for (const Slice& slice : lane.slices) {
        REQUIRE(slice.start >= at);
        REQUIRE(slice.end > slice.start);
        at = slice.end;
        sums[static_cast<std::size_t>(slice.kind)] += slice.end - slice.start;
      }
      REQUIRE(at <= whole->end);
      REQUIRE(sums == lane.by_kind);
      slices += lane.slices.size();
    }
    const TimelinePtr cut = simulate_timeline(*analysis, {100, nullptr, {}});
    REQUIRE(cut->left_out == slices - 100);
    REQUIRE(cut->end == whole->end);
    for (std::size_t l = 0; l < whole->lanes.size(); ++l) REQUIRE(cut->lanes[l].by_kind == whole->lanes[l].by_kind);
    for (std::size_t row = 0; row < whole->row_of.size(); ++row) REQUIRE(whole->row_of[row] >= 0);
  }
}

TEST_CASE("a simulation stops when it is asked to") {
  const AnalysisPtr analysis = analysed("resnet18", "edge-systolic-16x16");
  const std::atomic<bool> stop = true;
  REQUIRE_THROWS_AS(simulate_timeline(*analysis, {1000, &stop, {}}), Stopped);
}

TEST_CASE("the exported trace is a Chrome trace of all resources") {
  const AnalysisPtr analysis = analysed("gemm:m=64,n=64,k=64", "edge-systolic-16x16");
  const TimelinePtr shown = simulate_timeline(*analysis, {1'000'000, nullptr, {}});
  const nlohmann::json trace = nlohmann::json::parse(simulate_trace(*analysis, {1'000'000, nullptr, {}}));
  std::size_t slices = 0, tracks = 0;
  for (const nlohmann::json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") ++slices;
    if (event.at("name") == "thread_name") ++tracks;
  }
  std::size_t drawn = 0;
  for (const Lane& lane : shown->lanes)
    drawn += static_cast<std::size_t>(std::count_if(lane.slices.begin(), lane.slices.end(),
                                                    [](const Slice& slice) { return slice.kind < SliceKind::fill; }));
  REQUIRE(slices == drawn);
  REQUIRE(tracks == shown->lanes.size());
}

TEST_CASE("blocks cover the slices in sight, and never more than two a pixel") {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 300; ++trial) {
    Lane lane;
    Ticks at = 0;
    for (std::size_t n = random() % 400; n > 0; --n) {
      const Ticks start = at + random() % 50, end = start + 1 + random() % 200;
      lane.slices.push_back({start, end, static_cast<SliceKind>(random() % slice_kinds), 0, 0, 0});
      at = end;
    }
    const double from = static_cast<double>(random() % (at + 1)),
                 to = from + 1 + static_cast<double>(random() % (at + 1));
    const double pixels = 1 + static_cast<double>(random() % 300);
    const std::vector<Block> blocks = visible(lane, from, to, pixels);
    REQUIRE(static_cast<double>(blocks.size()) <= 2 * pixels + 2);
    std::size_t in_sight = 0, shown = 0;
    double time = 0, filled = 0;
    for (const Slice& slice : lane.slices) {
      const double begin = std::max(from, static_cast<double>(slice.start)),
                   end = std::min(to, static_cast<double>(slice.end));
      if (end <= begin) continue;
      ++in_sight;
      time += end - begin;
    }
    double last = 0;
    for (const Block& block : blocks) {
      REQUIRE(block.from >= last - 1e-9);
      REQUIRE(block.to <= pixels + 1e-9);
      REQUIRE(static_cast<double>(lane.slices.at(block.slice).end) > from);
      last = block.to;
      shown += block.slices;
      for (const double share : block.share) filled += share * (block.to - block.from);
    }
    REQUIRE(shown == in_sight);
    REQUIRE(filled == Approx(time * pixels / (to - from)).epsilon(1e-9).margin(1e-9));
  }
}

}  // namespace
}  // namespace tilewright::gui
