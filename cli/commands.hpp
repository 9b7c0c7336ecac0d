// The commands of `tilewright`. Each returns the exit code: 0 done, 1 a result is infeasible or failed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network/network.hpp"
#include "sim/study/request.hpp"
#include "validation/suite.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright::cli {

/// What `run`, `map` and `roofline` share.
struct RunOptions {
  std::string workload;
  std::vector<std::string> chips;
  std::int64_t batch = 0;        // 0: as in the workload
  std::vector<std::string> set;  // DIM=VALUE, chip.PATH=VALUE
  std::string precision;         // empty: as in the workload, or the chip's nearest
  std::string fuse;              // empty: as the stack does it
  std::string train;             // run only: optimiser; empty: inference
  std::int64_t gpus = 1;         // run only: that share the training step
  std::string parallel = "data";
  std::int64_t epoch = 0;  // run only: samples of an epoch of training; 0: not asked for
  std::string stack;       // run and roofline: name, none, or empty: the default one
  std::string dispatch;    // run: of an operator by the host; empty: the stack's own
  std::string objective = "latency";
  double latency_slack = 0;  // percent
  std::string engine = "analytical";
  std::string residency = "none";  // run and roofline
  std::string format = "text";
  std::string output;  // empty: stdout
  std::string factors = "imperfect";
  std::string bypass = "fixed";
  std::string effort = "quick";
  bool uneven = false;
  std::string layer;            // map only
  bool pareto = false;          // map only
  std::string trace;            // run only: Perfetto trace of a simulation
  std::int64_t requests = 1;    // run only: in flight in a simulation
  std::int64_t max_events = 0;  // run only: tile transactions of a simulation; 0: no limit
  std::int64_t max_cycles = 0;  // run only: simulated; 0: no limit
  double max_seconds = 0;       // run only: host time of a simulation; 0: no limit
  bool allow_unmodelled = false;
  int jobs = 0;  // 0: all hardware threads
};

/// Options of `sweep`.
struct StudyOptions {
  std::string study, folder;
  std::string shard;  // "I/N"; empty: all, or the part of a Slurm array task
  std::string progress = "auto";
  std::int64_t most_failures = -1;  // -1: any number
  bool dry_run = false;
  int jobs = 0;                     // 0: all hardware threads
  std::string submit;               // "slurm": as an array job
  int tasks = 1;                    // of the array job: shards
  std::vector<std::string> sbatch;  // further options of sbatch
};

enum ExitCode { done = 0, failed = 1, bad_input = 2, interrupted = 3, internal_error = 4 };

struct ValidateOptions {
  std::string suite;
  std::string data;                // empty: the project's own
  std::string leave_out = "none";  // suite gpu: none, device, shape
  std::string format = "text";
  std::string output;  // empty: stdout
};

/// A comparison with measurements or reference results.
struct Suite {
  std::string_view name, summary;
  SuiteResult (*run)(const ValidateOptions&);
};
std::span<const Suite> suites();

/// `array`: a product on a systolic array, PE by PE.
struct ArrayOptions {
  std::string workload;
  std::int64_t rows = 4, cols = 4, show = 0;
  std::string dataflow = "ws", exit = "in-place";
  std::string vcd, frames, svg;  // files; empty: none
};

struct CalibrateOptions {
  std::string family;
  std::string data;    // empty: the project's own
  std::string output;  // empty: stdout
  bool bands = true;   // error bands by leaving shapes and devices out
};

struct FileImportOptions {
  std::vector<std::string> files;
  std::string device;   // empty: as the trace says
  std::string devices;  // a device table; empty: the project's own
  std::string output;   // folder
};

int run(const RunOptions& options);
int run_scalesim(const RunOptions& options);  // run --engine scalesim-v2
int map(const RunOptions& options);
int roofline(const RunOptions& options);
int array(const ArrayOptions& options);
int evaluate_case(const std::string& path, const std::string& format, const std::string& output);
int validate_suite(const ValidateOptions& options);
int calibrate_family(const CalibrateOptions& options);
int import_files(const FileImportOptions& options);
int list(const std::string& what);
int show(const std::string& what, const std::string& name, const RunOptions& options);
int check(const std::vector<std::string>& files);
int sweep(const StudyOptions& options);
/// Writes sweep.sbatch and, for several tasks, merge.sbatch into the folder of the results and gives them to Slurm.
int submit(const StudyOptions& options, const StudyRequest& request);
int merge(const std::string& folder);
int front(const std::string& folder, const std::string& format, const std::string& output);
int explain(const std::string& folder, const std::string& identity);
struct PlotOptions {
  std::string folder, kind = "pareto", x, y, metric, output;
};
int plot(const PlotOptions& options);
struct PriceOptions {
  RunOptions run;
  std::string terms;  // a YAML map, or a file of one
};
int price(const PriceOptions& options);
int export_table(const std::string& folder, const std::string& format, const std::string& output);
int compare(const std::string& folder_a, const std::string& folder_b, double tolerance);

// Shared steps (cli/request.cpp).
WorkloadGraph prepared_workload(const RunOptions& options);
std::vector<Chip> chosen_chips(const RunOptions& options);
NetworkOptions network_options(const RunOptions& options);
std::vector<std::pair<std::string, std::string>> request_fields(const RunOptions& options, const WorkloadGraph& graph,
                                                                const std::vector<Chip>& chips);
/// Threads for `--jobs N`; 0: all that the hardware has.
int job_count(int asked);
/// To `output`, or to stdout when it is empty.
void deliver(const std::string& text, const std::string& output);
/// Throws InputError for an option value that is not one of the known ones.
void require_choice(std::string_view option, const std::string& got, const std::vector<std::string>& known);

}  // namespace tilewright::cli
