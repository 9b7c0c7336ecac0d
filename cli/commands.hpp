// The commands of `tilewright`. Each returns the exit code: 0 done, 1 a result is infeasible or failed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network/network.hpp"
#include "validation/suite.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright::cli {

/// What `run`, `map` and `roofline` share.
struct RunOptions {
  std::string workload;
  std::vector<std::string> chips;
  std::int64_t batch = 0;        // 0: as in the workload
  std::vector<std::string> set;  // DIM=VALUE
  std::string precision;         // empty: as in the workload, or the chip's nearest
  std::string fuse = "default";
  std::string objective = "latency";
  std::string engine = "analytical";
  std::string format = "text";
  std::string output;  // empty: stdout
  std::string layer;   // map only
  bool allow_unmodelled = false;
  int jobs = 0;  // 0: all hardware threads
};

struct ValidateOptions {
  std::string suite;
  std::string data;  // empty: the project's own
  std::string leave_out = "none";
  std::string format = "text";
  std::string output;  // empty: stdout
};

/// A comparison with measurements or reference results.
struct Suite {
  std::string_view name, summary;
  SuiteResult (*run)(const ValidateOptions&);
};
std::span<const Suite> suites();

struct CalibrateOptions {
  std::string family;
  std::string data;    // empty: the project's own
  std::string output;  // empty: stdout
  bool bands = true;   // error bands by leaving shapes and devices out
};

int run(const RunOptions& options);
int map(const RunOptions& options);
int roofline(const RunOptions& options);
int evaluate_case(const std::string& path, const std::string& format, const std::string& output);
int validate_suite(const ValidateOptions& options);
int calibrate_family(const CalibrateOptions& options);
int list(const std::string& what);
int show(const std::string& what, const std::string& name, const RunOptions& options);
int check(const std::vector<std::string>& files);

// Shared steps (cli/request.cpp).
WorkloadGraph prepared_workload(const RunOptions& options);
std::vector<Chip> chosen_chips(const RunOptions& options);
NetworkOptions network_options(const RunOptions& options);
std::vector<std::pair<std::string, std::string>> request_fields(const RunOptions& options, const WorkloadGraph& graph,
                                                                const std::vector<Chip>& chips);
/// To `output`, or to stdout when it is empty.
void deliver(const std::string& text, const std::string& output);
/// Throws InputError for an option value that is not one of the known ones.
void require_choice(std::string_view option, const std::string& got, const std::vector<std::string>& known);

}  // namespace tilewright::cli
