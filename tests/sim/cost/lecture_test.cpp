// Figures of the lecture "Efficient models: challenges and trends" (E. Shvetsov), recomputed; MAC and access energies: Horowitz, ISSCC 2014.
#include <catch2/catch.hpp>

#include <cmath>

#include "sim/cost/cost.hpp"
#include "sim/cost/roofline.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

constexpr double v100_tensor = 125e12, v100_fp32 = 15.7e12, v100_bandwidth = 900e9;  // SXM2 data sheet

}  // namespace

TEST_CASE("a product of n x p and p x m takes 2 n m p operations") {  // T1
  const Problem p = gemm(8192, 128, 8192, DataType::fp16);
  const RooflineVerdict v = roofline(p, v100_tensor, v100_bandwidth);
  CHECK(2 * p.points() == 17179869184);
  CHECK(v.compute_time.value == Approx(137.44e-6).epsilon(1e-4));
}

TEST_CASE("the fp16 product 8192 x 128 x 8192 is memory bound on a V100") {  // T2
  // bytes = 2 (8192 x 8192 + 2 x 8192 x 128) = 138,412,032
  const RooflineVerdict v = roofline(gemm(8192, 128, 8192, DataType::fp16), v100_tensor, v100_bandwidth);
  CHECK(v.intensity == Approx(17179869184.0 / 138412032.0));
  CHECK(v.intensity == Approx(124.12).margin(0.01));
  CHECK(v.ridge == Approx(138.89).margin(0.01));
  CHECK(v.memory_bound);
  CHECK(v.attainable == Approx(111.7e12).margin(0.05e12));
  CHECK(v.memory_time.value == Approx(153.79e-6).epsilon(1e-4));
  // With the 112 TFLOP/s of the PCIe card the ridge falls to 124.44: still memory bound, by 0.26 %.
  const RooflineVerdict pcie = roofline(gemm(8192, 128, 8192, DataType::fp16), 112e12, v100_bandwidth);
  CHECK(pcie.ridge == Approx(124.44).margin(0.01));
  CHECK(pcie.memory_bound);
}

TEST_CASE("144 columns are the fewest that leave the memory roof") {  // T3
  const auto memory_bound = [](std::int64_t n) {
    return roofline(gemm(8192, n, 8192, DataType::fp16), v100_tensor, v100_bandwidth).memory_bound;
  };
  CHECK(memory_bound(143));
  CHECK_FALSE(memory_bound(144));
  const auto layer = [](std::int64_t batch, double peak, double bandwidth) {
    return roofline(gemm(batch, 4096, 4096, DataType::fp16), peak, bandwidth).memory_bound;
  };
  CHECK((layer(148, v100_tensor, v100_bandwidth) && !layer(149, v100_tensor, v100_bandwidth)));
  CHECK((layer(222, 312e12, 1555e9) && !layer(223, 312e12, 1555e9)));  // A100-40GB
}

TEST_CASE("in fp32 the same product is compute bound") {  // T4
  const RooflineVerdict v = roofline(gemm(8192, 128, 8192, DataType::fp32), v100_fp32, v100_bandwidth);
  CHECK(v.intensity == Approx(62.06).margin(0.01));
  CHECK_FALSE(v.memory_bound);
  CHECK(roofline(gemm(8192, 128, 8192, DataType::int8), v100_tensor, v100_bandwidth).intensity ==
        Approx(248.24).margin(0.01));
}

TEST_CASE("a tiled product of N loads 2 N^3 / T words") {  // T5
  const auto loads = [](std::int64_t n, std::int64_t tile) {
    const Problem p = gemm(n, n, n, DataType::fp32);
    Mapping m;
    m.levels.resize(2);
    m.levels[0] = {{{0, n / tile}, {1, n / tile}, {2, n / tile}}, {true, true, true}};
    m.levels[1] = {{{0, tile}, {1, tile}, {2, tile}}, {true, true, true}};
    const AccessCounts counts = count_accesses(p, m);
    return counts.levels[0][0].reads + counts.levels[0][1].reads;
  };
  for (const std::int64_t tile : {4, 16, 32}) { CHECK(loads(1024, tile) == 2 * 1024LL * 1024 * 1024 / tile); }
  CHECK(loads(1024, 1) == 2147483648);
}

