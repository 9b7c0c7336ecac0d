// Runs the points of a study that its store does not hold yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "sim/study/store.hpp"

namespace tilewright {

/// The points that a strategy names before the first is evaluated. They are visited with capacities and bandwidths changing fastest, so that
/// points that share mappings follow one another.
class PointList {
 public:
  /// Precondition: not an adaptive strategy. InputError: a grid of more than 2^32 points.
  explicit PointList(const StudyRequest& request);
  /// Some points of a request, in the order given.
  PointList(const StudyRequest& request, std::vector<Position> points);

  std::int64_t size() const;
  Position operator[](std::int64_t i) const;
  /// Where a point stands in the list; -1: nowhere.
  std::int64_t index_of(const Position& position) const;

 private:
  Position in_turn(const Position& position) const;

  std::vector<std::size_t> sizes_;
  std::vector<std::size_t> turns_;  // axes, slowest first
  std::int64_t grid_ = 0;
  bool all_ = true;
  std::vector<Position> drawn_;  // when not all: in visiting order
};

/// Points of the stage whose figures meet all constraints, the best part of them: those of the first fronts (none is better in all goals), whole fronts until at
/// least `keep` of the points are chosen. Ascending.
std::vector<Position> survivors(const StudyRequest& request, const StudyStore& store, std::size_t stage);

/// What a strategy is told of a point: logarithms of the goals' figures, and by what part its constraints are missed.
Score score_of(const StudyRequest& request, const PointResult& result);

struct SweepProgress {
  std::int64_t points = 0;                   // of this shard and of the stages that have begun
  std::int64_t stored = 0;                   // held now
  std::int64_t resumed = 0;                  // of these, held before this run
  std::int64_t by_status[4] = {0, 0, 0, 0};  // of those held, by PointStatus
  std::size_t stage = 0;                     // of the engines
  std::vector<double>
      best;  // per goal the best figure of a point of the last stage that met all constraints; NaN: none yet
  bool complete = false;  // all stages have come to their end
};

struct SweepOptions {
  Shard shard;
  int jobs = 1;
  std::int64_t most_failures = -1;  // stop when more points failed; -1: never
  const std::atomic<bool>* stop =
      nullptr;  // set from outside: finish the running points (or see them give up: PointEvaluator::stop_when), store them, return
  std::function<void(const SweepProgress&)> progress;  // after every stored batch
};

/// True if the point with this identity belongs to the shard.
bool in_shard(const std::string& identity, Shard shard);

/// Why a study cannot be divided into shards; "": it can. A shard must know its points before any is evaluated.
std::string shards_refused(const StudyRequest& request);

/// Evaluates what is missing. Results do not depend on jobs, shards or interruptions: each point depends on the request alone, and an adaptive strategy is shown
/// the stored results again. StoreError as StudyStore::add. InputError: shards_refused.
SweepProgress run_sweep(const StudyRequest& request, PointEvaluator& evaluator, StudyStore& store,
                        const SweepOptions& options);

}  // namespace tilewright
