#include "sim/study/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "sim/study/metrics.hpp"
#include "sim/study/source.hpp"

namespace tilewright {

bool in_shard(const std::string& identity, Shard shard) {
  std::uint64_t head = 0;  // the first 15 digits of a hash are as good as any
  std::from_chars(identity.data(), identity.data() + std::min<std::size_t>(identity.size(), 15), head, 16);
  return head % static_cast<std::uint64_t>(shard.parts) == static_cast<std::uint64_t>(shard.part - 1);
}

std::string shards_refused(const StudyRequest& request) {
  if (adaptive(request.strategy))
    return fmt::format(
        "{} decides by the results of all points before, which no shard has; run it with --jobs, or divide a grid, "
        "random or sobol study",
        name(request.strategy));
  if (request.engines.size() > 1)
    return fmt::format(
        "which points go on from {} to {} is decided by all of them, and no shard has all; run it with --jobs",
        engine_name(request.engines[0]), engine_name(request.engines[1]));
  return "";
}

Score score_of(const StudyRequest& request, const PointResult& result) {
  constexpr double least = 1e-300;  // a figure of zero has a logarithm too
  Score score;
  if (result.figures.empty()) {
    score.violation = std::numeric_limits<double>::infinity();
    return score;
  }
  for (const StudyConstraint& constraint : request.constraints) {
    const double figure = result.figures[constraint.metric];
    const double missed =
        constraint.comparison == Comparison::at_most ? figure - constraint.limit : constraint.limit - figure;
    if (missed > 0) score.violation += missed / std::max(std::abs(constraint.limit), least);
  }
  for (const StudyGoal& goal : request.goals) {
    const double figure = result.figures[goal.metric];
    if (std::isnan(figure)) {  // the chip file gives none
      score.violation = std::numeric_limits<double>::infinity();
      return score;
    }
    score.goals.push_back((goal.maximize ? -1 : 1) * std::log(std::max(figure, least)));
  }
  return score;
}

namespace {

/// Finished points on their way from the workers to the store.
class Outbox {
 public:
  explicit Outbox(int workers) : working_(workers) {}

  void put(StoredPoint point) {
    std::unique_lock lock(mutex_);
    constexpr std::size_t most_waiting = 4096;  // the store is slower than this many points: workers wait
    room_.wait(lock, [&] { return waiting_.size() < most_waiting || closed_; });
    waiting_.push_back(std::move(point));
    if (waiting_.size() >= enough) news_.notify_one();
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --working_;
    news_.notify_one();
  }
  /// What waits: a batch, or what a tenth of a second brought; empty when all workers have left.
  std::vector<StoredPoint> take() {
    using namespace std::chrono_literals;
    std::unique_lock lock(mutex_);
    do {
      news_.wait_for(lock, 100ms, [&] { return waiting_.size() >= enough || working_ == 0; });
    } while (waiting_.empty() && working_ > 0);
    room_.notify_all();
    return std::exchange(waiting_, {});
  }
  /// Workers that wait for room go on; nobody takes any more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
  }

 private:
  static constexpr std::size_t enough = 1024;
  std::mutex mutex_;
  std::condition_variable news_, room_;
  std::vector<StoredPoint> waiting_;
  int working_;
  bool closed_ = false;
};

void keep_best(const StudyRequest& request, const StoredPoint& point, SweepProgress& progress) {
  if (point.result.status != PointStatus::done || point.stage + 1 != request.engines.size()) return;
  for (std::size_t g = 0; g < request.goals.size(); ++g) {
    const StudyGoal& goal = request.goals[g];
    const double figure = point.result.figures[goal.metric];
    double& best = progress.best[g];
    const bool better = goal.maximize ? figure > best : figure < best;
    if (better || std::isnan(best)) best = figure;
  }
}

/// One sweep: its stages one after the other.
class Sweep {
 public:
  Sweep(const StudyRequest& request, PointEvaluator& evaluator, StudyStore& store, const SweepOptions& options)
      : request_(request), evaluator_(evaluator), store_(store), options_(options) {
    progress_.best.assign(request.goals.size(), no_figure);
    store.for_each([&](const StoredPoint& point) { count(point); });
    progress_.resumed = progress_.stored;
  }

  SweepProgress run() {
    bool complete = true;
    for (; complete && progress_.stage < request_.engines.size(); ++progress_.stage) {
      complete = progress_.stage == 0 && adaptive(request_.strategy) ? run_strategy() : run_list();
    }
    --progress_.stage;
    progress_.complete = complete;
    if (options_.progress) options_.progress(progress_);
    return progress_;
  }

