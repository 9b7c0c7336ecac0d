#include "workloads/space/space.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/csv.hpp"
#include "tests/core/message_of.hpp"
#include "workloads/graph.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

namespace {

const std::string scores = std::string(TILEWRIGHT_SOURCE_DIR) + "/workloads/spaces/scores/";

SearchSpace written(const std::string& text) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("tilewright-space-{}", getpid());
  std::filesystem::create_directories(folder);
  const std::string file = (folder / "own.yaml").string();
  std::ofstream(file) << text;
  return load_space(file);
}

std::size_t choice(const SearchSpace& space, const std::string& name) {
  for (std::size_t c = 0; c < space.choices.size(); ++c) {
    if (space.choices[c].name == name) return c;
  }
  return space.choices.size();
}

}  // namespace

TEST_CASE("SeqNAS has 19 variants a layer, 130,701 encoders and the published number of architectures") {
  const SearchSpace space = load_space("seqnas");
  REQUIRE(space.choices[choice(space, "layer1")].values.size() == 19);
  // time encoding 2 x head dropout 2 x aggregation 3 x (1 + 19 + 19^2 + 19^4) x (1 + 16 + 16^2), and of the stem 4 kernels x dropout 2
  REQUIRE(1 + 19 + 19 * 19 + 19 * 19 * 19 * 19 == 1 + 130'701);
  REQUIRE(space_size(space) == std::int64_t{428'179'752} * 8);
}

TEST_CASE("the other spaces have the sizes of their papers") {
  REQUIRE(space_size(load_space("nasbench-macro")) == 6561);
  REQUIRE(space_size(load_space("nasbench201")) == 15'625);
  // a block has 3 kernels x 3 expansions: a stage 9^2 + 9^3 + 9^4 = 7371, five of them and four resolutions: 8.7e19, above 2^62
  const SearchSpace ofa = load_space("ofa-mobilenet-v3");
  REQUIRE(space_size(ofa) == -1);
  const std::vector<Architecture> drawn = drawn_architectures(ofa, 50, 1);
  REQUIRE(drawn.size() == 50);
  REQUIRE(drawn == drawn_architectures(ofa, 50, 1));
  for (const Architecture& architecture : drawn) {
    REQUIRE(architecture_of(ofa, code_of(ofa, architecture)) == architecture);
    REQUIRE_NOTHROW(generate(workload_of(ofa, architecture)));
  }
}

TEST_CASE("architectures are numbered without gaps and repeats, and choices that are not open have no value") {
  const SearchSpace space = written(
      "space: own\nchoices:\n  depth: [1, 2]\n  a: [x, y]\n  b: {values: [x, y, z], when: {depth: [2]}}\n"
      "workload: \"net:layers={a}[|{b}]\"\ncode: \"{depth}.{a}[|{b}]\"\n");
  REQUIRE(space_size(space) == 2 + 2 * 3);  // depth 1: a; depth 2: a and b
  std::set<std::string> codes;
  for (std::int64_t i = 0; i < space_size(space); ++i) {
    const Architecture architecture = architecture_at(space, i);
    REQUIRE(canonical(space, architecture) == architecture);
    codes.insert(code_of(space, architecture));
  }
  REQUIRE(codes == std::set<std::string>{"1.x", "1.y", "2.x|x", "2.x|y", "2.x|z", "2.y|x", "2.y|y", "2.y|z"});
}

TEST_CASE("distance counts the choices that differ, also those that one of the two does not have") {
  const SearchSpace space = load_space("seqnas");
  Architecture one(space.choices.size(), 0), two = one;
  REQUIRE(distance(space, one, two) == 0);
  two[choice(space, "encoder_layers")] = 2;  // two layers: the number differs, and two layers more are open
  REQUIRE(distance(space, one, two) == 3);
  two = one;
  two[choice(space, "layer1")] = 5;  // not open without layers
  REQUIRE(distance(space, one, two) == 0);
}

TEST_CASE("a wrong space file names place and way out") {
  const auto error = [](const std::string& text) { return message_of([&] { written(text); }); };
  REQUIRE(error("space: s\nchoices: {a: [1]}\nworkload: 'x:a={b}'\n").find("unknown choice 'b'; known: a") !=
          std::string::npos);
  REQUIRE(error("space: s\nchoices: {a: [1], b: [1]}\nworkload: 'x:a={a}'\n").find("does not name the choice 'b'") !=
          std::string::npos);
  REQUIRE(error("space: s\nchoices: {a: [1, 1]}\nworkload: '{a}'\n").find("twice") != std::string::npos);
  REQUIRE(error("space: s\nchoices: {a: [1]}\nworkload: '{a'\n").find("has no }") != std::string::npos);
  REQUIRE(error("space: s\nchoices: {a: [1]}\nworkload: '[{a}'\n").find("pairs") != std::string::npos);
  REQUIRE(message_of([] { load_space("seqnass"); }).find("Did you mean 'seqnas'?") != std::string::npos);
}

TEST_CASE("every network of NAS-Bench-Macro has the published parameters and multiply-accumulates") {
  const CsvTable table = read_csv(scores + "nasbench_macro_cifar10.csv");
  REQUIRE(table.rows.size() == 6561);
  for (std::size_t r = 0; r < table.rows.size(); r += 7) {  // every seventh: all digits in all places
    const CsvRow& row = table.rows[r];
    const std::string& arch = table.text(row, table.column("arch"));
    const WorkloadGraph graph = generate("nasbench_macro:arch=" + arch);
    CAPTURE(arch);
    REQUIRE(total_macs(graph) == table.integer(row, table.column("flops"), 1, std::int64_t{1} << 40));
    // The source counts two numbers a channel of batch norm and no bias: with it folded a channel has one bias, so each convolution has
    // its output channels fewer.
    std::int64_t channels = 0;
    for (const Layer& layer : graph.layers) {
      if (const Conv* conv = std::get_if<Conv>(&layer.work)) channels += conv->out_channels;
    }
    REQUIRE(graph.weight_elements + channels == table.integer(row, table.column("params"), 1, std::int64_t{1} << 40));
  }
}

TEST_CASE("every scored architecture of SeqNAS is one of the space") {
  const SearchSpace space = load_space("seqnas");
  const CsvTable table = read_csv(scores + "seqnas.csv");
  std::set<std::string> words;  // its encoder layers
  for (const CsvRow& row : table.rows) {
    const std::string& code = table.text(row, table.column("arch"));
    CAPTURE(code);
    const auto found = architecture_of(space, code);
    REQUIRE(found.has_value());
    REQUIRE(code_of(space, *found) == code);
    for (std::size_t c = choice(space, "layer1"); c <= choice(space, "layer4"); ++c) {
      if (is_open(space, *found, c)) words.insert(space.choices[c].values[(*found)[c]]);
    }
    REQUIRE_NOTHROW(generate(workload_of(space, *found)));
  }
  REQUIRE(words.size() == 19);  // every variant of a layer occurs
}
