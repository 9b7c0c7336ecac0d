#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "core/diagnostics.hpp"
#include "validation/import/calls.hpp"

namespace tilewright {
namespace {

using Json = nlohmann::json;

/// The first of the spellings that newer and older traces use.
const Json* member(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto found = object.find(name); found != object.end()) return &*found;
  }
  return nullptr;
}

/// The kernels that one operator launched on one device.
struct Launched {
  std::int64_t device = 0;
  std::string_view phase;        // of a backward convolution
  std::string_view kernel = {};  // the longest one
  double us = 0, longest = 0;
  std::int64_t launches = 0;
  bool converts_layout = false;
};

class Trace {
 public:
  explicit Trace(std::string path) : path_(std::move(path)) {}

  void event(const Json& event) {
    ++events_;
    if (!event.is_object()) fail("", "an event is an object");
    const Json* category = member(event, {"cat"});
    if (category == nullptr || !category->is_string()) return;
    const auto& cat = category->get_ref<const std::string&>();
    if (cat == "cpu_op" || cat == "Operator") add_operator(event);
    if (cat == "kernel" || cat == "Kernel") add_kernel(event);
  }

  void device(const Json& properties) {
    const Json *id = member(properties, {"id"}), *name = member(properties, {"name"});
    if (id != nullptr && id->is_number_integer() && name != nullptr && name->is_string())
      devices_[id->get<std::int64_t>()] = name->get<std::string>();
  }

