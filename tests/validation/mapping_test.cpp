// The suite `mapping` on the project's own cases, and on copies of them with one thing changed.
#include "validation/mapping.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_bytes = 1 << 20;

std::string own_cases() {
  return read_file(TILEWRIGHT_SOURCE_DIR "/validation/measured/mapping/timeloop_cases.json", most_bytes);
}

/// Z[M] = A[M, K], 4 x 3 points; the outer loop over M, a buffer for A and Z. By the rules of docs/model.md, section 2:
/// A is read once from memory (12), filled and read once a point in the buffer; Z arrives there 12 times, 8 of these on a word that
/// is already there, and leaves once a word.
const std::string small_case = R"({
 "format": 1,
 "cases": [
  {"id": "sum",
   "problem": {"instance": {"M": 4, "K": 3}, "projection": {"A": [[["M"]], [["K"]]], "Z": [[["M"]]]}, "output": ["Z"]},
   "energy_per_action_pJ": {"Memory": {"read": 10, "write": 20, "update": 30}, "Buffer": {"read": 1, "write": 2, "update": 3},
    "MAC": {"compute": 5}},
   "mapping_outer_to_inner": [
    {"level": "Memory", "tile_words": {"A": 12, "Z": 4}, "loops_outer_to_inner": [{"dim": "M", "bound": 4}]},
    {"level": "Buffer", "tile_words": {"A": 3, "Z": 1}, "loops_outer_to_inner": [{"dim": "K", "bound": 3}]}],
   "expected": {
    "levels": [
     {"name": "MAC", "computes_total": 12, "energy_pJ_total": 60.0, "utilized_instances": 1, "cycles": 12},
     {"name": "Buffer", "block_words": 1, "dataspaces": {
      "A": {"utilized_capacity_words": 3, "utilized_instances": 1, "reads_per_instance": 12, "fills_per_instance": 12,
       "updates_per_instance": 0, "pJ_total": 36.0},
      "Z": {"utilized_capacity_words": 1, "utilized_instances": 1, "reads_per_instance": 8, "fills_per_instance": 0,
       "updates_per_instance": 12, "pJ_total": 44.0}}},
     {"name": "Memory", "block_words": 8, "dataspaces": {
      "A": {"utilized_capacity_words": 12, "utilized_instances": 1, "reads_per_instance": 12, "fills_per_instance": 0,
       "updates_per_instance": 0, "pJ_total": 20.0},
      "Z": {"utilized_capacity_words": 4, "utilized_instances": 1, "reads_per_instance": 0, "fills_per_instance": 0,
       "updates_per_instance": 4, "pJ_total": 30.0}}}],
    "summary": {"cycles": 12, "utilization_pct": 100.0}}}
 ]
}
)";

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("mapping_suite_test_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path() const { return path_.string(); }
  std::string file(const std::string& text, const std::string& name = "cases.json") const {
    write_file((path_ / name).string(), text);
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The message of the error for a text, "" if it is accepted.
std::string error_of(const Folder& folder, const std::string& text) {
  try {
    static_cast<void>(validate_mapping(folder.file(text)));
  } catch (const InputError& error) { return error.what(); }
  return "";
}

}  // namespace

TEST_CASE("the fifteen mapped reference cases agree in every count, cycle and energy") {
  const SuiteResult result = validate_mapping("");
  CHECK(result.groups.front().first_mismatch == "");
  REQUIRE(result.pass);
  REQUIRE(result.groups.size() == 16);  // all, and each of the fifteen
  REQUIRE(result.groups.front().keys.at("case") == "*");
  std::int64_t compared = 0;
  for (std::size_t i = 1; i < result.groups.size(); ++i) {
    INFO(result.groups[i].keys.at("case"));
    REQUIRE(result.groups[i].n >= 20);
    compared += result.groups[i].n;
  }
  REQUIRE(result.groups.front().n == compared);
}

TEST_CASE("only the case with a short last tile has counts that the reference takes at full size") {
  // M = 4 + 4 + 2: A 12 x 16 = 192 for 10 x 16 words, Z 12 x 8 = 96 for 10 x 8, hence 16 reads and fills of sums that never were.
  const SuiteResult result = validate_mapping("");
  const std::vector<std::string> full_size{
      "tw/gemm_imperfect_M10 GLB A fills: ours 160 (true words), theirs 192 (short last tile at full size)",
      "tw/gemm_imperfect_M10 GLB Z fills: ours 0 (true words), theirs 16 (short last tile at full size)",
      "tw/gemm_imperfect_M10 DRAM A reads: ours 160 (true words), theirs 192 (short last tile at full size)",
      "tw/gemm_imperfect_M10 DRAM Z reads: ours 0 (true words), theirs 16 (short last tile at full size)",
      "tw/gemm_imperfect_M10 DRAM Z updates: ours 80 (true words), theirs 96 (short last tile at full size)"};
  REQUIRE(result.notes == full_size);
}

TEST_CASE("a case worked out on paper agrees") {
  const Folder folder;
  const SuiteResult result = validate_mapping(folder.file(small_case));
  CHECK(result.groups.front().first_mismatch == "");
  REQUIRE(result.pass);
  // 4 tensors at a level x 6 figures each; MAC: computes, instances, cycles, energy; 2 of the summary
  REQUIRE(result.groups.front().n == 4 * 6 + 4 + 2);
}

TEST_CASE("every changed figure is a difference with its place and both values") {
  const Folder folder;
  struct Change {
    std::string from, to, says;
  };
  const std::vector<Change> changes{
      {"\"reads_per_instance\": 8", "\"reads_per_instance\": 9", "sum Buffer Z reads: ours 8, theirs 9"},
      {"\"fills_per_instance\": 12", "\"fills_per_instance\": 11", "sum Buffer A fills: ours 12, theirs 11"},
      {"\"updates_per_instance\": 4", "\"updates_per_instance\": 5", "sum Memory Z updates: ours 4, theirs 5"},
      {"\"pJ_total\": 30.0", "\"pJ_total\": 30.01", "sum Memory Z pJ_total: ours 30, theirs 30.01"},
      {"\"summary\": {\"cycles\": 12", "\"summary\": {\"cycles\": 13", "sum summary cycles: ours 12, theirs 13"},
      {"\"computes_total\": 12", "\"computes_total\": 10", "sum MAC computes_total: ours 12, theirs 10"},
      {"100.0", "99.9", "sum summary utilization_pct: ours 100, theirs 99.9"},
      {"\"utilized_capacity_words\": 3,", "\"utilized_capacity_words\": 2,",
       "sum Buffer A utilized_capacity_words: ours 3, theirs 2"},
  };
  for (const Change& change : changes) {
    INFO(change.says);
    const SuiteResult result = validate_mapping(folder.file(replaced(small_case, change.from, change.to)));
    REQUIRE_FALSE(result.pass);
    REQUIRE(result.groups.front().mismatches == 1);
    REQUIRE(result.groups.front().first_mismatch == change.says);
    REQUIRE(result.groups.back().worst == std::vector<std::string>{change.says});
  }
}

TEST_CASE("any one changed count of the project's own cases is found") {
  const Folder folder;
  const std::string text = own_cases();
  std::int64_t changed = 0;
  const std::string key = "_per_instance\": ";
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    if (++changed % 40 != 1) continue;  // a sample over the whole file
    const std::size_t digits = at + key.size();
    std::string other = text;
    other.insert(digits, "7");
    INFO(text.substr(text.rfind('\n', at) + 1, 60));
    REQUIRE(validate_mapping(folder.file(other)).groups.front().mismatches >= 1);
  }
  REQUIRE(changed > 400);
}

