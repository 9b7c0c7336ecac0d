// From options to a graph, chips and the record of the request.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <thread>

#include "arch_models/load.hpp"
#include "cli/commands.hpp"
#include "core/text_file.hpp"
#include "core/version.hpp"
#include "workloads/onnx/load.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::cli {
namespace {

Place option_place(std::string_view option) { return {.file = std::string(option), .line = 0, .column = 0, .key = {}}; }

constexpr std::string_view chip_prefix = "chip.";

/// --set chip.PATH=VALUE: figures of the chips, by the keys of a study's axes.
std::vector<Override> chip_settings(const std::vector<std::string>& assignments) {
  std::vector<Override> settings;
  for (const std::string& text : assignments) {
    if (!text.starts_with(chip_prefix)) continue;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == chip_prefix.size() || equals + 1 == text.size()) {
      throw InputError(
          option_place("--set"),
          fmt::format("'{}' is not chip.PATH=VALUE, for example --set 'chip.levels.DRAM.bandwidth=25 GB/s'", text));
    }
    const std::string path = text.substr(chip_prefix.size(), equals - chip_prefix.size());
    if (std::any_of(settings.begin(), settings.end(), [&](const Override& other) { return other.path == path; }))
      throw InputError(option_place("--set"), fmt::format("'{}' is set twice", text.substr(0, equals)));
    Place from = option_place("--set");
    from.key = text.substr(0, equals);
    settings.push_back({path, text.substr(equals + 1), from});
  }
  return settings;
}

std::map<std::string, std::int64_t> parse_set(const std::vector<std::string>& assignments) {
  std::map<std::string, std::int64_t> dims;
  for (const std::string& text : assignments) {
    if (text.starts_with(chip_prefix)) continue;
    const std::size_t equals = text.find('=');
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    if (equals == std::string::npos || equals == 0) {
      throw InputError(option_place("--set"),
                       fmt::format("'{}' is not DIM=VALUE, for example --set sequence=128", text));
    }
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, value);
    if (error != std::errc{} || stop != end || value < 1) {
      throw InputError(option_place("--set"),
                       fmt::format("'{}': the value must be a whole number of at least 1", text));
    }
    if (!dims.emplace(text.substr(0, equals), value).second) {
      throw InputError(option_place("--set"), fmt::format("'{}' is set twice", text.substr(0, equals)));
    }
  }
  return dims;
}

/// FNV-1a, 64 bit: identifies an input file in the record of a request.
std::string content_hash(const std::string& path) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : read_file(path, std::int64_t{4} << 30)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return fmt::format("fnv1a64:{:016x}", hash);
}

/// The stack that was named or the default one; none with engines that play mappings.
std::optional<SoftwareStack> named_stack(const RunOptions& options) {
  const bool mapped = options.engine != "analytical";
  if (options.stack.empty()) return mapped ? std::nullopt : std::optional(default_stack());
  std::vector<std::string> names{"none"};
  for (const SoftwareStack& stack : software_stacks()) names.emplace_back(stack.name);
  require_choice("--stack", options.stack, names);
  if (mapped && options.stack != "none") {
    throw InputError(option_place("--stack"), "a stack gives the times of the library's kernels: leave out --engine");
  }
  return find_stack(options.stack);
}

/// The stack behind the host of the user, where `--dispatch` says how fast that is.
std::optional<SoftwareStack> stack_of(const RunOptions& options) {
  std::optional<SoftwareStack> stack = named_stack(options);
  if (options.dispatch.empty()) return stack;
  if (!stack || stack->host.per_operator.value == 0)
    throw InputError(option_place("--dispatch"),
                     "no host dispatches the operators here: name --stack pytorch or onnxruntime");
  stack->host.per_operator = parse_yaml(options.dispatch, "--dispatch").as_time();
  if (stack->host.per_operator.value > 1)
    throw InputError(option_place("--dispatch"), fmt::format("{} for one operator; at most 1 s", options.dispatch));
  return stack;
}

/// What is fused: as asked, else as the stack does it.
std::string fusion_word(const RunOptions& options) {
  if (!options.fuse.empty()) return options.fuse;
  if (!options.train.empty()) return "none";  // a step keeps every result for its way back
  const std::optional<SoftwareStack> stack = stack_of(options);
  return stack ? std::string(stack->fusion) : "default";
}

