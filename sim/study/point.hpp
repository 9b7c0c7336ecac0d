// The result of one point of a study, and what makes a point the same as another.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/process_pool.hpp"
#include "sim/network/shared_network.hpp"
#include "sim/study/request.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// done: all figures hold and every constraint is met. violates: all figures hold, a constraint is not met (`message`). infeasible: a
/// layer does not fit on the chip. failed: the point cannot be built (an unknown key, a value out of range ...).
enum class PointStatus { done, violates, infeasible, failed };
std::string_view name(PointStatus status);

struct PointResult {
  PointStatus status = PointStatus::failed;
  std::string message;  // "" when done
  std::vector<double>
      figures;  // beside study_metrics(); empty when infeasible or failed; NaN: the chip file gives none
};

/// Evaluates points; reads every workload and chip file once. Safe to use from several threads.
class PointEvaluator {
 public:
  /// InputError when a workload or chip of the request cannot be read as it stands.
  explicit PointEvaluator(const StudyRequest& request);

  /// 128 bits in hexadecimal over all that decides the result: program version, content of the workload and chip files, the
  /// values of the axes, engine, objective, fusion, mappings, constraints. Equal points of different studies have equal identities.
  std::string identity(const StudyPoint& point, Engine engine) const;

  /// What the results rest on besides the request: version, content of the files, one line each.
  std::vector<std::string> inputs() const;

  /// Simulations one to a process: the SystemC kernel is one per process. To be called before other threads run; nothing for other
  /// engines, or where one job needs no other process.
  void fork_simulations(int jobs);

  /// To be called before other threads run: points at work give up when `stop` says so. Simulations of other processes are not asked.
  void stop_when(std::function<bool()> stop) { stop_ = std::move(stop); }

  /// Never throws for a bad point: it says so in its status. Where the process of a simulation died the point has failed. Stopped: `stop_when`.
  PointResult evaluate(const StudyPoint& point, Engine engine);

  /// The whole evaluation behind a point's figures. InputError for a point that failed.
  NetworkEvaluation network_of(const StudyPoint& point, Engine engine);

 private:
  PointResult evaluate_here(const StudyPoint& point, Engine engine);
  std::shared_ptr<const WorkloadGraph> graph_of(const StudyPoint& point);
  Chip chip_of(const StudyPoint& point, const std::vector<Override>& instead) const;
  NetworkEvaluation evaluate_network_of(const StudyPoint& point, const Chip& chip, Engine engine);
  PointResult evaluate_or_throw(const StudyPoint& point, Engine engine);

  const StudyRequest& request_;
  std::vector<std::string> keys_;
  std::string models_;                           // lines of the request that decide about accuracy and cost
  std::map<std::string, Value> chips_;           // documents by name
  std::map<std::string, std::string> contents_;  // hash of each workload and chip file by name
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const WorkloadGraph>> graphs_;  // by workload and model axes
  std::map<std::string, std::shared_ptr<SharedNetwork>> shared_;        // by all but the sizes of memories
  std::deque<std::string> oldest_shared_;
  std::unique_ptr<ProcessPool> processes_;  // of simulations
  std::function<bool()> stop_;
};

}  // namespace tilewright
