#include "sim/study/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/csv.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/sweep.hpp"

namespace tilewright {
namespace {

std::string figure_text(double figure) { return std::isnan(figure) ? "" : fmt::format("{}", figure); }

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells) row += (row.empty() ? "" : ",") + csv_cell(cell);
  return row + "\n";
}

std::vector<std::string> table_header(const StudyRequest& request) {
  std::vector<std::string> header{"identity", "status", "message", "engine", "workload", "chip"};
  for (const std::string& key : axis_keys(request)) header.push_back(key);
  for (const Metric& metric : study_metrics()) header.emplace_back(metric.column);
  return header;
}

std::vector<std::string> coordinates(const StudyPoint& point) {
  std::vector<std::string> cells{point.workload, point.chip};
  cells.insert(cells.end(), point.values.begin(), point.values.end());
  return cells;
}

std::vector<std::string> table_row(const StudyRequest& request, const StoredPoint& stored) {
  std::vector<std::string> cells{stored.identity, std::string(name(stored.result.status)), stored.result.message,
                                 std::string(engine_name(request.engines.at(stored.stage)))};
  for (std::string& cell : coordinates(point_at(request, stored.position))) cells.push_back(std::move(cell));
  for (std::size_t m = 0; m < study_metrics().size(); ++m) {
    cells.push_back(stored.result.figures.empty() ? "" : figure_text(stored.result.figures[m]));
  }
  return cells;
}

/// Numbers of the metrics stay numbers; an absent figure is null.
std::string json_line(const std::vector<std::string>& header, const std::vector<std::string>& cells,
                      const StoredPoint& stored) {
  nlohmann::ordered_json line = nlohmann::ordered_json::object();
  const std::size_t metrics = header.size() - study_metrics().size();
  for (std::size_t c = 0; c < header.size(); ++c) {
    if (c < metrics) {
      line[header[c]] = cells[c];
    } else if (cells[c].empty()) {
      line[header[c]] = nullptr;
    } else {
      line[header[c]] = stored.result.figures[c - metrics];
    }
  }
  return line.dump() + "\n";
}

}  // namespace

void write_table(const StudyStore& store, TableFormat format, const std::function<void(std::string_view)>& write) {
  const StudyRequest request = store.request();
  const std::vector<std::string> header = table_header(request);
  if (format == TableFormat::csv) write(csv_row(header));
  store.for_each([&](const StoredPoint& stored) {
    const std::vector<std::string> cells = table_row(request, stored);
    write(format == TableFormat::csv ? csv_row(cells) : json_line(header, cells, stored));
  });
}

std::int64_t merge_shards(const std::string& folder) {
  std::map<int, std::string> files;  // by part
  int parts = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with("points-") || !file.ends_with(".sqlite")) continue;
    const Shard shard = StudyStore::read(entry.path().string()).shard();
    if (parts != 0 && shard.parts != parts) {
      throw InputError(
          {entry.path().string(), 0, 0, ""},
          fmt::format("is one of {} shards, others here are of {}; keep each division in a folder of its own",
                      shard.parts, parts));
    }
    parts = shard.parts;
    files[shard.part] = entry.path().string();
  }
  if (error) throw InputError({folder, 0, 0, ""}, error.message());
  if (files.empty())
    throw InputError({folder, 0, 0, ""},
                     "holds no shards; run `tilewright sweep STUDY -o FOLDER --shard 1/2` and so on");

  const StudyStore first = StudyStore::read(files.begin()->second);
  const StudyRequest request = first.request();
  const PointList list(request);
  std::vector<bool> held(static_cast<std::size_t>(list.size()), false);
  StudyStore whole = StudyStore::open(folder, request, first.inputs());
  for (const auto& [part, file] : files) {
    const StudyStore shard = StudyStore::read(file);
    if (canonical_lines(shard.request()) != canonical_lines(request) || shard.inputs() != first.inputs())
      throw InputError({file, 0, 0, ""},
                       fmt::format("belongs to another study, or to other files or another version, than {}",
                                   files.begin()->second));
    std::vector<StoredPoint> batch;
    shard.for_each([&](const StoredPoint& point) {
      const std::int64_t index = list.index_of(point.position);
      if (index < 0 || held[static_cast<std::size_t>(index)] || !in_shard(point.identity, {part, parts}))
        throw InputError({file, 0, 0, ""}, fmt::format("point {} belongs to another shard", point.identity));
      held[static_cast<std::size_t>(index)] = true;
      batch.push_back(point);
      constexpr std::size_t most_in_batch = 10'000;
      if (batch.size() == most_in_batch) whole.add(std::exchange(batch, {}));
    });
    if (!batch.empty()) whole.add(batch);
  }
  const std::int64_t missing = std::count(held.begin(), held.end(), false);
  if (missing > 0) {
    std::vector<std::string> absent;
    for (int part = 1; part <= parts; ++part) {
      if (!files.contains(part)) absent.push_back(fmt::format("{}/{}", part, parts));
    }
    throw InputError({folder, 0, 0, ""},
                     fmt::format("{} of {} points are in no shard; {}", missing, list.size(),
                                 absent.empty() ? "run the shards again to their end"
                                                : fmt::format("shards {} were not run", fmt::join(absent, ", "))));
  }
  whole.note_end();
  return list.size();
}

