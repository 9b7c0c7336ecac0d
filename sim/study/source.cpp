#include "sim/study/source.hpp"

#include <algorithm>

#include "sim/study/surrogate.hpp"

namespace tilewright {
namespace {

constexpr std::ptrdiff_t arch_axis = 2;  // behind workload and chip

}  // namespace

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
    if (request_.proposals > 0) options.surrogate = surrogate_options();
    std::vector<std::size_t> sizes = sizes_;
    if (request_.architectures) {
      // The strategy varies choices of the space; only points of the list count.
      const std::vector<std::size_t> choices = choice_sizes(request_.architectures->space);
      sizes.erase(sizes.begin() + arch_axis);
      sizes.insert(sizes.begin() + arch_axis, choices.begin(), choices.end());
      constexpr std::int64_t most_repeats = 100;  // of one point, on average
      options.budget *= most_repeats;
      const std::int64_t all = space_size(sizes_);
      const std::int64_t wanted = all < 0 ? request_.budget : std::min(request_.budget, all);
      options.stopped = [this, wanted] { return stopped_() || asked() >= wanted; };
    }
    try {
      explore(sizes, options, [this](std::span<Position> points) { return scores_of(points); });
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

SurrogateOptions StrategySource::surrogate_options() {
  SurrogateOptions options = surrogate_axes(request_);
  options.meant = [this](Position& proposal) {
    const std::lock_guard lock(mutex_);
    const Position point = study_position(proposal);
    proposal = on_surrogate_axes(request_, point);
    return !asked_.contains(key_of(point, sizes_));
  };
  return options;
}

/// Answers of points that were not evaluated because the sweep was stopped are worth nothing, and lead to nothing.
std::vector<Score> StrategySource::scores_of(std::span<Position> points) {
  std::vector<std::string> keys;
  std::unique_lock lock(mutex_);
  for (Position& asked : points) {
    const Position point = study_position(asked);
    keys.push_back(key_of(point, sizes_));
    const bool over = request_.architectures && static_cast<std::int64_t>(asked_.size()) >= request_.budget &&
                      !asked_.contains(keys.back());
    if (over) continue;
    if (asked_.insert(keys.back()).second && !known_.contains(keys.back())) {
      waiting_.push_back(point);
      work_.notify_one();
    }
    asked = on_surrogate_axes(request_, point);
  }
  std::vector<Score> scores;
  for (const std::string& key : keys) {
    using namespace std::chrono_literals;
    while (asked_.contains(key) && !known_.contains(key) && !stopped_())
      answers_.wait_for(lock, 50ms);  // a signal wakes nobody
    const auto found = known_.find(key);
    scores.push_back(found == known_.end() || !asked_.contains(key) ? Score{{}, 1} : found->second);
  }
  return scores;
}

/// Of choices: the nearest architecture of the list that was not asked for on this chip yet. So a strategy that comes back to where it has been
/// looks at the neighbours.
Position StrategySource::study_position(const Position& asked) const {
  if (!request_.architectures) return asked;
  const ArchitectureList& list = *request_.architectures;
  const auto first = asked.begin() + arch_axis, last = first + static_cast<std::ptrdiff_t>(list.space.choices.size());
  Position point(asked.begin(), first);
  point.push_back(0);
  point.insert(point.end(), last, asked.end());
  point[arch_axis] = nearest(list, canonical(list.space, Architecture(first, last)), [&](std::size_t i) {
    point[arch_axis] = i;
    return !asked_.contains(key_of(point, sizes_));
  });
  return point;
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
