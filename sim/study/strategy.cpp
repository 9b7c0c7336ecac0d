#include "sim/study/strategy.hpp"

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <unordered_set>

namespace tilewright {
namespace {

constexpr std::int64_t most_points = std::int64_t{1} << 62;

std::size_t bytes_of(std::size_t size) {
  std::size_t bytes = 1;
  while (bytes < sizeof(std::size_t) && (size - 1) >> (8 * bytes) != 0) ++bytes;
  return bytes;
}

/// Uniform in 0 .. size - 1.
std::size_t draw(std::mt19937_64& random, std::size_t size) {
  const std::uint64_t fair = std::mt19937_64::max() - std::mt19937_64::max() % size;
  std::uint64_t number = random();
  while (number >= fair) number = random();
  return static_cast<std::size_t>(number % size);
}

}  // namespace

std::string_view name(Strategy strategy) { return strategy_names()[static_cast<std::size_t>(strategy)]; }

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names{"grid", "random", "sobol", "nsga2", "moead", "cmaes", "annealing"};
  return names;
}

bool adaptive(Strategy strategy) { return strategy >= Strategy::nsga2; }

std::size_t least_goals(Strategy strategy) {
  return strategy == Strategy::nsga2 || strategy == Strategy::moead ? 2 : 1;
}

std::int64_t space_size(std::span<const std::size_t> sizes) {
  std::int64_t points = 1;
  for (const std::size_t size : sizes) {
    if (size > static_cast<std::size_t>(most_points / points)) return -1;
    points *= static_cast<std::int64_t>(size);
  }
  return points;
}

std::string key_of(std::span<const std::size_t> position, std::span<const std::size_t> sizes) {
  std::string key;
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    for (std::size_t byte = bytes_of(sizes[a]); byte-- > 0;) key += static_cast<char>(position[a] >> (8 * byte) & 0xff);
  }
  return key;
}

Position position_of(std::string_view key, std::span<const std::size_t> sizes) {
  Position position;
  std::size_t at = 0;
  for (const std::size_t size : sizes) {
    const std::size_t bytes = bytes_of(size);
    if (at + bytes > key.size()) return {};
    std::size_t digit = 0;
    for (std::size_t byte = 0; byte < bytes; ++byte) digit = digit << 8 | static_cast<unsigned char>(key[at + byte]);
    if (digit >= size) return {};
    position.push_back(digit);
    at += bytes;
  }
  return at == key.size() ? position : Position{};
}

std::vector<Position> drawn_points(std::span<const std::size_t> sizes, Strategy strategy, std::int64_t count,
                                   std::uint64_t seed) {
  const std::int64_t all = space_size(sizes);
  if (all >= 0) count = std::min(count, all);
  std::unordered_set<std::string> seen;
  std::vector<Position> points;
  const auto add = [&](Position point) {
    const bool fresh = seen.insert(key_of(point, sizes)).second;
    if (fresh) points.push_back(std::move(point));
    return fresh;
  };
  const auto complete = [&] { return static_cast<std::int64_t>(points.size()) >= count; };
  std::mt19937_64 random(seed);
  if (strategy == Strategy::sobol) {
    boost::random::sobol sequence(std::max<std::size_t>(sizes.size(), 1));
    const auto unit = [](std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; };
    std::vector<double> shifts;  // the whole sequence moved by the seed (Cranley and Patterson, 1976)
    for (std::size_t a = 0; a < sizes.size(); ++a) shifts.push_back(unit(random()));
    constexpr int most_idle = 10'000;
    for (int idle = 0; !complete() && idle < most_idle;) {
      Position point;
      for (std::size_t a = 0; a < sizes.size(); ++a) {
        const double moved = unit(sequence()) + shifts[a], size = static_cast<double>(sizes[a]);
        point.push_back(std::min(sizes[a] - 1, static_cast<std::size_t>((moved - std::floor(moved)) * size)));
      }
      idle = add(std::move(point)) ? 0 : idle + 1;
    }
  }
  while (!complete()) {
    Position point;
    for (const std::size_t size : sizes) point.push_back(draw(random, size));
    add(std::move(point));
  }
  std::sort(points.begin(), points.end());
  return points;
}

}  // namespace tilewright
