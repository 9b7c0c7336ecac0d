#include "gui/viewmodels/timeline.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/diagnostics.hpp"
#include "sim/report/trace.hpp"
#include "sim/study/asked.hpp"

namespace tilewright::gui {
namespace {

SliceKind kind_of(Work work) {
  switch (work) {
    case Work::load: return SliceKind::load;
    case Work::store: return SliceKind::store;
    case Work::feed: return SliceKind::feed;
    case Work::launch: return SliceKind::launch;
    case Work::prime: return SliceKind::prime;
    case Work::compute: return SliceKind::compute;
    case Work::hop: return SliceKind::hop;
    case Work::join:
    case Work::rename: break;
  }
  return SliceKind::join;
}

SliceKind kind_of(Ticks TimeParts::*standstill) {
  if (standstill == &TimeParts::fill) return SliceKind::fill;
  if (standstill == &TimeParts::drain) return SliceKind::drain;
  if (standstill == &TimeParts::dram) return SliceKind::dram;
  if (standstill == &TimeParts::contention) return SliceKind::contention;
  return standstill == &TimeParts::idle ? SliceKind::idle : SliceKind::buffer;
}

/// Keeps what an observer sees, and the standstills that a ledger books for it.
class Recorder final : public Observer {
 public:
  Recorder(const Program& program, Timeline& timeline, std::size_t most_slices)
      : program_(&program),
        timeline_(&timeline),
        ledger_(program,
                [this](const Standstill& s) {
                  keep(s.resource, {s.from, s.to, kind_of(s.part), static_cast<std::int32_t>(s.row), 0, 0});
                }),
        most_slices_(most_slices) {
    const std::vector<Resource>& resources = program.resources();
    lane_of_.resize(resources.size());
    for (const bool arrays : {true, false}) {
      for (std::size_t r = 0; r < resources.size(); ++r) {
        if ((resources[r].kind == Resource::Kind::array) != arrays) continue;
        lane_of_[r] = timeline.lanes.size();
        timeline.lanes.push_back({resources[r].name, arrays, {}, {}});
      }
      if (arrays) timeline.arrays = timeline.lanes.size();
    }
  }

  void served(const Transaction& t, Ticks start, Ticks end) override {
    if (timeline_->arrays > 0) ledger_.served(t, start, end);
    if (t.work == Work::rename) return;
    const std::int32_t row = program_->kernels()[static_cast<std::size_t>(t.kernel)].row;
    keep(t.resource, {start, end, kind_of(t.work), row, t.step, t.bytes});
  }

  void close(Ticks end) {
    timeline_->end = end;
    if (timeline_->arrays > 0) ledger_.close(end);
  }

 private:
  void keep(std::int32_t resource, const Slice& slice) {
    if (slice.end <= slice.start) return;
    Lane& lane = timeline_->lanes[lane_of_[static_cast<std::size_t>(resource)]];
    lane.by_kind[static_cast<std::size_t>(slice.kind)] += slice.end - slice.start;
    if (kept_ == most_slices_) {
      ++timeline_->left_out;
      return;
    }
    ++kept_;
    lane.slices.push_back(slice);
  }

  const Program* program_;
  Timeline* timeline_;
  Ledger ledger_;
  std::vector<std::size_t> lane_of_;  // by resource
  std::size_t most_slices_, kept_ = 0;
};

NetworkEvaluation simulated(const Analysis& analysis, const Simulation& simulation,
                            std::function<Observer*(const Program&)> watch) {
  NetworkOptions options = network_options(parse_study(project_text(analysis.project), "the project"), Engine::systemc);
  options.watch = std::move(watch);
  options.limits.stop = [stop = simulation.stop] { return stop != nullptr && *stop; };
  options.limits.progress = simulation.progress;
  NetworkEvaluation result = evaluate_network(*analysis.graph, analysis.chip, options);
  if (!result.failure.empty()) {
    throw InputError({.file = analysis.project.chip, .line = 0, .column = 0, .key = {}}, result.failure);
  }
  return result;
}

}  // namespace

const char* name(SliceKind kind) {
  static constexpr std::array words{"load", "store", "feed",  "launch", "prime",      "compute", "hop",
                                    "wait", "fill",  "drain", "dram",   "contention", "buffer",  "idle"};
  static_assert(words.size() == slice_kinds);
  return words[static_cast<std::size_t>(kind)];
}

TimelinePtr simulate_timeline(const Analysis& analysis, const Simulation& simulation) {
  auto timeline = std::make_shared<Timeline>();
  std::optional<Recorder> recorder;
  timeline->result = simulated(analysis, simulation, [&](const Program& program) {
    return &recorder.emplace(program, *timeline, simulation.most_slices);
  });
  if (recorder) recorder->close(static_cast<Ticks>(std::llround(timeline->result.cycles.value * ticks_per_cycle)));
  timeline->clock = analysis.chip.clock;
  std::map<std::string, int> rows;
  for (std::size_t i = 0; i < analysis.graph->layers.size(); ++i)
    rows.emplace(analysis.graph->layers[i].name, static_cast<int>(analysis.row_of_node[i]));
  for (const LayerEvaluation& layer : timeline->result.layers) {
    const auto row = rows.find(layer.name);
    timeline->row_of.push_back(row == rows.end() ? -1 : row->second);
  }
  return timeline;
}

std::string simulate_trace(const Analysis& analysis, const Simulation& simulation) {
  std::optional<TraceWriter> trace;
  simulated(analysis, simulation, [&](const Program& program) {
    return &trace.emplace(program, analysis.chip.clock, simulation.most_slices);
  });
  return trace ? trace->finish() : std::string();
}

std::vector<Block> visible(const Lane& lane, double from, double to, double pixels) {
  std::vector<Block> blocks;
  if (!(to > from) || !(pixels > 0)) return blocks;
  const double scale = pixels / (to - from);
  double longest = 0;
  const auto close = [&] {
    if (blocks.empty()) return;
    Block& block = blocks.back();
    const double width = block.to - block.from;
    for (double& share : block.share) share = width > 0 ? share / width : 0;
    longest = 0;
  };
  const auto first = std::partition_point(lane.slices.begin(), lane.slices.end(),
                                          [&](const Slice& slice) { return static_cast<double>(slice.end) <= from; });
  for (auto at = first; at != lane.slices.end() && static_cast<double>(at->start) < to; ++at) {
    const double x0 = std::max(0.0, (static_cast<double>(at->start) - from) * scale),
                 x1 = std::min(pixels, (static_cast<double>(at->end) - from) * scale);
    if (blocks.empty() || x1 - blocks.back().from >= 1) {
      close();
      blocks.push_back({x0, x1, 0, 0, {}});
    }
    Block& block = blocks.back();
    block.to = x1;
    ++block.slices;
    block.share[static_cast<std::size_t>(at->kind)] += x1 - x0;
    if (x1 - x0 >= longest) {
      longest = x1 - x0;
      block.slice = static_cast<std::size_t>(at - lane.slices.begin());
    }
  }
  close();
  return blocks;
}

}  // namespace tilewright::gui
