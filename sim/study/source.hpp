// Where the workers of a sweep get their points from.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "sim/study/sweep.hpp"

namespace tilewright {

/// Points for many workers. All functions may be called from several threads.
class PointSource {
 public:
  virtual ~PointSource() = default;
  /// The next point to evaluate; waits for one where results decide what comes next; none: the stage is at its end, or stopped.
  virtual std::optional<Position> next() = 0;
  /// The result of a point that `next` gave.
  virtual void evaluated(const Position& /*point*/, const PointResult& /*result*/) {}
};

/// A list without the points that are held already. Both must outlive it.
class ListSource : public PointSource {
 public:
  ListSource(const PointList& list, const std::vector<bool>& held, std::function<bool()> stopped)
      : list_(list), held_(held), stopped_(std::move(stopped)) {}
  std::optional<Position> next() override;

 private:
  const PointList& list_;
  const std::vector<bool>& held_;
  std::function<bool()> stopped_;
  std::atomic<std::int64_t> next_{0};
};

/// What an adaptive strategy asks for. Points that the store holds are answered from there.
class StrategySource : public PointSource {
 public:
  using Known = std::unordered_map<std::string, Score>;  // by key of the position
  /// Starts the strategy in a thread of its own.
  StrategySource(const StudyRequest& request, Known known, std::function<bool()> stopped);
  ~StrategySource() override;
  std::optional<Position> next() override;
  void evaluated(const Position& point, const PointResult& result) override;
  /// Distinct points that the strategy has asked for so far; after the end: all of them. Rethrows what went wrong in the strategy.
  std::int64_t asked();

 private:
  SurrogateOptions surrogate_options();
  std::vector<Score> scores_of(std::span<Position> points);
  /// Precondition: mutex_ is held.
  Position study_position(const Position& asked) const;

  const StudyRequest& request_;
  std::vector<std::size_t> sizes_;
  std::function<bool()> stopped_;
  std::mutex mutex_;
  std::condition_variable work_, answers_;
  Known known_;
  std::unordered_set<std::string> asked_;  // keys
  std::deque<Position> waiting_;
  bool ended_ = false;
  std::exception_ptr error_;
  std::jthread explorer_;  // last: it uses all of the above
};

}  // namespace tilewright