StudyComparison compare_studies(const std::string& file_a, const std::string& file_b, double tolerance) {
  const StudyStore a = StudyStore::read(file_a), b = StudyStore::read(file_b);
  const StudyRequest request_a = a.request(), request_b = b.request();
  const std::vector<std::string> keys_a = axis_keys(request_a), keys_b = axis_keys(request_b);
  const auto where = [](const StudyRequest& request, const std::vector<std::string>& keys, const StoredPoint& stored) {
    const StudyPoint point = point_at(request, stored.position);
    std::string text = point.workload + ", " + point.chip;
    std::map<std::string, std::string> axes;  // order of the axes does not matter
    for (std::size_t k = 0; k < keys.size(); ++k) axes[keys[k]] = point.values[k];
    for (const auto& [key, value] : axes) text += fmt::format(", {} = {}", key, value);
    return text + fmt::format(", {}", engine_name(request.engines.at(stored.stage)));
  };
  std::map<std::string, PointResult> before;
  a.for_each([&](const StoredPoint& p) { before.emplace(where(request_a, keys_a, p), p.result); });

  StudyComparison comparison;
  const auto note = [&](Change change) {
    ++comparison.changed;
    constexpr std::size_t most_shown = 20;
    auto& list = comparison.largest;
    const auto place = std::upper_bound(list.begin(), list.end(), change,
                                        [](const Change& x, const Change& y) { return x.relative > y.relative; });
    list.insert(place, std::move(change));
    if (list.size() > most_shown) list.pop_back();
  };
  constexpr double unlike = std::numeric_limits<double>::infinity();
  b.for_each([&](const StoredPoint& p) {
    const std::string key = where(request_b, keys_b, p);
    const auto found = before.find(key);
    if (found == before.end()) {
      ++comparison.only_b;
      return;
    }
    ++comparison.points;
    const PointResult &was = found->second, &is = p.result;
    if (was.status != is.status)
      note({key, "status", std::string(name(was.status)), std::string(name(is.status)), unlike});
    for (std::size_t m = 0; m < std::min(was.figures.size(), is.figures.size()); ++m) {
      const double x = was.figures[m], y = is.figures[m];
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      const double relative = std::isnan(x) || std::isnan(y) || x == 0 ? unlike : std::abs(y - x) / std::abs(x);
      if (relative > tolerance)
        note({key, std::string(study_metrics()[m].column), figure_text(x), figure_text(y), relative});
    }
  });
  comparison.only_a = static_cast<std::int64_t>(before.size()) - comparison.points;
  return comparison;
}

}  // namespace tilewright
