// Runs the points of a study that its store does not hold yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "sim/study/store.hpp"

namespace tilewright {

/// The points that a study asks for, by grid index in ascending order.
class PointList {
 public:
  explicit PointList(const StudyRequest& request);
  std::int64_t size() const;
  std::int64_t operator[](std::int64_t i) const;

 private:
  std::int64_t grid_ = 0;
  bool all_ = true;
  std::vector<std::int64_t> drawn_;  // when not all
};

struct SweepProgress {
  std::int64_t points = 0;                   // of this shard
  std::int64_t stored = 0;                   // held now
  std::int64_t resumed = 0;                  // of these, held before this run
  std::int64_t by_status[4] = {0, 0, 0, 0};  // evaluated in this run, by PointStatus
  std::vector<double> best;  // per goal the best figure of a point that met all constraints in this run; NaN: none yet
};

struct SweepOptions {
  Shard shard;
  int jobs = 1;
  std::int64_t most_failures = -1;          // stop when more points failed; -1: never
  const std::atomic<bool>* stop = nullptr;  // set from outside: finish the running points, store them, return
  std::function<void(const SweepProgress&)> progress;  // after every stored batch
};

/// True if the point with this identity belongs to the shard.
bool in_shard(const std::string& identity, Shard shard);

/// Evaluates what is missing. Results do not depend on jobs, shards or interruptions: each point depends on the request alone.
/// StoreError as StudyStore::add.
SweepProgress run_sweep(const StudyRequest& request, PointEvaluator& evaluator, StudyStore& store,
                        const SweepOptions& options);

}  // namespace tilewright