TEST_CASE("of a sparse case the counts before gating and skipping are compared, where it prints them") {
  const Folder folder;
  std::string text = replaced(small_case, R"("id": "sum",)", R"("id": "sum", "sparse": true, "formats": "unknown",)");
  CHECK(validate_mapping(folder.file(text)).groups.at(1).n == 0);
  text = replaced(
      text, R"("reads_per_instance": 12, "fills_per_instance": 12)",
      R"("alg_reads_per_instance": 12, "reads_per_instance": 5, "gated_reads_per_instance": 7, "fills_per_instance": 4)");
  const SuiteResult agrees = validate_mapping(folder.file(text));
  CHECK(agrees.groups.at(1).n == 1);
  CHECK(agrees.groups.at(1).mismatches == 0);
  CHECK(agrees.notes.size() == 1);
  const SuiteResult differs = validate_mapping(
      folder.file(replaced(text, R"("alg_reads_per_instance": 12)", R"("alg_reads_per_instance": 13)")));
  CHECK(differs.groups.at(1).first_mismatch == "sum Buffer A alg_reads: ours 12, theirs 13");
}

TEST_CASE("a folder is read file by file, and a rate of a level bounds its time") {
  const Folder folder;
  folder.file(small_case, "a.json");
  // Without energies but with a rate: memory reads 12 words at half a word a cycle, 24 cycles.
  const std::string rates =
      R"("architecture": {"energy_per_scalar_access_pJ": {"Memory": {"read": 10, "write_or_update": 30},
   "Buffer": {"read": 1, "write_or_update": 2}}, "levels_outer_to_inner": [{"name": "Memory", "rbw": 0.5}]}, "mapping_outer)";
  std::string slow = replaced(replaced(small_case, "\"sum\"", "\"slow\""), "\"mapping_outer", rates);
  slow.erase(slow.find("\"energy_per_action_pJ\""),
             slow.find("\"architecture\"") - slow.find("\"energy_per_action_pJ\""));
  slow = replaced(slow, "\"pJ_total\": 44.0", "\"pJ_total\": 32.0");   // updates at the write energy: 8 x 1 + 12 x 2
  slow = replaced(slow, "\"pJ_total\": 20.0", "\"pJ_total\": 160.0");  // per word in blocks of 8: 2 x 80
  slow = replaced(slow, "\"pJ_total\": 30.0", "\"pJ_total\": 240.0");
  slow = replaced(slow, "\"summary\": {\"cycles\": 12, \"utilization_pct\": 100.0}",
                  "\"summary\": {\"cycles\": 24, \"utilization_pct\": 50.0}");
  folder.file(slow, "b.json");
  folder.file("not JSON", "notes.txt");
  const SuiteResult result = validate_mapping(folder.path());
  CHECK(result.groups.front().first_mismatch == "");
  REQUIRE(result.pass);
  REQUIRE(result.groups.size() == 3);
}

