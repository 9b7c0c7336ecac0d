#include "sim/study/sweep.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_set>

#include "sim/study/metrics.hpp"

namespace tilewright {

PointList::PointList(const StudyRequest& request) : grid_(grid_size(request)) {
  all_ = request.strategy == Strategy::grid || request.budget >= grid_;
  if (all_) return;
  std::mt19937_64 random(request.seed);
  const auto size = static_cast<std::uint64_t>(grid_);
  const std::uint64_t fair = std::mt19937_64::max() - std::mt19937_64::max() % size;  // every index equally likely
  std::unordered_set<std::int64_t> seen;
  while (static_cast<std::int64_t>(drawn_.size()) < request.budget) {
    const std::uint64_t draw = random();
    if (draw >= fair) continue;
    const auto index = static_cast<std::int64_t>(draw % size);
    if (seen.insert(index).second) drawn_.push_back(index);
  }
  std::sort(drawn_.begin(), drawn_.end());
}

std::int64_t PointList::size() const { return all_ ? grid_ : static_cast<std::int64_t>(drawn_.size()); }
std::int64_t PointList::operator[](std::int64_t i) const { return all_ ? i : drawn_[static_cast<std::size_t>(i)]; }

bool in_shard(const std::string& identity, Shard shard) {
  std::uint64_t head = 0;  // the first 15 digits of a hash are as good as any
  std::from_chars(identity.data(), identity.data() + std::min<std::size_t>(identity.size(), 15), head, 16);
  return head % static_cast<std::uint64_t>(shard.parts) == static_cast<std::uint64_t>(shard.part - 1);
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
    news_.notify_one();
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --working_;
    news_.notify_one();
  }
  /// Everything that waits; empty when all workers have left.
  std::vector<StoredPoint> take() {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return !waiting_.empty() || working_ == 0; });
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
  std::mutex mutex_;
  std::condition_variable news_, room_;
  std::vector<StoredPoint> waiting_;
  int working_;
  bool closed_ = false;
};

void keep_best(const StudyRequest& request, const PointResult& result, std::vector<double>& best) {
  if (result.status != PointStatus::done) return;
  for (std::size_t g = 0; g < request.goals.size(); ++g) {
    const StudyGoal& goal = request.goals[g];
    const double figure = result.figures[goal.metric];
    const bool better = goal.maximize ? figure > best[g] : figure < best[g];
    if (better || best[g] != best[g]) best[g] = figure;
  }
}

}  // namespace

SweepProgress run_sweep(const StudyRequest& request, PointEvaluator& evaluator, StudyStore& store,
                        const SweepOptions& options) {
  const PointList points(request);
  const std::vector<bool> held = store.stored(points.size());
  SweepProgress progress;
  progress.best.assign(request.goals.size(), no_figure);
  progress.resumed = progress.stored = std::count(held.begin(), held.end(), true);
  if (options.shard.parts == 1) {
    progress.points = points.size();
  } else {
    for (std::int64_t i = 0; i < points.size(); ++i) {
      progress.points += in_shard(evaluator.identity(point_at(request, points[i])), options.shard);
    }
  }

  const int jobs = std::max(options.jobs, 1);
  Outbox outbox(jobs);
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto stopped = [&] { return stop || (options.stop != nullptr && *options.stop); };
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < points.size() && !stopped(); i = next++) {
        if (held[static_cast<std::size_t>(i)]) continue;
        const StudyPoint point = point_at(request, points[i]);
        std::string identity = evaluator.identity(point);
        if (!in_shard(identity, options.shard)) continue;
        outbox.put({i, std::move(identity), evaluator.evaluate(point)});
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      stop = true;
    }
    outbox.leave();
  };
  {
    std::vector<std::jthread> workers;
    for (int j = 0; j < jobs; ++j) workers.emplace_back(work);
    try {
      for (std::vector<StoredPoint> batch = outbox.take(); !batch.empty(); batch = outbox.take()) {
        store.add(batch);
        progress.stored += static_cast<std::int64_t>(batch.size());
        for (const StoredPoint& point : batch) {
          ++progress.by_status[static_cast<std::size_t>(point.result.status)];
          keep_best(request, point.result, progress.best);
        }
        if (options.progress) options.progress(progress);
        const auto failures = progress.by_status[static_cast<std::size_t>(PointStatus::failed)];
        if (options.most_failures >= 0 && failures > options.most_failures) stop = true;
      }
    } catch (...) {
      stop = true;
      outbox.close();
      throw;
    }
  }
  if (error) std::rethrow_exception(error);
  return progress;
}

}  // namespace tilewright