 private:
  bool stopped() const { return stop_ || (options_.stop != nullptr && *options_.stop); }

  void count(const StoredPoint& point) {
    ++progress_.stored;
    ++progress_.by_status[static_cast<std::size_t>(point.result.status)];
    keep_best(request_, point, progress_);
  }

  /// True when every point of the stage is stored.
  bool run_list() {
    const PointList list = progress_.stage == 0 ? PointList(request_)
                                                : PointList(request_, survivors(request_, store_, progress_.stage - 1));
    std::vector<bool> held(static_cast<std::size_t>(list.size()), false);
    std::int64_t open = list.size();
    const auto mark = [&](std::int64_t i) {
      if (i < 0 || held[static_cast<std::size_t>(i)]) return;
      held[static_cast<std::size_t>(i)] = true;
      --open;
    };
    const std::size_t stage = progress_.stage;
    std::int64_t here = 0;
    store_.for_each([&](const StoredPoint& point) {
      if (point.stage != stage) return;
      mark(list.index_of(point.position));
      ++here;
    });
    if (options_.shard.parts > 1) {
      for (std::int64_t i = 0; i < list.size(); ++i) {
        const StudyPoint point = point_at(request_, list[i]);
        if (!in_shard(evaluator_.identity(point, request_.engines[stage]), options_.shard)) mark(i);
      }
    }
    progress_.points += here + open;
    ListSource source(list, held, [this] { return stopped(); });
    return run_workers(source) == open && !stopped();
  }

  bool run_strategy() {
    StrategySource::Known known;
    const std::vector<std::size_t> sizes = axis_sizes(request_);
    store_.for_each([&](const StoredPoint& point) {
      if (point.stage == 0) known.emplace(key_of(point.position, sizes), score_of(request_, point.result));
    });
    progress_.points = request_.budget;
    StrategySource source(request_, std::move(known), [this] { return stopped(); });
    run_workers(source);
    const std::int64_t asked = source.asked();
    if (stopped()) return false;
    progress_.points = asked;  // less than the budget where nothing new was left
    return true;
  }

  /// Evaluates what the source gives and stores it; the number of points.
  std::int64_t run_workers(PointSource& source) {
    const int jobs = std::max(options_.jobs, 1);
    Outbox outbox(jobs);
    std::exception_ptr error;
    std::mutex error_mutex;
    std::int64_t evaluated = 0;
    const std::size_t stage = progress_.stage;
    const Engine engine = request_.engines[stage];
    const auto work = [&] {
      try {
        while (std::optional<Position> position = source.next()) {
          const StudyPoint point = point_at(request_, *position);
          StoredPoint finished{*position, stage, evaluator_.identity(point, engine),
                               evaluator_.evaluate(point, engine)};
          source.evaluated(*position, finished.result);
          outbox.put(std::move(finished));
        }
      } catch (const Stopped&) {  // the point is run again when the study goes on
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        stop_ = true;
      }
      outbox.leave();
    };
    {
      std::vector<std::jthread> workers;
      for (int j = 0; j < jobs; ++j) workers.emplace_back(work);
      try {
        for (std::vector<StoredPoint> batch = outbox.take(); !batch.empty(); batch = outbox.take()) {
          store_.add(batch);
          evaluated += static_cast<std::int64_t>(batch.size());
          for (const StoredPoint& point : batch) count(point);
          if (options_.progress) options_.progress(progress_);
          const auto failures = progress_.by_status[static_cast<std::size_t>(PointStatus::failed)];
          if (options_.most_failures >= 0 && failures > options_.most_failures) stop_ = true;
        }
      } catch (...) {
        stop_ = true;
        outbox.close();
        throw;
      }
    }
    if (error) std::rethrow_exception(error);
    return evaluated;
  }

  const StudyRequest& request_;
  PointEvaluator& evaluator_;
  StudyStore& store_;
  const SweepOptions& options_;
  std::atomic<bool> stop_{false};
  SweepProgress progress_;
};

}  // namespace

SweepProgress run_sweep(const StudyRequest& request, PointEvaluator& evaluator, StudyStore& store,
                        const SweepOptions& options) {
  if (options.shard.parts > 1) {
    if (const std::string why = shards_refused(request); !why.empty())
      throw InputError({request.path, 0, 0, "search.strategy"}, why);
  }
  return Sweep(request, evaluator, store, options).run();
}

}  // namespace tilewright
