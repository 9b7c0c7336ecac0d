// How often, in which order, and when a measurement counts: decisions without a GPU.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tilewright::cuda {

/// Launches in one graph: as many as last `least_ms` together, from 1 to `most`. A launch that took no measurable time counts as 1 us.
int launches_per_graph(double launch_us, double least_ms, int most);
/// The last `window` times agree within `share` of the smallest: the device is warm. False while there are fewer.
bool is_steady(std::span<const double> times, std::size_t window, double share);
/// |after - before| above `share` of `before`.
bool has_moved(double before, double after, double share);
/// A permutation of 0 ... count - 1, the same for the same seed on every machine.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed);
/// A cycle through `count` places that visits each once (Sattolo): links of a pointer chase. Precondition: count >= 1.
std::vector<std::uint32_t> chase_links(std::uint32_t count, std::uint32_t stride, std::uint64_t seed);
/// Working sets from `least` to at most `most` bytes, `per_octave` a doubling, multiples of 512.
std::vector<std::int64_t> working_sets(std::int64_t least, std::int64_t most, int per_octave);

/// Mean power of an interval in W. The counter counts mJ and may be read only where the driver has one.
double power_from_energy(std::uint64_t before_mj, std::uint64_t after_mj, double seconds);

}  // namespace tilewright::cuda
