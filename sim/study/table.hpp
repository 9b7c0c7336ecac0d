// Results of a study as tables, and two studies side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/study/store.hpp"

namespace tilewright {

enum class TableFormat { csv, json_lines };

/// One row a point and engine in the order of the study: identity, status, message, engine, workload, chip, the axes, the metrics in base
/// units ("" or null: no figure). Numbers are the shortest text that reads back to the same double. `write` gets it piece by piece.
void write_table(const StudyStore& store, TableFormat format, const std::function<void(std::string_view)>& write);

/// Puts the points of all shard stores in `folder` into FOLDER/points.sqlite; returns their number. InputError: no shards, shards of
/// different studies or divisions, a point in two shards, points that no shard holds (the shards to run again are named).
std::int64_t merge_shards(const std::string& folder);

/// A figure of one point that differs between two runs. `relative`: |after - before| / |before|, infinite where one has no figure.
struct Change {
  std::string point;   // workload, chip and axes
  std::string metric;  // or "status"
  std::string before, after;
  double relative = 0;
};
struct StudyComparison {
  std::int64_t points = 0;              // in both
  std::int64_t only_a = 0, only_b = 0;  // in one
  std::int64_t changed = 0;             // figures beyond the tolerance
  std::vector<Change> largest;          // of these, at most twenty, the largest first
};
/// Points are the same where workload, chip, all axes and the engine are written alike, whatever version or chip file they were run with.
StudyComparison compare_studies(const std::string& file_a, const std::string& file_b, double tolerance);

}  // namespace tilewright
