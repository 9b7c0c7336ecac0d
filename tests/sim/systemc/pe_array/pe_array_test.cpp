#include "sim/systemc/pe_array/pe_array.hpp"

#include <Eigen/Dense>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "sim/scalesim/scalesim.hpp"
#include "tests/arch_models/problems.hpp"

using namespace tilewright;

namespace {

using Generator = std::mt19937_64;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::int64_t uniform(Generator& random, std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random);
}

Matrix integers(Generator& random, std::int64_t rows, std::int64_t cols) {
  Matrix matrix(rows, cols);
  for (double& value : matrix.values) value = static_cast<double>(uniform(random, -128, 127));
  return matrix;
}

RowMajor eigen(const Matrix& matrix) {
  return Eigen::Map<const RowMajor>(matrix.values.data(), matrix.rows, matrix.cols);
}

constexpr ArrayDataflow dataflows[] = {ArrayDataflow::output_stationary, ArrayDataflow::weight_stationary,
                                       ArrayDataflow::input_stationary};

ScaleSimDataflow scalesim_dataflow(ArrayDataflow dataflow) {
  if (dataflow == ArrayDataflow::output_stationary) return ScaleSimDataflow::os;
  return dataflow == ArrayDataflow::weight_stationary ? ScaleSimDataflow::ws : ScaleSimDataflow::is;
}

/// A random product on a random array; `seed` names the case when it fails.
PeArrayRequest random_request(std::uint64_t seed) {
  Generator random(seed);
  PeArrayRequest request;
  const std::int64_t m = uniform(random, 1, 13), k = uniform(random, 1, 13), n = uniform(random, 1, 13);
  request.a = integers(random, m, k);
  request.b = integers(random, k, n);
  request.rows = uniform(random, 1, 6);
  request.cols = uniform(random, 1, 6);
  request.dataflow = dataflows[seed % 3];
  request.exit = seed % 2 == 0 ? ResultExit::in_place : ResultExit::bottom;
  return request;
}

}  // namespace

TEST_CASE("the array's product equals Eigen's exactly and its cycles equal the formula, whatever the shapes") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const PeArrayRequest request = random_request(seed);
    INFO("seed " << seed);
    const PeArrayResult result = simulate_pe_array(request);
    const RowMajor expected = eigen(request.a) * eigen(request.b);
    REQUIRE(eigen(result.product) == expected);
    REQUIRE(result.cycles == pe_array_cycles(request).total());
    REQUIRE(result.macs == request.a.rows * request.a.cols * request.b.cols);
  }
}

TEST_CASE("a product of real numbers agrees with Eigen's to rounding") {
  Generator random(7);
  std::normal_distribution<double> normal;
  PeArrayRequest request;
  request.a = Matrix(20, 30);
  request.b = Matrix(30, 10);
  for (double& value : request.a.values) value = normal(random);
  for (double& value : request.b.values) value = normal(random);
  request.rows = 8;
  request.cols = 4;
  for (const ArrayDataflow dataflow : dataflows) {
    request.dataflow = dataflow;
    REQUIRE(eigen(simulate_pe_array(request).product).isApprox(eigen(request.a) * eigen(request.b), 1e-13));
  }
}

TEST_CASE("without stalls SCALE-Sim's last cycle is the array's last cycle") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    PeArrayRequest request = random_request(seed);
    request.exit = ResultExit::in_place;
    INFO("seed " << seed);
    ScaleSimConfig config;
    config.rows = request.rows;
    config.cols = request.cols;
    config.dataflow = scalesim_dataflow(request.dataflow);
    const std::int64_t m = request.a.rows, k = request.a.cols, n = request.b.cols;
    const ScaleSimResult peer = simulate_scalesim({"gemm", m, k, 1, k, 1, n, 1, 1}, config, ScaleSimDetail::array);
    REQUIRE(simulate_pe_array(request).cycles == peer.total_cycles + 1);
  }
}

TEST_CASE("the systolic family's compute cycles are the array's cycles") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    PeArrayRequest request = random_request(seed);
    request.exit = ResultExit::in_place;
    INFO("seed " << seed);
    ScaleSimConfig config;
    config.rows = request.rows;
    config.cols = request.cols;
    config.dataflow = scalesim_dataflow(request.dataflow);
    const Chip chip = scalesim_chip(config, "test.cfg");
    const std::int64_t m = request.a.rows, k = request.a.cols, n = request.b.cols;
    const Problem problem = test::product(m, n, k, DataType::int8);
    const bool os = request.dataflow == ArrayDataflow::output_stationary;
    const bool ws = request.dataflow == ArrayDataflow::weight_stationary;
    const std::int64_t down = os ? m : k, across = os || ws ? n : m, stream = os ? k : ws ? m : n;
    const ArrayPass pass = test::pass_of(
        problem,
        {{os ? "M" : "K", std::min(down, request.rows)}, {os || ws ? "N" : "M", std::min(across, request.cols)}},
        {{os   ? "K"
          : ws ? "M"
               : "N",
          stream}},
        pe_array_cycles(request).folds());
    REQUIRE(test::cost_of(chip, problem, pass).cycles.value == static_cast<double>(simulate_pe_array(request).cycles));
  }
}