Fusion fusion_of(const std::string& word) {
  require_choice("--fuse", word, {"none", "default", "attention"});
  if (word == "none") return Fusion::none;
  return word == "attention" ? Fusion::attention : Fusion::normal;
}

}  // namespace

void require_choice(std::string_view option, const std::string& got, const std::vector<std::string>& known) {
  for (const std::string& word : known) {
    if (word == got) return;
  }
  throw InputError(option_place(option), unknown_message("value", got, known));
}

WorkloadGraph prepared_workload(const RunOptions& options) {
  WorkloadRequest request;
  request.workload = options.workload;
  request.fusion = fusion_of(fusion_word(options));
  request.import.dims = parse_set(options.set);
  const bool has_chip = !options.chips.empty() && options.engine != "scalesim-v2";
  if (!has_chip && !chip_settings(options.set).empty())
    throw InputError(option_place("--set"),
                     "a figure of a chip is set where a chip file is read: with run, map, roofline or price");
  request.import.batch = options.batch;
  request.import.allow_unmodelled = options.allow_unmodelled;
  if (options.parallel == "tensor") request.gpus = options.gpus;
  if (!options.precision.empty()) {
    request.precision = precision_from(options.precision);
    if (!request.precision)
      throw InputError(option_place("--precision"), unknown_message("precision", options.precision, precision_names()));
  }
  if (!request.import.dims.empty() && is_generator(options.workload)) {
    throw InputError(
        option_place("--set"),
        "a generator has no symbolic dimensions; write its parameters behind the name, for example resnet50:batch=8");
  }
  return prepare_workload(request);
}

std::vector<Chip> chosen_chips(const RunOptions& options) {
  std::vector<std::string> names;
  for (const std::string& name : options.chips) {
    if (name == "all") {
      const std::vector<std::string> library = chip_library();
      names.insert(names.end(), library.begin(), library.end());
    } else {
      names.push_back(name);
    }
  }
  if (names.empty())
    throw InputError(option_place("--chip"), "name at least one chip; `tilewright list chips` shows the library");
  const std::vector<Override> settings = chip_settings(options.set);
  std::vector<Chip> chips;
  chips.reserve(names.size());
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) {
      throw InputError(option_place("--chip"),
                       fmt::format("'{}' is named twice ('all' names the whole library)", name));
    }
    chips.push_back(settings.empty() ? load_chip(name) : read_chip(with_overrides(chip_document(name), settings)));
  }
  return chips;
}