  /// Joins kernels and operators, which may stand in any order.
  void deliver(const CallSink& sink) const {
    if (kernels_.empty() && lost_.empty())
      throw InputError({path_, 0, 0, "traceEvents"},
                       "the trace holds no GPU kernels; profile with activities=[CPU, CUDA] and record_shapes=True");
    for (const auto& [id, launched] : kernels_) {
      for (const Launched& kernels : passes_of(id, launched)) sink(call(id, kernels));
    }
    for (const auto& [name, kernels] : lost_) {
      OperatorCall without;
      without.reason = "the kernel has no External id; profile the CPU as well (activities=[CPU, CUDA])";
      without.kernel = name;
      without.us = kernels.us;
      without.launches = kernels.launches;
      sink(without);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw InputError({path_, 0, 0, fmt::format("traceEvents[{}]{}", events_ - 1, field.empty() ? "" : "." + field)},
                     message);
  }

  const Json& arguments(const Json& event) const {
    static const Json none = Json::object();
    const Json* args = member(event, {"args"});
    if (args == nullptr) return none;
    if (!args->is_object()) fail("args", "the arguments of an event are an object");
    return *args;
  }

  std::string text(const Json& event, const char* field) const {
    const Json* value = member(event, {field});
    if (value == nullptr || !value->is_string()) fail(field, "a text is needed");
    return value->get<std::string>();
  }

  std::optional<std::int64_t> external_id(const Json& args) const {
    const Json* id = member(args, {"External id", "external id"});
    if (id == nullptr) return std::nullopt;
    if (!id->is_number_integer()) fail("args.External id", "an integer is needed");
    return id->get<std::int64_t>();
  }

  /// Extents or strides, one list an argument; lists of tensors count as not recorded ({}).
  std::vector<std::vector<std::int64_t>> lists(const Json& args, std::initializer_list<const char*> names) const {
    std::vector<std::vector<std::int64_t>> all;
    const Json* value = member(args, names);
    if (value == nullptr) return all;
    if (!value->is_array()) fail(fmt::format("args.{}", *names.begin()), "a list of lists is needed");
    for (const Json& argument : *value) {
      all.emplace_back();
      if (!argument.is_array()) continue;
      for (const Json& extent : argument) {
        if (!extent.is_number_integer()) {
          all.back().clear();
          break;
        }
        all.back().push_back(extent.get<std::int64_t>());
      }
    }
    return all;
  }

  std::vector<std::string> texts(const Json& args, std::initializer_list<const char*> names) const {
    std::vector<std::string> all;
    const Json* value = member(args, names);
    if (value == nullptr) return all;
    if (!value->is_array()) fail(fmt::format("args.{}", *names.begin()), "a list of texts is needed");
    for (const Json& argument : *value) all.push_back(argument.is_string() ? argument.get<std::string>() : "");
    return all;
  }

  void add_operator(const Json& event) {
    const Json& args = arguments(event);
    const std::optional<std::int64_t> id = external_id(args);
    if (!id) return;
    OperatorRecord record;
    record.name = text(event, "name");
    if (has_table(record.name)) {  // extents of other operators are not needed
      record.dims = lists(args, {"Input Dims", "Input dims"});
      record.strides = lists(args, {"Input Strides"});
      record.types = texts(args, {"Input type", "Input types"});
      record.values = texts(args, {"Concrete Inputs"});
    }
    const auto [place, is_new] = known_.try_emplace(std::move(record), records_.size());
    if (is_new) records_.push_back(&place->first);
    operators_[*id] = place->second;
  }

  void add_kernel(const Json& event) {
    const std::string name = text(event, "name");
    const Json* duration = member(event, {"dur"});
    if (duration == nullptr || !duration->is_number()) fail("dur", "a kernel needs its time in microseconds");
    const double us = duration->get<double>();
    if (us < 0) fail("dur", "a time is not below 0");
    const Json& args = arguments(event);
    const std::optional<std::int64_t> id = external_id(args);
    const Json* device = member(args, {"device"});
    const std::int64_t on = device != nullptr && device->is_number_integer() ? device->get<std::int64_t>() : 0;
    add(id ? kernel_of(kernels_[*id], on, backward_phase(name)) : lost_[name], name, us);
  }

  static Launched& kernel_of(std::vector<Launched>& launched, std::int64_t device, std::string_view phase) {
    const auto found = std::ranges::find_if(
        launched, [&](const Launched& other) { return other.device == device && other.phase == phase; });
    if (found != launched.end()) return *found;
    launched.push_back({.device = device, .phase = phase});
    return launched.back();
  }

  /// The kernels of a call by device, those of a backward convolution by pass as well. One kernel of unknown pass makes the time of both unknown.
  std::vector<Launched> passes_of(std::int64_t id, const std::vector<Launched>& launched) const {
    const auto found = operators_.find(id);
    const bool backward = found != operators_.end() && records_[found->second]->name == backward_convolution;
    const std::string_view only = backward ? only_phase(*records_[found->second]) : "";
    const bool known = backward && only.empty() &&
                       std::ranges::none_of(launched, [](const Launched& kernels) { return kernels.phase.empty(); });
    std::vector<Launched> passes;
    for (const Launched& kernels : launched) {
      Launched& pass = kernel_of(passes, kernels.device, known ? kernels.phase : only);
      if (kernels.longest >= pass.longest) {
        pass.longest = kernels.longest;
        pass.kernel = kernels.kernel;
      }
      pass.us += kernels.us;
      pass.converts_layout |= kernels.converts_layout;
      pass.launches += kernels.launches;
    }
    return passes;
  }

  void add(Launched& launched, const std::string& name, double us) {
    if (launched.launches == 0 || us > launched.longest) {
      launched.longest = us;
      launched.kernel = *names_.insert(name).first;  // one text for all launches of a kernel
    }
    launched.us += us;
    ++launched.launches;
    launched.converts_layout |= is_layout_conversion(name);
  }

  OperatorCall call(std::int64_t id, const Launched& kernels) const {
    OperatorCall call;
    call.kernel = kernels.kernel;
    call.phase = kernels.phase;
    call.converts_layout = kernels.converts_layout;
    call.us = kernels.us;
    call.launches = kernels.launches;
    if (const auto name = devices_.find(kernels.device); name != devices_.end()) call.device = name->second;
    if (const auto found = operators_.find(id); found != operators_.end())
      call.record = *records_[found->second];
    else
      call.reason = "the operator that launched the kernel is not in the trace";
    return call;
  }

  std::string path_;
  std::int64_t events_ = 0;
  std::map<OperatorRecord, std::size_t> known_;  // each distinct record once
  std::vector<const OperatorRecord*> records_;
  std::set<std::string> names_;                              // of kernels
  std::unordered_map<std::int64_t, std::size_t> operators_;  // External id -> record
  std::map<std::int64_t, std::vector<Launched>> kernels_;    // by External id
  std::map<std::string, Launched> lost_;                     // kernels without one
  std::map<std::int64_t, std::string> devices_;
};

/// "... at line 4, column 7: ..." of the library's message.
Place place_of(const std::string& path, std::string_view message) {
  Place place{path, 0, 0, ""};
  const auto number_after = [&](std::string_view word, int& value) {
    const std::size_t at = message.find(word);
    if (at != std::string_view::npos)
      std::from_chars(message.data() + at + word.size(), message.data() + message.size(), value);
  };
  number_after("line ", place.line);
  number_after("column ", place.column);
  return place;
}

}  // namespace

void read_torch_trace(std::istream& in, const std::string& path, const CallSink& sink) {
  Trace trace(path);
  std::string section;  // key of the root object
  bool events_at_root = false;
  // Every element is handed on and dropped when it ends: the trace is never in memory as a whole.
  const auto on_value = [&](int depth, Json::parse_event_t kind, Json& value) {
    if (kind == Json::parse_event_t::array_start && depth == 0) events_at_root = true;
    if (kind == Json::parse_event_t::key && depth == 1 && !events_at_root) section = value.get<std::string>();
    if (kind != Json::parse_event_t::object_end) return true;
    if (depth != (events_at_root ? 1 : 2)) return true;
    if (events_at_root || section == "traceEvents") trace.event(value);
    if (section == "deviceProperties") trace.device(value);
    return false;
  };
  try {
    const Json rest = Json::parse(in, on_value);
    if (!events_at_root && !rest.contains("traceEvents"))
      throw InputError(
          {path, 0, 0, "traceEvents"},
          "the file is no Chrome trace: it has no traceEvents; export_chrome_trace of torch.profiler writes one");
  } catch (const Json::parse_error& error) {
    const Place place = place_of(path, error.what());
    throw InputError(
        place, fmt::format("the JSON is broken or cut off at column {}; export the trace again (export_chrome_trace)",
                           place.column));
  }
  trace.deliver(sink);
}

}  // namespace tilewright