TEST_CASE("cards are bought whole: cost falls in steps") {  // T10
  // 350 GB of fp16 weights on 80 GB cards, the share x saved
  const auto cards = [](double saved) { return std::ceil(350.0 * (1.0 - saved) / 80.0); };
  CHECK(cards(0.0) == 5);
  for (const auto& [step, before] :
       {std::pair{3.0 / 35, 5}, {11.0 / 35, 4}, {19.0 / 35, 3}}) {  // 8.57 %, 31.43 %, 54.29 %
    CHECK(cards(step - 1e-6) == before);
    CHECK(cards(step + 1e-6) == before - 1);
  }
}

TEST_CASE("narrower formats move fewer bytes in proportion: 32 / bits") {  // T12
  const auto intensity = [](DataType type) { return roofline(gemm(512, 512, 512, type), 1e12, 1e9).intensity; };
  for (const DataType type : {DataType::fp16, DataType::int8, DataType::int4, DataType::int1}) {
    CHECK(intensity(type) / intensity(DataType::fp32) == Approx(32.0 / bits(type)));
    // Turing's tensor cores run 128 / bits times as fast as fp32: math over bandwidth saving is 4 for every format.
    CHECK((128.0 / bits(type)) / (intensity(type) / intensity(DataType::fp32)) == Approx(4.0));
  }
}

TEST_CASE("an int8 multiply-accumulate is twenty times cheaper than an fp32 one") {  // T13
  const double int8 = 0.03 + 0.2, fp16 = 0.4 + 1.1, fp32 = 0.9 + 3.7,
               dram = 1300;  // pJ, Horowitz 2014, 45 nm; DRAM per 64 bit
  CHECK(fp32 / int8 == Approx(20.0));
  CHECK(dram / fp16 == Approx(867).margin(0.5));
  CHECK(dram / fp32 == Approx(283).margin(0.5));
}

TEST_CASE("the energy ridge of fp16 lies between 216.7 and 433.3 operations per byte") {  // T14
  // DRAM 1300-2600 pJ per 8 bytes; half a 1.5 pJ MAC per operation
  const double low = (1300.0 / 8) / 0.75, high = (2600.0 / 8) / 0.75;
  CHECK(low == Approx(216.7).margin(0.05));
  CHECK(high == Approx(433.3).margin(0.05));
  CHECK(roofline(gemm(8192, 128, 8192, DataType::fp16), v100_tensor, v100_bandwidth).intensity < low);
  CHECK(roofline(gemm(8192, 8192, 8192, DataType::fp16), v100_tensor, v100_bandwidth).intensity > high);  // 2730.7
}

TEST_CASE(
    "decoding with a 7B model reads its weights for each token: 117.7 tokens per second on an A100-40GB") {  // T15, T16
  // 32 layers x (4 x 4096^2 + 3 x 4096 x 11008) + 32000 x 4096 of the head = 6,607,077,376 weights read and multiplied per token
  const std::int64_t weights = 32LL * (4 * 4096 * 4096 + 3LL * 4096 * 11008) + 32000LL * 4096;
  CHECK(weights == 6607077376);
  CHECK(weights + 32000LL * 4096 + (2 * 32 + 1) * 4096 == 6738415616);  // embedding and norms
  const RooflineVerdict v = roofline(gemm(1, weights / 4096, 4096, DataType::fp16), 312e12, 1555e9);
  CHECK(v.memory_bound);
  CHECK(1.0 / (2.0 * static_cast<double>(weights) / 1555e9) == Approx(117.7).margin(0.05));
  CHECK(1.0 / v.memory_time.value == Approx(117.7).margin(0.1));
}