TEST_CASE("a 2 x 2 product on a 2 x 2 output stationary array, by hand") {
  // [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50]. PE (r, c) meets word k in cycle r + c + k: 2 + 2 + 2 - 2 = 4 cycles.
  PeArrayRequest request;
  request.a = Matrix(2, 2);
  request.a.values = {1, 2, 3, 4};
  request.b = Matrix(2, 2);
  request.b.values = {5, 6, 7, 8};
  request.rows = request.cols = 2;
  request.dataflow = ArrayDataflow::output_stationary;
  std::vector<ArrayFrame> frames;
  request.on_frame = [&](const ArrayFrame& frame) { frames.push_back(frame); };
  const PeArrayResult result = simulate_pe_array(request);
  REQUIRE(result.product.values == std::vector<double>{19, 22, 43, 50});
  REQUIRE(result.cycles == 4);
  REQUIRE(result.utilization == 8.0 / 16.0);
  REQUIRE(frames.size() == 4);
  const PeState& first = frames[0].pes[0];
  REQUIRE(first.active);
  REQUIRE(first.streamed == 1);
  REQUIRE(first.partner == 5);
  REQUIRE(first.sum == 5);
  REQUIRE_FALSE(frames[0].pes[1].active);
  const PeState& corner = frames[3].pes[3];  // 3 x 6 in cycle 2, + 4 x 8 in cycle 3
  REQUIRE(corner.active);
  REQUIRE(corner.streamed == 4);
  REQUIRE(corner.partner == 8);
  REQUIRE(corner.sum == 50);
}

TEST_CASE("the wavefront is skewed: word t is in PE (r, c) in cycle load + r + c + t and nowhere else") {
  Generator random(11);
  for (const ArrayDataflow dataflow : dataflows) {
    PeArrayRequest request;
    request.a = integers(random, 5, 4);
    request.b = integers(random, 4, 3);
    request.rows = 5;
    request.cols = 5;
    request.dataflow = dataflow;
    const std::int64_t load = dataflow == ArrayDataflow::output_stationary ? 0 : request.rows;
    const std::int64_t stream = pe_array_cycles(request).stream;
    std::int64_t next = 0, macs = 0;
    request.on_frame = [&](const ArrayFrame& frame) {
      REQUIRE(frame.cycle == next++);
      REQUIRE(frame.fold == 0);
      for (std::int64_t r = 0; r < request.rows; ++r) {
        for (std::int64_t c = 0; c < request.cols; ++c) {
          const PeState& pe = frame.pes[static_cast<std::size_t>(r * request.cols + c)];
          const std::int64_t t = frame.cycle - load - r - c;
          REQUIRE(pe.index == (t >= 0 && t < stream ? t : -1));
          macs += pe.active;
        }
      }
    };
    const PeArrayResult result = simulate_pe_array(request);
    REQUIRE(next == result.cycles);
    REQUIRE(macs == result.macs);  // every multiplication of the product once, and no other
  }
}

TEST_CASE("results that leave at the bottom cost one cycle a row and fold more") {
  PeArrayRequest request = random_request(0);
  const PeArrayResult in_place = simulate_pe_array(request);
  request.exit = ResultExit::bottom;
  const PeArrayResult bottom = simulate_pe_array(request);
  REQUIRE(bottom.product == in_place.product);
  REQUIRE(bottom.cycles == in_place.cycles + in_place.folds * request.rows);
}

TEST_CASE("many simulations in one process give the same answer, also after one that was broken off") {
  PeArrayRequest request = random_request(1);
  const PeArrayResult first = simulate_pe_array(request);
  for (int i = 0; i < 100; ++i) {
    if (i % 10 == 0) {
      PeArrayRequest broken = request;
      broken.on_frame = [](const ArrayFrame& frame) {
        if (frame.cycle == 3) throw std::runtime_error("seen enough");
      };
      REQUIRE_THROWS_WITH(simulate_pe_array(broken), "seen enough");
    }
    const PeArrayResult again = simulate_pe_array(request);
    REQUIRE(again.product == first.product);
    REQUIRE(again.cycles == first.cycles);
  }
}

TEST_CASE("a waveform names every PE and leaves the result alone") {
  std::string pattern = (std::filesystem::temp_directory_path() / "tilewright-wave-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  PeArrayRequest request = random_request(2);
  const PeArrayResult plain = simulate_pe_array(request);
  for (const char* name : {"wave.vcd", "wave"}) {
    request.vcd = (folder / name).string();
    REQUIRE(simulate_pe_array(request).product == plain.product);
    const std::string wave = read_file(request.vcd, 1 << 24);
    REQUIRE_THAT(wave,
                 Catch::Contains("$enddefinitions") && Catch::Contains("module pe_0_0 ") && !Catch::Contains("$date"));
  }
  REQUIRE(read_file((folder / "wave.vcd").string(), 1 << 24) == read_file((folder / "wave").string(), 1 << 24));
  std::filesystem::remove_all(folder);
  request.vcd = "/nowhere/wave.vcd";
  REQUIRE_THROWS_AS(simulate_pe_array(request), InputError);
}

TEST_CASE("requests that cannot be simulated say why") {
  const auto message = [](auto change) {
    PeArrayRequest request = random_request(0);
    change(request);
    try {
      simulate_pe_array(request);
    } catch (const InputError& error) { return std::string(error.what()); }
    return std::string("accepted");
  };
  using Request = PeArrayRequest;
  REQUIRE_THAT(message([](Request& r) { r.rows = 0; }), Catch::Contains("0 x"));
  REQUIRE_THAT(message([](Request& r) { r.rows = r.cols = 257; }), Catch::Contains("65536"));
  REQUIRE_THAT(message([](Request& r) { r.b = Matrix(99, 1); }), Catch::Contains("99 rows"));
  REQUIRE_THAT(message([](Request& r) { r.a = Matrix(); }), Catch::Contains("at least 1"));
  REQUIRE_THAT(message([](Request& r) { r.dataflow = ArrayDataflow::row_stationary; }),
               Catch::Contains("os, ws or is"));
  REQUIRE_THAT(message([](Request& r) {
                 r.a = Matrix(3000, 1000);
                 r.b = Matrix(1000, 3000);
               }),
               Catch::Contains("million PE cycles"));
}
