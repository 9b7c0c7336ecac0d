#include "core/diagnostics.hpp"

#include <catch2/catch.hpp>

using namespace tilewright;

TEST_CASE("an input error reads file, line, key, message") {
  const InputError error({"edge.yaml", 14, 3, "array.dataflow"}, "wrong");
  REQUIRE(std::string(error.what()) == "edge.yaml:14: array.dataflow: wrong");
  REQUIRE(error.place().column == 3);
}

TEST_CASE("parts of a place that are not known are left out of the message") {
  REQUIRE(std::string(InputError({"a.onnx", 0, 0, ""}, "truncated").what()) == "a.onnx: truncated");
  REQUIRE(std::string(InputError({"", 0, 0, "--chip"}, "missing").what()) == "--chip: missing");
  REQUIRE(std::string(InputError({"", 7, 0, ""}, "odd").what()) == "odd");
  REQUIRE(std::string(InputError({"a.csv", 2, 0, ""}, "odd").what()) == "a.csv:2: odd");
}

TEST_CASE("the nearest word is the one with the fewest edits, the first of equals") {
  const std::vector<std::string> known{"capacity", "bandwidth", "latency"};
  REQUIRE(nearest("bandwith", known) == "bandwidth");  // one letter inserted
  REQUIRE(nearest("lateny", known) == "latency");
  REQUIRE(nearest("latency", known) == "latency");
  const std::vector<std::string> equals{"ab", "ac"};
  REQUIRE(nearest("ad", equals) == "ab");  // both one edit away
}

TEST_CASE("a word far from all known ones has no nearest") {
  const std::vector<std::string> known{"capacity", "bandwidth"};
  // 7 letters: at most max(2, 7 / 3) = 2 edits count as near
  REQUIRE(nearest("voltage", known).empty());
  REQUIRE(nearest("", std::vector<std::string>{}).empty());
  REQUIRE(nearest("capaxxty", known) == "capacity");  // 2 edits
  REQUIRE(nearest("caxxxxty", known).empty());        // 4 edits
}

TEST_CASE("the beginning of a known word is near") {
  const std::vector<std::string> known{"h100-sxm5-80gb", "h200-sxm-141gb"};
  REQUIRE(nearest("h200", known) == "h200-sxm-141gb");
  REQUIRE(nearest("h", known).empty());
  REQUIRE(nearest("b200", known).empty());
}

TEST_CASE("an unknown word is answered with the known ones and the nearest") {
  const std::vector<std::string> known{"weight_stationary", "output_stationary"};
  REQUIRE(unknown_message("dataflow", "weight-stationary", known) ==
          "unknown dataflow 'weight-stationary'; known: weight_stationary, output_stationary. Did you mean "
          "'weight_stationary'?");
  REQUIRE(unknown_message("dataflow", "x", known) ==
          "unknown dataflow 'x'; known: weight_stationary, output_stationary");
  REQUIRE(unknown_message("chip", "x", {}) == "unknown chip 'x'");
}

TEST_CASE("long or unprintable words are cut and escaped in messages") {
  REQUIRE(shown("a\nb\x01") == "a\\x0ab\\x01");
  REQUIRE(shown(std::string(80, 'x')) == std::string(80, 'x'));
  REQUIRE(shown(std::string(81, 'x')) == std::string(80, 'x') + "...");
  // 79 letters and a two-byte letter: the cut at byte 80 would split it, so it goes
  REQUIRE(shown(std::string(79, 'x') + "\u00e9") == std::string(79, 'x') + "...");
}

TEST_CASE("a nearest word is found among long words in no time") {
  const std::vector<std::string> known{"capacity"};
  REQUIRE(nearest(std::string(1'000'000, 'x'), known).empty());
}
