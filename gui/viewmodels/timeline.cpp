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

/// Keeps what an observer sees; the causes of standstills are what a ledger books for them.
class Recorder final : public Observer {
 public:
  Recorder(const Program& program, Timeline& timeline, std::size_t most_slices)
      : program_(&program), timeline_(&timeline), ledger_(program), most_slices_(most_slices) {
    const std::vector<Resource>& resources = program.resources();
    timeline.has_causes = std::any_of(resources.begin(), resources.end(), is_array);
    if (timeline.has_causes) timeline.lanes.push_back({"array's time", {}, {}});
    first_ = timeline.lanes.size();
    for (const Resource& resource : resources) timeline.lanes.push_back({resource.name, {}, {}});
  }

  void served(const Transaction& t, Ticks start, Ticks end) override {
    if (!timeline_->has_causes) {
      if (t.work != Work::rename) keep(lane_of(t), slice_of(t, start, end));
      return;
    }
    if (t.work == Work::rename || !is_array(resource_of(t))) {
      ledger_.served(t, start, end);
      if (t.work != Work::rename) keep(lane_of(t), slice_of(t, start, end));
      return;
    }
    const std::int32_t row = program_->kernels()[static_cast<std::size_t>(t.kernel)].row;
    const TimeParts before = parts(row), of_last = parts(row_);
    ledger_.served(t, start, end);
    if (start > free_) {
      const TimeParts& after = parts(row);
      if (row_ >= 0) stand(SliceKind::drain, row_, parts(row_).drain - of_last.drain);
      stand(SliceKind::fill, row, after.fill - before.fill - (t.work == Work::prime ? end - start : 0));
      stand(SliceKind::dram, row, after.dram - before.dram);
      stand(SliceKind::contention, row, after.contention - before.contention);
      stand(SliceKind::buffer, row, after.buffer - before.buffer);
    }
    keep(timeline_->lanes.front(), slice_of(t, start, end));
    keep(lane_of(t), slice_of(t, start, end));
    row_ = row;
    free_ = end;
  }

  void close(Ticks end) {
    timeline_->end = end;
    if (timeline_->has_causes && end > free_) stand(SliceKind::drain, row_, end - free_);
  }

 private:
  static bool is_array(const Resource& resource) { return resource.kind == Resource::Kind::array; }
  const Resource& resource_of(const Transaction& t) const {
    return program_->resources()[static_cast<std::size_t>(t.resource)];
  }
  Lane& lane_of(const Transaction& t) { return timeline_->lanes[first_ + static_cast<std::size_t>(t.resource)]; }
  TimeParts parts(std::int32_t row) const {
    return row < 0 ? TimeParts{} : ledger_.rows()[static_cast<std::size_t>(row)];
  }
  Slice slice_of(const Transaction& t, Ticks start, Ticks end) const {
    return {start, end, kind_of(t.work), program_->kernels()[static_cast<std::size_t>(t.kernel)].row, t.step, t.bytes};
  }
  void stand(SliceKind cause, std::int32_t row, Ticks ticks) {
    keep(timeline_->lanes.front(), {free_, free_ + ticks, cause, row, 0, 0});
    free_ += ticks;
  }
  void keep(Lane& lane, const Slice& slice) {
    if (slice.end <= slice.start) return;
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
  std::size_t most_slices_, kept_ = 0, first_ = 0;
  std::int32_t row_ = -1;
  Ticks free_ = 0;  // the array has nothing to do from here on
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
                                    "wait", "fill",  "drain", "dram",   "contention", "buffer"};
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
