#include "sim/report/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace tilewright {
namespace {

std::string json_text(std::string_view text) { return nlohmann::json(text).dump(); }

std::string_view verb(Work work) {
  switch (work) {
    case Work::load: return "load";
    case Work::store: return "store";
    case Work::feed: return "feed";
    case Work::launch: return "launch";
    case Work::prime: return "fill";
    case Work::compute: return "compute";
    case Work::hop: return "spikes";
    case Work::join:
    case Work::rename: return "wait";
  }
  return "";
}

}  // namespace

TraceWriter::TraceWriter(const Program& program, Hertz clock, std::size_t most_slices)
    : program_(&program), clock_(clock), most_slices_(most_slices) {
  json_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
  json_ += R"({"name":"process_name","ph":"M","pid":1,"args":{"name":"chip"}})";
  for (std::size_t r = 0; r < program.resources().size(); ++r) {
    add(fmt::format(R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":{}}}}})", r,
                    json_text(program.resources()[r].name)));
  }
}

void TraceWriter::add(const std::string& event) { json_ += ",\n" + event; }

void TraceWriter::counter(std::string_view name, Ticks at, double value) {
  add(fmt::format(R"({{"name":{},"ph":"C","pid":1,"ts":{:.6f},"args":{{"value":{:g}}}}})", json_text(name),
                  microseconds(at), value));
}

void TraceWriter::load(const Transaction& t, int track, Ticks start, Ticks end) {
  Core& core = cores_[t.core];
  core.loads.emplace_back(track, start);
  Held& held = core.held[t.operand];
  held.before += std::exchange(held.now, t.bytes);
  held_ += t.bytes;
  counter("buffered bytes", end, held_);
}

/// Arrows from the loads of a core to its step at `start`, which also frees the tiles before them.
void TraceWriter::use(const Transaction& t, int track, Ticks start) {
  Core& core = cores_[t.core];
  for (const auto& [from, at] : core.loads) {
    ++arrows_;
    add(fmt::format(R"({{"name":"tile","cat":"tile","ph":"s","id":{},"pid":1,"tid":{},"ts":{:.6f}}})", arrows_, from,
                    microseconds(at)));
    add(fmt::format(R"({{"name":"tile","cat":"tile","ph":"f","bp":"e","id":{},"pid":1,"tid":{},"ts":{:.6f}}})", arrows_,
                    track, microseconds(start)));
  }
  if (core.loads.empty()) return;
  core.loads.clear();
  for (auto& [operand, tile] : core.held) held_ -= std::exchange(tile.before, 0.0);
  counter("buffered bytes", start, held_);
}

void TraceWriter::served(const Transaction& t, Ticks start, Ticks end) {
  if (end == start) return;
  if (slices_ == most_slices_) {
    ++left_out_;
    return;
  }
  ++slices_;
  const Resource& resource = program_->resources()[static_cast<std::size_t>(t.resource)];
  const std::string& layer = program_->kernels()[static_cast<std::size_t>(t.kernel)].layer;
  const double duration = microseconds(end) - microseconds(start);
  add(fmt::format(
      R"({{"name":{},"cat":"{}","ph":"X","pid":1,"tid":{},"ts":{:.6f},"dur":{:.6f},"args":{{"bytes":{:g}}}}})",
      json_text(fmt::format("{} {} tile {}", verb(t.work), layer, t.step)), verb(t.work), t.resource,
      microseconds(start), duration, t.bytes));
  if (resource.kind == Resource::Kind::memory) {
    counter(resource.name + " bytes per cycle", start, t.bytes / cycles_of(end - start).value);
    counter(resource.name + " bytes per cycle", end, 0);
  }
  if (t.work == Work::load) load(t, t.resource, start, end);
  if (t.work == Work::compute) use(t, t.resource, start);
}

std::string TraceWriter::finish() {
  json_ += "\n],\n";
  json_ += fmt::format("\"otherData\":{{\"slices\":{},\"slices_left_out\":{}}}}}\n", slices_, left_out_);
  return std::move(json_);
}

}  // namespace tilewright
