// The command line: options to commands, errors to exit codes.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <new>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "core/version.hpp"
#include "sim/study/store.hpp"

namespace tilewright::cli {
namespace {

extern "C" void on_interrupt(int) { _exit(interrupted); }

void add_workload_options(CLI::App& command, RunOptions& options) {
  command.add_option("--batch", options.batch, "batch size (default: as in the workload)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  command
      .add_option("--set", options.set,
                  "bind a symbolic dimension: NAME=VALUE, or change a figure of the chip: chip.PATH=VALUE (repeatable)")
      ->take_all();
  command.add_option(
      "--precision", options.precision,
      "fp32, tf32, bf16, fp16, fp8, int8, int4, int1, w8a16, w4a16 (default: the workload's, or the chip's nearest)");
  command.add_option("--fuse", options.fuse, "none, default, attention (default: as the software stack fuses)");
  command.add_flag("--allow-unmodelled", options.allow_unmodelled,
                   "count only the traffic of operators without a model");
}

void add_output_options(CLI::App& command, RunOptions& options, const std::string& formats) {
  if (!formats.empty()) command.add_option("--format", options.format, formats)->capture_default_str();
  command.add_option("-o,--output", options.output, "write to this file instead of standard output");
}

void add_run_options(CLI::App& command, RunOptions& options) {
  command
      .add_option("workload", options.workload,
                  "an .onnx file, a SCALE-Sim topology .csv, or a generator such as gemm:m=8192,n=128,k=8192")
      ->required();
  command
      .add_option("--chip", options.chips,
                  "library names or chip files (.yaml, SCALE-Sim .cfg), separated by commas; all = the whole library")
      ->delimiter(',')
      ->required();
  add_workload_options(command, options);
  command.add_option("--objective", options.objective, "what the mapping minimises: latency, energy, edp")
      ->capture_default_str();
  command
      .add_option("--latency-slack", options.latency_slack,
                  "percent by which a mapping may be slower than the fastest one to save energy")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--engine", options.engine, "roofline, analytical, systemc; run also scalesim-v2")
      ->capture_default_str();
  command
      .add_option("--factors", options.factors,
                  "perfect: loop bounds divide the sizes; imperfect: unrolled loops may leave a short last tile")
      ->capture_default_str();
  command
      .add_option("--bypass", options.bypass,
                  "fixed: a level keeps the tensors that its chip file says; free: the search may pass them by")
      ->capture_default_str();
  command
      .add_option(
          "--effort", options.effort,
          "quick: a descent and a short proof; thorough: a long proof, and no objective is worse than another's")
      ->capture_default_str();
  command.add_flag("--uneven", options.uneven, "tensors at one level may be kept over different loops");
  command.add_option("--jobs", options.jobs, "threads (default: all); results do not depend on it")
      ->check(CLI::Range(1, 1024));
}

void add_residency_option(CLI::App& command, RunOptions& options) {
  command
      .add_option("--residency", options.residency,
                  "what stays on chip between layers: on = the best plan over the graph, none = layer by layer")
      ->capture_default_str();
}

void add_stack_option(CLI::App& command, RunOptions& options) {
  command.add_option("--stack", options.stack,
                     "software that runs the kernels on a GPU: pytorch, cuda-graph, profiler, onnxruntime, tensorrt; "
                     "none: times of the mappings (default: cuda-graph)");
}

/// CLI11's message, with the nearest command or option when a word is unknown.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::string message = error.what();
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  const CLI::App* chosen = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (i == 1 && !word.starts_with("-")) {
      const auto found = std::find(commands.begin(), commands.end(), word);
      if (found == commands.end()) return unknown_message("command", word, commands);
      chosen = app.get_subcommand(word);
    }
    if (!word.starts_with("--")) continue;
    std::vector<std::string> options;
    for (const CLI::Option* option : chosen->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
    const std::string bare = word.substr(0, word.find('='));
    if (std::find(options.begin(), options.end(), bare) == options.end())
      return unknown_message("option", bare, options);
  }
  return message + " (--help shows the usage)";
}

int dispatch(int argc, char** argv) {
  CLI::App app{
      "Tilewright: which chip should run this network, how should it be tiled there, and what changes if either one "
      "changes?",
      "tilewright"};
  app.set_version_flag("--version", std::string(version));
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 a result is infeasible or failed, 2 bad usage or input, 3 interrupted, 4 internal error.");

  RunOptions run_options;
  CLI::App* run_command = app.add_subcommand("run", "map and evaluate a network on one chip or several");
  add_run_options(*run_command, run_options);
  add_residency_option(*run_command, run_options);
  add_stack_option(*run_command, run_options);
  run_command->add_option("--dispatch", run_options.dispatch,
                          "what your host spends on an operator ('20 us'), instead of the stack's own figure");
  run_command->add_option("--train", run_options.train,
                          "also a training step on GPUs with this optimiser: adam, momentum, sgd");
  run_command->add_option("--epoch", run_options.epoch, "samples of an epoch: its time and energy (--train)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 50));
  run_command->add_option("--gpus", run_options.gpus, "GPUs of one machine that share the training step, or each layer")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 16));
  run_command
      ->add_option("--parallel", run_options.parallel,
                   "data: each GPU trains on a batch of its own; pipeline: each has a run of the layers; tensor: "
                   "each has a part of every layer, in inference too")
      ->capture_default_str();
  add_output_options(*run_command, run_options,
                     "text, json, csv, html; scalesim: the three files of SCALE-Sim in the folder -o");
  run_command->add_option("--trace", run_options.trace,
                          "write the trace of the simulation for Perfetto (--engine systemc)");
  run_command
      ->add_option("--requests", run_options.requests, "requests in flight, one behind the other (--engine systemc)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}));
  run_command
      ->add_option("--max-events", run_options.max_events,
                   "give up after this many tile transactions (--engine systemc)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 60));
  run_command->add_option("--max-cycles", run_options.max_cycles, "give up at this simulated cycle (--engine systemc)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 42));
  run_command
      ->add_option("--max-seconds", run_options.max_seconds,
                   "give up a simulation after this host time (--engine systemc)")
      ->check(CLI::Range(0.001, 1e9));
  run_command->footer(
      "Example: tilewright run workloads/models/resnet50.onnx --chip a100-sxm4-80gb,tpu-v1 --format html -o "
      "report.html");

  RunOptions map_options;
  map_options.effort = "thorough";
  map_options.residency = "none";  // a layer alone
  map_options.stack = "none";      // the mapping is the question
  CLI::App* map_command = app.add_subcommand("map", "the best loop nest of one layer");
  add_run_options(*map_command, map_options);
  map_command->add_option("--layer", map_options.layer, "name of the layer (not needed when there is only one)");
  map_command->add_flag("--pareto", map_options.pareto, "also the latency-energy Pareto set");
  add_output_options(*map_command, map_options, "text, json, or yaml: a case file for `tilewright evaluate`");
  map_command->footer(
      "Examples: tilewright map gemm:m=512,n=512,k=512 --chip eyeriss --pareto\n"
      "          tilewright map resnet18 --layer conv1 --chip tpu-v1 --format yaml -o conv1.yaml");

  std::string case_file, case_format = "text", case_output;
  CLI::App* evaluate_command = app.add_subcommand("evaluate", "cost of one given mapping");
  evaluate_command->add_option("case", case_file, "a case file: problem, chip and mapping")->required();
  evaluate_command->add_option("--format", case_format, "text, json")->capture_default_str();
  evaluate_command->add_option("-o,--output", case_output, "write to this file instead of standard output");
  evaluate_command->footer("Example: tilewright evaluate docs/examples/gemm_weight_stationary.yaml");

  RunOptions roofline_options;
  CLI::App* roofline_command =
      app.add_subcommand("roofline", "the hierarchical roofline with one dot per layer, as SVG");
  add_run_options(*roofline_command, roofline_options);
  add_residency_option(*roofline_command, roofline_options);
  add_stack_option(*roofline_command, roofline_options);
  add_output_options(*roofline_command, roofline_options, "");
  roofline_command->footer("Example: tilewright roofline resnet50 --chip a100-sxm4-80gb -o resnet50.svg");

  ValidateOptions validate_options;
  CLI::App* validate_command =
      app.add_subcommand("validate", "compare with measurements or reference results: exit 0 pass, 1 not");
  validate_command->add_option("suite", validate_options.suite, "a name of `tilewright list suites`")->required();
  validate_command->add_option("--data", validate_options.data, "a file or folder (default: the project's own data)");
  validate_command
      ->add_option("--leave-out", validate_options.leave_out,
                   "gpu: none, device, shape: refit without what is predicted")
      ->capture_default_str();
  validate_command->add_option("--format", validate_options.format, "text, json, svg")->capture_default_str();
  validate_command->add_option("-o,--output", validate_options.output, "write to this file instead of standard output");
  validate_command->footer("Example: tilewright validate mapping");
  ArrayOptions array_options;
  CLI::App* array_command =
      app.add_subcommand("array", "multiply two matrices on a systolic array, PE by PE in SystemC");
  array_command->add_option("workload", array_options.workload, "one matrix product, such as gemm:m=4,n=4,k=8")
      ->required();
  array_command->add_option("--rows", array_options.rows, "rows of PEs")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  array_command->add_option("--cols", array_options.cols, "columns of PEs")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  array_command
      ->add_option("--dataflow", array_options.dataflow,
                   "what stays in the PEs: os (results), ws (weights), is (inputs)")
      ->capture_default_str();
  array_command->add_option("--exit", array_options.exit, "how output stationary results leave: in-place, bottom")
      ->capture_default_str();
  array_command->add_option("--show", array_options.show, "print the array in the first cycles, as many as this")
      ->check(CLI::Range(0, 10000));
  array_command->add_option("--vcd", array_options.vcd, "write a waveform of every PE to this file");
  array_command->add_option("--frames", array_options.frames, "write every cycle of every PE as JSON to this file");
  array_command->add_option("--svg", array_options.svg, "draw the first 24 cycles to this file");
  array_command->footer("Example: tilewright array gemm:m=6,n=4,k=4 --rows 4 --cols 4 --dataflow ws --show 12");

  CalibrateOptions calibrate_options;
  CLI::App* calibrate_command = app.add_subcommand("calibrate", "fit the constants of a model to measured rows");
  calibrate_command->add_option("family", calibrate_options.family, "gpu")->required();
  calibrate_command->add_option("--data", calibrate_options.data,
                                "a folder of tables (default: the project's own data)");
  calibrate_command->add_flag("!--no-bands", calibrate_options.bands,
                              "skip the error bands, which take most of the time");
  calibrate_command->add_option("-o,--output", calibrate_options.output,
                                "write to this file instead of standard output");
  calibrate_command->footer("Example: tilewright calibrate gpu -o arch_models/gpu/constants.yaml");

  FileImportOptions import_options;
  CLI::App* import_command =
      app.add_subcommand("import", "your own GPU measurements as tables for validate and calibrate");
  import_command
      ->add_option("files", import_options.files,
                   "traces of torch.profiler (.json), `ncu --csv`, `nsys stats --format csv`")
      ->required();
  import_command->add_option("--device", import_options.device,
                             "the GPU by its key in the device table (default: what the trace says)");
  import_command->add_option("--devices", import_options.devices, "a device table (default: the project's own)");
  import_command->add_option("-o,--output", import_options.output, "folder of the tables")->required();
  import_command->footer("Example: tilewright import trace.json -o mine && tilewright validate gpu --data mine");

  std::string list_what;
  CLI::App* list_command =
      app.add_subcommand("list", "chips, workloads, families, engines, energy-tables, suites, spaces");
  list_command->add_option("what", list_what, "chips, workloads, families, engines, energy-tables, suites, spaces")
      ->required();

  std::string show_what, show_name;
  RunOptions show_options;
  show_options.fuse = "none";
  CLI::App* show_command = app.add_subcommand("show", "a chip or a workload in detail");
  show_command->add_option("what", show_what, "chip, workload")->required();
  show_command->add_option("name", show_name, "library name, generator or path")->required();
  add_workload_options(*show_command, show_options);
  add_output_options(*show_command, show_options, "text, json");
  show_command->footer("Example: tilewright show workload workloads/models/resnet50.onnx --format json");

  std::vector<std::string> check_files;
  CLI::App* check_command =
      app.add_subcommand("check", "check input files: chips, cases, energy tables, studies, ONNX graphs, topologies");
  check_command->add_option("files", check_files, "files")->required();

  StudyOptions study_options;
  CLI::App* sweep_command = app.add_subcommand("sweep", "run or resume a study");
  sweep_command->add_option("study", study_options.study, "a study file (.yaml)")->required();
  sweep_command->add_option("-o,--output", study_options.folder,
                            "folder of the results; the same folder goes on with them");
  sweep_command->add_option("--shard", study_options.shard, "I/N: only the I-th of N parts; `merge` joins them");
  sweep_command->add_option("--jobs", study_options.jobs, "threads (default: all)")->check(CLI::Range(1, 4096));
  sweep_command->add_option("--progress", study_options.progress, "auto, plain, json, none")->capture_default_str();
  sweep_command->add_option("--max-failures", study_options.most_failures, "stop when more points have failed")
      ->check(CLI::NonNegativeNumber);
  sweep_command->add_flag("--dry-run", study_options.dry_run,
                          "show the number of points, the first five and the time; write nothing");
  sweep_command->add_option("--submit", study_options.submit,
                            "slurm: hand the study to Slurm as an array job that stops, requeues and merges by itself");
  sweep_command->add_option("--tasks", study_options.tasks, "tasks of the array job; two to four times the nodes")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  sweep_command->add_option("--sbatch", study_options.sbatch, "an option for sbatch, e.g. --sbatch=--time=2:00:00")
      ->allow_extra_args(false);
  sweep_command->footer("Example: tilewright sweep docs/studies/edge_array.yaml -o results");

  std::string merge_folder;
  CLI::App* merge_command = app.add_subcommand("merge", "join the shards of a study");
  merge_command->add_option("folder", merge_folder, "folder of the results")->required();

  std::string export_folder, export_format = "csv", export_output;
  CLI::App* export_command = app.add_subcommand("export", "the results of a study as a table");
  export_command->add_option("folder", export_folder, "folder of the results")->required();
  export_command->add_option("--format", export_format, "csv, jsonl; html: a page with front and plots")
      ->capture_default_str();
  export_command->add_option("-o,--output", export_output, "write to this file instead of standard output");

  std::string front_folder, front_format = "text", front_output;
  CLI::App* front_command =
      app.add_subcommand("front", "the Pareto front of a study, and what joint design gains over one-sided searches");
  front_command->add_option("folder", front_folder, "folder of the results")->required();
  front_command->add_option("--format", front_format, "text, csv")->capture_default_str();
  front_command->add_option("-o,--output", front_output, "write to this file instead of standard output");

  std::string explain_folder, explain_identity;
  CLI::App* explain_command =
      app.add_subcommand("explain", "why a point of a study is on the front or not, and what bounds it");
  explain_command->add_option("folder", explain_folder, "folder of the results")->required();
  explain_command->add_option("identity", explain_identity, "first digits of a point's identity")->required();

  PlotOptions plot_options;
  CLI::App* plot_command = app.add_subcommand("plot", "a picture of a study, as SVG");
  plot_command->add_option("folder", plot_options.folder, "folder of the results")->required();
  plot_command->add_option("--kind", plot_options.kind, "pareto, parallel, tornado, heatmap")->capture_default_str();
  plot_command->add_option("--x", plot_options.x, "pareto: a metric; heatmap: chip, workload or an axis");
  plot_command->add_option("--y", plot_options.y, "as --x");
  plot_command->add_option("--metric", plot_options.metric,
                           "tornado, heatmap: what is shown (default: the first objective)");
  plot_command->add_option("-o,--output", plot_options.output, "write to this file instead of standard output");
  plot_command->footer("Example: tilewright plot results --kind tornado --metric energy -o energy.svg");

  PriceOptions price_options;
  CLI::App* price_command = app.add_subcommand(
      "price", "what serving a network costs: devices, rent or price, energy, a request, a million tokens");
  add_run_options(*price_command, price_options.run);
  add_residency_option(*price_command, price_options.run);
  add_stack_option(*price_command, price_options.run);
  price_command
      ->add_option(
          "--terms", price_options.terms,
          "terms of serving, a YAML map or a file of one: rent, lifetime, electricity, facility, utilization, load, "
          "tokens, memory")
      ->required();
  add_output_options(*price_command, price_options.run, "text, json");
  price_command->footer(
      "Example: tilewright price gpt2 --chip a100-sxm4-80gb --terms '{rent: 5 USD, utilization: 0.5, electricity: 0.1 "
      "USD}'");

  std::string compare_a, compare_b;
  double tolerance = 0;
  CLI::App* compare_command = app.add_subcommand("compare", "figures of two studies that differ");
  compare_command->add_option("a", compare_a, "folder of the results before")->required();
  compare_command->add_option("b", compare_b, "folder of the results after")->required();
  compare_command->add_option("--tolerance", tolerance, "relative difference that is let pass")
      ->check(CLI::Range(0.0, 1e9));

  std::string shell;
  CLI::App* completion_command = app.add_subcommand("completion", "print the completion script of a shell");
  completion_command->add_option("shell", shell, "bash, zsh, fish")->required();
  completion_command->footer("Example: source <(tilewright completion bash)");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    throw InputError({.file = "command line", .line = 0, .column = 0, .key = {}},
                     usage_message(app, error, argc, argv));
  }
  if (*run_command) return run(run_options);
  if (*map_command) return map(map_options);
  if (*evaluate_command) return evaluate_case(case_file, case_format, case_output);
  if (*validate_command) return validate_suite(validate_options);
  if (*calibrate_command) return calibrate_family(calibrate_options);
  if (*import_command) return import_files(import_options);
  if (*roofline_command) return roofline(roofline_options);
  if (*array_command) return array(array_options);
  if (*list_command) return list(list_what);
  if (*show_command) return show(show_what, show_name, show_options);
  if (*check_command) return check(check_files);
  if (*sweep_command) return sweep(study_options);
  if (*merge_command) return merge(merge_folder);
  if (*export_command) return export_table(export_folder, export_format, export_output);
  if (*front_command) return front(front_folder, front_format, front_output);
  if (*explain_command) return explain(explain_folder, explain_identity);
  if (*plot_command) return plot(plot_options);
  if (*price_command) return price(price_options);
  if (*compare_command) return compare(compare_a, compare_b, tolerance);
  require_choice("completion", shell, {"bash", "zsh", "fish"});
  deliver(completion_script(app, shell), "");
  return done;
}

}  // namespace
}  // namespace tilewright::cli

int main(int argc, char** argv) {
  using namespace tilewright::cli;
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  try {
    return dispatch(argc, argv);
  } catch (const tilewright::InputError& error) {
    fmt::print(stderr, "tilewright: {}\n", error.what());
    return bad_input;
  } catch (const tilewright::StoreError& error) {
    fmt::print(stderr, "tilewright: {}\n", error.what());
    return interrupted;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "tilewright: out of memory\n");
    return internal_error;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tilewright: internal error: {}\n", error.what());
    return internal_error;
  }
}
