#include "sim/mapping/case_file.hpp"

#include <filesystem>
#include <string>

#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

const std::string chip_text = R"(name: small
family: systolic
summary: 4x4 array with one buffer
source: example
technology_nm: 45
clock: 500 MHz
energy_table: horowitz-2014
compute: {rows: 4, cols: 4, dataflow: weight_stationary, precisions: {int8: 1}}
levels:
  - {name: DRAM, bandwidth: 12.8 GB/s}
  - {name: Buffer, capacity: 256 KiB, bandwidth: 64 B/cycle, keeps: [inputs, weights, outputs]}
power: {static: 0.2 W, tdp: 2 W}
area: {value: 4 mm2}
price: {value: 20 USD}
)";

const std::string case_text = R"(name: halo
problem:
  dims: {K: 4, P: 6, R: 3}
  operands:
    - {name: W, role: weight, type: int8, axes: [K, R]}
    - {name: In, role: input, type: int8, axes: ["2*P + R"]}
    - {name: Z, role: output, type: int32, axes: [K, P]}
chip: small.yaml
mapping:
  - {level: DRAM, keeps: [W, In, Z], loops: ["P=3"]}
  - {level: Buffer, keeps: [In, Z], loops: ["K=4 @x", "P=2", "R=3"]}
)";

/// A folder with the chip and a case, removed at the end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("case_file_test_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
    write_file((path_ / "small.yaml").string(), chip_text);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Case load(const std::string& text) const {
    write_file((path_ / "case.yaml").string(), text);
    return load_case((path_ / "case.yaml").string());
  }
  /// The message of the error after replacing one piece of the good case.
  std::string error(const std::string& piece, const std::string& by) const {
    std::string text = case_text;
    REQUIRE(text.find(piece) != std::string::npos);
    text.replace(text.find(piece), piece.size(), by);
    try {
      load(text);
    } catch (const InputError& e) { return e.what(); }
    return "no error";
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a case file gives problem, chip and mapping") {
  const Folder folder;
  const Case c = folder.load(case_text);
  CHECK(c.name == "halo");
  CHECK(c.chip.name == "small");
  CHECK(c.problem.dims == std::vector<Dim>{{"K", 4}, {"P", 6}, {"R", 3}});
  REQUIRE(c.problem.operands.size() == 3);
  CHECK(c.problem.operands[1].axes == std::vector<Axis>{{{1, 2}, {2, 1}}});
  CHECK(c.problem.operands[2].type == DataType::int32);
  CHECK(c.mapping.levels.size() == c.chip.levels.size());
  CHECK(c.mapping.levels[0].loops == std::vector<Loop>{{1, 3, LoopKind::temporal}});
  CHECK(c.mapping.levels[1].loops ==
        std::vector<Loop>{{0, 4, LoopKind::spatial_x}, {1, 2, LoopKind::temporal}, {2, 3, LoopKind::temporal}});
  CHECK(c.mapping.levels[1].keeps == std::vector<bool>{false, true, true});
}

TEST_CASE("mistakes in a case file are named with their place and the way out") {
  const Folder folder;
  using Catch::Matchers::Contains;
  CHECK_THAT(folder.error("2*P + R", "2*P + S"),
             Contains("unknown dim 'S'") && Contains("K, P, R") && Contains("case.yaml:6"));
  CHECK_THAT(folder.error("2*P + R", "2*P +"), Contains("expected terms such as"));
  CHECK_THAT(folder.error("2*P + R", "0*P + R"), Contains("factor of a term"));
  CHECK_THAT(folder.error("\"P=3\"", "\"P 3\""), Contains("expected a loop such as"));
  CHECK_THAT(folder.error("\"P=3\"", "\"P=0\""), Contains("the bound of a loop"));
  CHECK_THAT(folder.error("\"P=3\"", "\"P=2\""), Contains("the loops of P cover 4 of 6"));
  CHECK_THAT(folder.error("@x", "@z"), Contains("@x or @y"));
  CHECK_THAT(folder.error("level: Buffer", "level: Bufer"), Contains("Did you mean 'Buffer'?"));
  CHECK_THAT(folder.error("level: Buffer", "level: DRAM"), Contains("out of order"));
  CHECK_THAT(folder.error("[W, In, Z]", "[W, In]"), Contains("the outermost level must keep Z"));
  CHECK_THAT(folder.error("role: output", "role: input"), Contains("no operand has the role output"));
  CHECK_THAT(folder.error("chip: small.yaml", "chip: {name: inline}"), Contains("library name or by a path"));
  CHECK_THAT(folder.error("name: halo", "nam: halo"), Contains("nam"));
}

TEST_CASE("a case written as text is read back as the same problem and mapping") {
  const Folder folder;
  Case given = folder.load(case_text);
  given.name = "a \"quoted\" name \\ with\ta tab";
  given.problem.compute = Compute::vector;
  given.problem.ops_per_point = 0.1;  // no finite binary fraction
  given.problem.operands[0].density = 1.0 / 3.0;
  given.problem.operands[2].on_chip = true;
  const Case read = folder.load(case_file_text(given.name, given.problem, given.mapping, given.chip, "small.yaml"));
  CHECK(read.name == given.name);
  CHECK(read.problem == given.problem);
  CHECK(read.mapping == given.mapping);
  CHECK(read.chip.name == "small");
}

TEST_CASE("operations per point belong to vector problems") {
  const Folder folder;
  using Catch::Matchers::Contains;
  CHECK_THAT(folder.error("problem:\n", "problem:\n  ops_per_point: 2\n"), Contains("`compute: vector`"));
  CHECK_THAT(folder.error("problem:\n", "problem:\n  compute: vectr\n"), Contains("Did you mean 'vector'?"));
}

}  // namespace tilewright
