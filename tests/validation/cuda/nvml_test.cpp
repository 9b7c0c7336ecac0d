#include "validation/cuda/nvml.hpp"

#include <catch2/catch.hpp>

using tilewright::cuda::Nvml;

TEST_CASE("without the management library every answer is none, and the problem says so") {
  const Nvml nvml("0000:01:00.0", "libnothing-of-this-name.so.1");
  REQUIRE(nvml.problem() == "libnothing-of-this-name.so.1 cannot be opened");
  REQUIRE_FALSE(nvml.driver());
  REQUIRE_FALSE(nvml.uuid());
  REQUIRE_FALSE(nvml.sm_clock_mhz());
  REQUIRE_FALSE(nvml.power_w());
  REQUIRE_FALSE(nvml.energy_mj());
  REQUIRE_FALSE(nvml.ecc());
  REQUIRE_FALSE(nvml.persistence());
}

TEST_CASE("a library that lacks the functions is refused") {
  const Nvml nvml("0000:01:00.0", "libm.so.6");
  REQUIRE(nvml.problem() == "libm.so.6 is no management library");
  REQUIRE_FALSE(nvml.temperature_c());
}
