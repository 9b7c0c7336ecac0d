#include "validation/cuda/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tilewright::cuda {
namespace {

class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace

int launches_per_graph(double launch_us, double least_ms, int most) {
  const double wanted = std::ceil(1e3 * least_ms / (launch_us > 0 ? launch_us : 1));
  return static_cast<int>(std::clamp(wanted, 1.0, static_cast<double>(most)));
}

bool is_steady(std::span<const double> times, std::size_t window, double share) {
  if (times.size() < window) return false;
  const auto [least, most] = std::ranges::minmax(times.last(window));
  return most - least <= share * least;
}

bool has_moved(double before, double after, double share) { return std::abs(after - before) > share * before; }

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  SplitMix random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
  return order;
}

std::vector<std::uint32_t> chase_links(std::uint32_t count, std::uint32_t stride, std::uint64_t seed) {
  std::vector<std::uint32_t> places(count);
  std::iota(places.begin(), places.end(), 0U);
  SplitMix random(seed);
  for (std::uint32_t i = count - 1; i > 0; --i) std::swap(places[i], places[random.next() % i]);
  std::vector<std::uint32_t> links(std::size_t{count} * stride, 0);
  for (std::uint32_t i = 0; i < count; ++i) links[std::size_t{i} * stride] = places[i] * stride;
  return links;
}

std::vector<std::int64_t> working_sets(std::int64_t least, std::int64_t most, int per_octave) {
  std::vector<std::int64_t> sets;
  for (int i = 0;; ++i) {
    const double size = static_cast<double>(least) * std::exp2(static_cast<double>(i) / per_octave);
    const std::int64_t rounded = static_cast<std::int64_t>(size / 512) * 512;
    if (rounded > most) return sets;
    if (rounded > 0 && (sets.empty() || rounded != sets.back())) sets.push_back(rounded);
  }
}

double power_from_energy(std::uint64_t before_mj, std::uint64_t after_mj, double seconds) {
  return 1e-3 * static_cast<double>(after_mj - before_mj) / seconds;
}

}  // namespace tilewright::cuda
