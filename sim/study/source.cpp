#include "sim/study/source.hpp"

namespace tilewright {

std::optional<Position> ListSource::next() {
  for (std::int64_t i = next_++; i < list_.size() && !stopped_(); i = next_++) {
    if (!held_[static_cast<std::size_t>(i)]) return list_[i];
  }
  return std::nullopt;
}

StrategySource::StrategySource(const StudyRequest& request, Known known, std::function<bool()> stopped)
    : request_(request), sizes_(axis_sizes(request)), stopped_(std::move(stopped)), known_(std::move(known)) {
  explorer_ = std::jthread([this] {
    StrategyOptions options;
    options.strategy = request_.strategy;
    options.budget = request_.budget;
    options.population = request_.population;
    options.seed = request_.seed;
    options.goals = request_.goals.size();
    options.stopped = stopped_;
    try {
      explore(sizes_, options, [this](std::span<const Position> points) { return scores_of(points); });
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    work_.notify_all();
  });
}

StrategySource::~StrategySource() = default;

/// Answers of points that were not evaluated because the sweep was stopped are worth nothing, and lead to nothing.
std::vector<Score> StrategySource::scores_of(std::span<const Position> points) {
  std::vector<std::string> keys;
  std::unique_lock lock(mutex_);
  for (const Position& point : points) {
    keys.push_back(key_of(point, sizes_));
    if (asked_.insert(keys.back()).second && !known_.contains(keys.back())) {
      waiting_.push_back(point);
      work_.notify_one();
    }
  }
  std::vector<Score> scores;
  for (const std::string& key : keys) {
    using namespace std::chrono_literals;
    while (!known_.contains(key) && !stopped_()) answers_.wait_for(lock, 50ms);  // a signal wakes nobody
    const auto found = known_.find(key);
    scores.push_back(found == known_.end() ? Score{{}, 1} : found->second);
  }
  return scores;
}

std::optional<Position> StrategySource::next() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [&] { return !waiting_.empty() || ended_; });
  if (waiting_.empty() || stopped_()) return std::nullopt;
  Position point = std::move(waiting_.front());
  waiting_.pop_front();
  return point;
}

void StrategySource::evaluated(const Position& point, const PointResult& result) {
  const std::lock_guard lock(mutex_);
  known_.emplace(key_of(point, sizes_), score_of(request_, result));
  answers_.notify_all();
}

std::int64_t StrategySource::asked() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
  return static_cast<std::int64_t>(asked_.size());
}

}  // namespace tilewright
