#include "sim/twin/mesh.hpp"

#include <algorithm>
#include <cstddef>

namespace tilewright {
namespace {

/// Cores of a range on the places between two columns.
struct Population {
  std::int64_t left = 0, columns = 1, rows = 1;
  std::vector<double> cores;  // by place, row by row
  double& at(std::int64_t x, std::int64_t y) { return cores[static_cast<std::size_t>(y * columns + x - left)]; }
};

struct Place {
  std::int64_t x = 0, y = 0;
};

Place place_of(const Mesh& mesh, std::int64_t core) {
  const std::int64_t chip = core / mesh.cores_per_chip, place = core % mesh.cores_per_chip / mesh.cores_per_place;
  const std::int64_t y = place / mesh.width, along = place % mesh.width;
  return {chip * mesh.width + (y % 2 == 0 ? along : mesh.width - 1 - along), y};
}

struct Extent {
  std::int64_t left = 0, right = 0, top = 0, bottom = 0;
};

Extent extent_of(const Mesh& mesh, CoreRange range) {
  Extent e{INT64_MAX, 0, INT64_MAX, 0};
  for (std::int64_t core = range.first; core < range.first + range.count; ++core) {
    const Place place = place_of(mesh, core);
    e = {std::min(e.left, place.x), std::max(e.right, place.x), std::min(e.top, place.y), std::max(e.bottom, place.y)};
  }
  return e;
}

Population populate(const Mesh& mesh, CoreRange range, std::int64_t left, std::int64_t right) {
  Population p{left, right - left + 1, mesh.height, {}};
  p.cores.resize(static_cast<std::size_t>(p.columns * p.rows));
  for (std::int64_t core = range.first; core < range.first + range.count; ++core) {
    const Place place = place_of(mesh, core);
    p.at(place.x, place.y) += 1;
  }
  return p;
}

}  // namespace

SpikeFlow route_spikes(const Mesh& mesh, std::int64_t chips, CoreRange from, CoreRange to, double spikes,
                       double destinations) {
  enum Direction { east, west, south, north };
  SpikeFlow flow;
  const Extent a = extent_of(mesh, from), b = extent_of(mesh, to);
  const std::int64_t left = std::min(a.left, b.left), right = std::max(a.right, b.right);
  flow.longest = std::max(a.right - b.left, b.right - a.left) + std::max(a.bottom - b.top, b.bottom - a.top);
  const double of_a_pair = spikes * destinations / (static_cast<double>(from.count) * static_cast<double>(to.count));
  Population source = populate(mesh, from, left, right), target = populate(mesh, to, left, right);
  const std::int64_t width = chips * mesh.width;
  const auto cross = [&](std::int64_t x, std::int64_t y, Direction direction, double senders, double receivers) {
    if (senders * receivers <= 0) return;
    flow.links.push_back({(y * width + x) * 4 + direction, senders * receivers * of_a_pair});
    flow.hops += flow.links.back().spikes;
  };
  std::vector<double> in_column(static_cast<std::size_t>(source.columns)),
      in_row(static_cast<std::size_t>(mesh.height));
  for (std::int64_t y = 0; y < mesh.height; ++y) {
    for (std::int64_t x = left; x <= right; ++x) {
      in_column[static_cast<std::size_t>(x - left)] += target.at(x, y);
      in_row[static_cast<std::size_t>(y)] += source.at(x, y);
    }
  }
  const double receivers = static_cast<double>(to.count), senders = static_cast<double>(from.count);
  for (std::int64_t y = 0; y < mesh.height; ++y) {  // along x in the sender's row
    double sent = 0, reached = 0;                   // by those at or left of the link
    for (std::int64_t x = left; x < right; ++x) {
      sent += source.at(x, y);
      reached += in_column[static_cast<std::size_t>(x - left)];
      cross(x, y, east, sent, receivers - reached);
      cross(x + 1, y, west, in_row[static_cast<std::size_t>(y)] - sent, reached);
    }
  }
  for (std::int64_t x = left; x <= right; ++x) {  // along y in the receiver's column
    double sent = 0, reached = 0;
    for (std::int64_t y = 0; y + 1 < mesh.height; ++y) {
      sent += in_row[static_cast<std::size_t>(y)];
      reached += target.at(x, y);
      cross(x, y, south, sent, in_column[static_cast<std::size_t>(x - left)] - reached);
      cross(x, y + 1, north, senders - sent, reached);
    }
  }
  std::ranges::sort(flow.links, {}, &LinkLoad::link);
  return flow;
}

}  // namespace tilewright