TEST_CASE("malformed cases are refused with file, line and key") {
  const Folder folder;
  const auto says = [&](const std::string& from, const std::string& to, const std::string& part) {
    const std::string message = error_of(folder, replaced(small_case, from, to));
    INFO(from << " -> " << to << ": " << message);
    CHECK(message.find("cases.json:") != std::string::npos);
    CHECK(message.find(part) != std::string::npos);
  };
  says("\"cases\"", "\"casse\"", "cases.json:1: cases: the key 'cases' is missing. Is it meant by 'casse'?");
  says("\"format\": 1", "\"format\": 2", "cases.json:2: format: expected an integer from 1 to 1");
  says("\"instance\"", "\"instances\"", "cases.json:5: cases[0].problem.instance");
  says("\"dim\": \"K\"", "\"dim\": \"L\"", "unknown dim 'L'; known: M, K");
  says("\"bound\": 3", "\"bound\": 2", "the loops of K cover 2 of 3");
  says("\"bound\": 3", "\"bound\": 30", "the loops of K cover 30 of 3");
  says("\"bound\": 3", "\"bound\": -3", "expected an integer from 1");
  says("\"bound\": 3", "\"bound\": 4611686018427387904", "expected an integer from 1");
  says("\"bound\": 3", "\"bound\": 3, \"spatial\": \"Z\"", "unknown axis 'Z'");
  says("\"bound\": 3", "\"bound\": 3, \"residual\": 4", "expected an integer from 1 to 3");
  says("\"bound\": 3", "\"bound\": 3, \"bond\": 3", "unknown key 'bond'");
  says("{\"level\": \"Buffer\"", "{\"level\": \"Bufer\"",
       "unknown level 'Bufer'; known: Buffer, Memory. Did you mean 'Buffer'?");
  says("\"tile_words\": {\"A\": 3", "\"tile_words\": {\"X\": 3", "unknown tensor 'X'");
  says("\"output\": [\"Z\"]", "\"output\": [\"Y\"]", "unknown tensor 'Y'");
  says("\"output\": [\"Z\"]", "\"output\": []", "exactly one output");
  says("\"reads_per_instance\": 8", "\"read_per_instance\": 8", "reads_per_instance' is missing");
  says("\"reads_per_instance\": 8", "\"reads_per_instance\": -8", "expected an integer");
  says("\"reads_per_instance\": 8", "\"reads_per_instance\": \"many\"", "expected an integer, got 'many'");
  says("\"MAC\": {\"compute\"", "\"MUC\": {\"compute\"", "'MUC' is no level");
  says("\"pJ_total\": 36.0", "\"pJ_total\": 36.0, \"pj_total\": 3", "unknown key 'pj_total'");
  says("\"A\": [[[\"M\"]]", "\"A\": [[[\"M\", \"K\", \"K\"]]", "a term is [dim] or [dim, coefficient]");
  says("{\"M\": 4", "{\"M\": 4611686018427387904", "expected an integer");
  CHECK(error_of(folder, "").find("cases.json") != std::string::npos);
  CHECK(error_of(folder, "[]").find("cases.json") != std::string::npos);
  CHECK(error_of(folder, small_case.substr(0, 300)).find("cases.json") != std::string::npos);
  CHECK(error_of(folder, "{\"format\": 1, \"cases\": []}").find("no cases") != std::string::npos);
  std::filesystem::create_directory(folder.path() + "/empty");
  CHECK_THROWS_AS(validate_mapping(folder.path() + "/empty"), InputError);
  CHECK_THROWS_AS(validate_mapping(folder.path() + "/missing.json"), InputError);
}

}  // namespace tilewright
