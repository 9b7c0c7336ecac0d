// The store of a study: one SQLite file. The only room that sees SQLite.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/study/point.hpp"

namespace tilewright {

/// The store cannot go on (disk full, file gone, file damaged, in use): what is in it stays. Exit code 3.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct StoredPoint {
  Position position;
  std::size_t stage = 0;  // position in the study's engines
  std::string identity;
  PointResult result;
};

/// Part i of n of a study's points (by identity); 1 of 1: all.
struct Shard {
  int part = 1, parts = 1;
};

class StudyStore {
 public:
  /// Opens or makes FOLDER/points.sqlite (FOLDER/points-IofN.sqlite of a shard) for one process at a time. `inputs`: what the results rest on
  /// besides the request, as lines (PointEvaluator::inputs). StoreError: the folder cannot be written, another process has it, the file is
  /// damaged or of another program. InputError: it belongs to another study or to other inputs; the message shows the lines that differ.
  static StudyStore open(const std::string& folder, const StudyRequest& request, const std::vector<std::string>& inputs,
                         Shard shard = {});
  /// Opens a store file to read, or StoreError.
  static StudyStore read(const std::string& file);

  StudyStore(StudyStore&&) noexcept;
  ~StudyStore();

  /// Durable when it returns: all of them or none.
  void add(const std::vector<StoredPoint>& points);
  std::int64_t count() const;
  /// In the order of their positions, then stages; `visit` gets one at a time, so that memory stays flat. StoreError where the store is damaged.
  void for_each(const std::function<void(const StoredPoint&)>& visit) const;
  /// The study that the store belongs to, as it was when the store was made.
  StudyRequest request() const;
  std::vector<std::string> inputs() const;
  Shard shard() const;
  /// Writes who adds points: version, host, command; and, when asked again, when that run ended. Not part of any result.
  void note_run(const std::string& text);
  void note_end();
  /// What note_run wrote, with begin and end (UTC; "" where a run was cut off), oldest first.
  struct Run {
    std::string text, begin, end;
  };
  std::vector<Run> runs() const;

 private:
  struct Impl;
  explicit StudyStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

std::string store_file(const std::string& folder, Shard shard);

}  // namespace tilewright