int job_count(int asked) {
  return asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

NetworkOptions network_options(const RunOptions& options) {
  require_choice("--objective", options.objective, {"latency", "energy", "edp"});
  require_choice("--engine", options.engine, {"roofline", "analytical", "systemc", "scalesim-v2"});
  if (options.engine == "scalesim-v2")
    throw InputError(option_place("--engine"), "scalesim-v2 reports through `tilewright run`");
  NetworkOptions network;
  network.engine = options.engine == "roofline"  ? Engine::roofline
                   : options.engine == "systemc" ? Engine::systemc
                                                 : Engine::analytical;
  network.requests = options.requests;
  network.limits.max_transactions = static_cast<std::uint64_t>(options.max_events);
  network.limits.max_cycles = Cycles{static_cast<double>(options.max_cycles)};
  network.limits.max_seconds = options.max_seconds;
  network.objective = options.objective == "latency"  ? Objective::latency
                      : options.objective == "energy" ? Objective::energy
                                                      : Objective::edp;
  if (options.latency_slack > 0 && network.objective != Objective::latency)
    throw InputError(option_place("--latency-slack"),
                     fmt::format("is a slack of --objective latency, not of {}", options.objective));
  if (options.latency_slack > 0 && options.uneven)
    throw InputError(option_place("--latency-slack"), "holds for one order of levels: leave --uneven out");
  network.latency_slack = options.latency_slack;
  require_choice("--residency", options.residency, {"none", "on"});
  network.residency = options.residency == "on" ? ResidencyOption::on : ResidencyOption::none;
  network.stack = stack_of(options);
  if (!options.train.empty()) {
    require_choice("--train", options.train, {"adam", "momentum", "sgd"});
    if (fusion_word(options) != "none")
      throw InputError(option_place("--fuse"),
                       "a training step keeps every operator's result: leave --fuse out or say none");
    network.train = options.train == "adam"       ? Optimizer::adam
                    : options.train == "momentum" ? Optimizer::momentum
                                                  : Optimizer::sgd;
  }
  require_choice("--parallel", options.parallel, {"data", "tensor", "pipeline"});
  if (options.train.empty() && options.gpus != 1 && options.parallel != "tensor")
    throw InputError(option_place("--gpus"),
                     "several GPUs share a training step or, with --parallel tensor, each layer: add --train adam, "
                     "momentum or sgd, or --parallel tensor");
  if (options.parallel == "tensor" && options.gpus > 1 && !network.stack)
    throw InputError(option_place("--parallel"), "tensor parallelism needs the kernels of a library: name a --stack");
  if (options.epoch > 0 && options.train.empty())
    throw InputError(option_place("--epoch"), "an epoch is one of training: add --train adam, momentum or sgd");
  network.epoch = options.epoch;
  network.gpus = options.gpus;
  network.pipelined_training = options.parallel == "pipeline";
  require_choice("--factors", options.factors, {"perfect", "imperfect"});
  require_choice("--bypass", options.bypass, {"fixed", "free"});
  network.factors = options.factors == "perfect" ? Factors::perfect : Factors::imperfect;
  network.free_keeps = options.bypass == "free";
  network.uneven = options.uneven;
  require_choice("--effort", options.effort, {"quick", "thorough"});
  network.thorough = options.effort == "thorough";
  network.precision_given = !options.precision.empty();
  network.jobs = job_count(options.jobs);
  return network;
}

std::vector<std::pair<std::string, std::string>> request_fields(const RunOptions& options, const WorkloadGraph& graph,
                                                                const std::vector<Chip>& chips) {
  std::string names;
  std::string hashes;
  for (const Chip& chip : chips) {
    names += (names.empty() ? "" : ",") + chip.name;
    hashes += (hashes.empty() ? "" : ",") + content_hash(chip.path);
  }
  std::string set;
  for (const std::string& assignment : options.set) set += (set.empty() ? "" : ",") + assignment;
  const std::optional<SoftwareStack> stack = stack_of(options);
  std::vector<std::pair<std::string, std::string>> fields{
      {"workload", options.workload},
      {"workload_source", graph.source},
      {"workload_hash", is_generator(options.workload) ? "generator" : content_hash(options.workload)},
      {"chips", names},
      {"chip_hashes", hashes},
      {"batch", std::to_string(graph.batch)},
      {"set", set},
      {"precision", options.precision.empty() ? "as in the workload" : options.precision},
      {"fuse", fusion_word(options)},
      {"stack", stack ? std::string(stack->name) : "none"},
      {"train", options.train.empty() ? "no" : options.train},
      {"gpus", std::to_string(options.gpus)},
      {"parallel", options.parallel},
      {"epoch", options.epoch == 0 ? "no" : std::to_string(options.epoch)},
      {"objective", options.objective},
      {"engine", options.engine},
      {"residency", options.residency},
      {"factors", options.factors},
      {"bypass", options.bypass},
      {"uneven", options.uneven ? "yes" : "no"},
      {"effort", options.effort},
      {"seed", "none: the search is deterministic"},
      {"version", std::string(version)},
  };
  if (options.latency_slack > 0) fields.emplace_back("latency_slack", fmt::format("{}", options.latency_slack));
  if (stack && stack->host.per_operator.value > 0)
    fields.emplace_back("dispatch", fmt::format("{:g} us", 1e6 * stack->host.per_operator.value));
  if (options.requests > 1) fields.emplace_back("requests", std::to_string(options.requests));
  return fields;
}

void deliver(const std::string& text, const std::string& output) {
  if (output.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (std::fflush(stdout) != 0)
      throw InputError({.file = "standard output", .line = 0, .column = 0, .key = {}}, "cannot be written");
  } else {
    write_file(output, text);
  }
}

}  // namespace tilewright::cli
