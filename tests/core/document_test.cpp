#include "core/document.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <limits>

#include "core/text_file.hpp"
#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

Value parsed(const std::string& text) { return parse_yaml(text, "t.yaml"); }
Value scalar(const std::string& text) { return parsed("v: " + text + "\n").at("v"); }
std::string parse_error(const std::string& text) {
  return message_of([&] { parsed(text); });
}

constexpr double any = std::numeric_limits<double>::max();

}  // namespace

// ---- structure and places

TEST_CASE("a value knows its file, line, column and dotted key") {
  const Value root = parsed("name: edge\nlevels:\n  - {name: DRAM}\n  - name: Buffer\n    capacity: 4 KiB\n");
  const Value capacity = root.at("levels").items().at(1).at("capacity");
  REQUIRE(capacity.place().file == "t.yaml");
  REQUIRE(capacity.place().line == 5);
  REQUIRE(capacity.place().column == 15);
  REQUIRE(capacity.place().key == "levels[1].capacity");
  REQUIRE(root.place().key.empty());
  REQUIRE(message_of([&] { capacity.fail("too small"); }) == "t.yaml:5: levels[1].capacity: too small");
}

TEST_CASE("a value outlives the value that it came from") {
  const Value inner = parsed("a: {b: [1, 2]}\n").at("a").at("b").items().at(1);
  REQUIRE(inner.as_int(0, 9) == 2);
  REQUIRE(inner.place().key == "a.b[1]");
}

TEST_CASE("maps, lists and scalars are told apart, and keys come in file order") {
  const Value root = parsed("z: 1\na: [1]\nm: {x: 1}\nempty:\n");
  REQUIRE(root.is_map());
  REQUIRE(root.keys() == std::vector<std::string>{"z", "a", "m", "empty"});
  REQUIRE(root.at("z").is_scalar());
  REQUIRE(root.at("a").is_list());
  REQUIRE(root.at("m").is_map());
  REQUIRE_FALSE(root.at("empty").is_scalar());
  REQUIRE(root.find("nothing") == std::nullopt);
}

TEST_CASE("a value of another kind than the one asked for is an error that says what stands there") {
  const Value root = parsed("s: word\nl: [1]\nm: {x: 1}\ne:\n");
  REQUIRE(message_of([&] { root.at("l").at("k"); }) == "t.yaml:2: l: expected a map with the key 'k', got a list");
  REQUIRE(message_of([&] { root.at("s").find("k"); }) == "t.yaml:1: s: expected a map with the key 'k', got 'word'");
  REQUIRE(message_of([&] { root.at("l").keys(); }) == "t.yaml:2: l: expected a map, got a list");
  REQUIRE(message_of([&] { root.at("m").items(); }) == "t.yaml:3: m: expected a list, got a map");
  REQUIRE(message_of([&] { root.at("l").as_string(); }) == "t.yaml:2: l: expected a single value, got a list");
  REQUIRE(message_of([&] { root.at("e").as_string(); }) == "t.yaml:4: e: expected a single value, got nothing");
  REQUIRE(message_of([&] { root.at("m").as_bytes(); }) == "t.yaml:3: m: expected a single value, got a map");
}

TEST_CASE("a missing key is an error at its map and suggests a key that looks like it") {
  REQUIRE(message_of([] { parsed("a: {b: 1}\n").at("a").at("capacity"); }) ==
          "t.yaml:1: a.capacity: the key 'capacity' is missing");
  REQUIRE(message_of([] { parsed("bandwith: 1\n").at("bandwidth"); }) ==
          "t.yaml:1: bandwidth: the key 'bandwidth' is missing. Is it meant by 'bandwith'?");
}

// ---- keys that nobody read

TEST_CASE("an unknown key is an error that names the nearest key that was asked for") {
  const Value root = parsed("name: x\nlevels:\n  - name: DRAM\n    bandwith: 1 GB/s\n");
  root.at("name");
  for (const Value& level : root.at("levels").items()) {
    level.at("name");
    level.find("bandwidth");
    level.find("capacity");
  }
  REQUIRE(message_of([&] { root.reject_unread_keys(); }) ==
          "t.yaml:4: levels[0].bandwith: unknown key 'bandwith'; known: name, bandwidth, capacity. Did you mean "
          "'bandwidth'?");
}

TEST_CASE("a map whose keys were all read is accepted, and a map that nobody opened is not looked into") {
  const Value root = parsed("name: x\nfree: {anything: 1}\n");
  root.at("name");
  root.at("free");
  REQUIRE_NOTHROW(root.reject_unread_keys());
}

TEST_CASE("each alias of one anchor keeps its own record of keys that were read") {
  const Value root = parsed("a: &l {x: 1, y: 2}\nb: *l\n");
  root.at("a").at("x");
  root.at("a").at("y");
  root.at("b").at("x");
  REQUIRE(message_of([&] { root.reject_unread_keys(); }) ==
          "t.yaml:1: b.y: unknown key 'y'; known: x. Did you mean 'x'?");
}

// ---- scalars

TEST_CASE("truth values, words and texts are read") {
  REQUIRE(scalar("true").as_bool());
  REQUIRE_FALSE(scalar("False").as_bool());
  REQUIRE(message_of([] { scalar("yes").as_bool(); }) == "t.yaml:1: v: expected true or false, got 'yes'");
  REQUIRE(scalar("\"null\"").as_string() == "null");
  REQUIRE(scalar("''").as_string().empty());
  REQUIRE(scalar("12").as_string() == "12");
  REQUIRE(scalar("os").as_choice("dataflow", {"ws", "os"}) == "os");
  REQUIRE(message_of([] {
            scalar("oss").as_choice("dataflow", {"ws", "os"});
          }) == "t.yaml:1: v: unknown dataflow 'oss'; known: ws, os. Did you mean 'os'?");
}

TEST_CASE("integers are whole, exact and within their bounds") {
  REQUIRE(scalar("9007199254740993").as_int(0, INT64_MAX) == 9007199254740993);  // 2^53 + 1
  REQUIRE(scalar("-3").as_int(-3, 3) == -3);
  REQUIRE(message_of([] { scalar("4").as_int(1, 3); }) == "t.yaml:1: v: expected an integer from 1 to 3, got '4'");
  REQUIRE(message_of([] { scalar("99999999999999999999").as_int(1, 3); }) ==
          "t.yaml:1: v: expected an integer from 1 to 3, got '99999999999999999999'");
  for (const char* bad : {"1.0", "1e3", "x", "''", "0x10", "1 2", ".nan"}) {
    INFO(bad);
    REQUIRE_THAT(message_of([&] { scalar(bad).as_int(0, 9999); }),
                 Catch::StartsWith("t.yaml:1: v: expected an integer, got '"));
  }
}

TEST_CASE("numbers are correctly rounded, finite and within their bounds") {
  REQUIRE(scalar("0.3").as_number(0, 1) == 0.3);
  REQUIRE(scalar("-1.5e-3").as_number(-any, any) == -0.0015);
  REQUIRE(message_of([] { scalar("1.5").as_number(0, 1); }) == "t.yaml:1: v: expected a number from 0 to 1, got '1.5'");
  for (const char* bad : {".nan", "nan", ".inf", "-.inf", "inf", "-infinity", "x", "''", "1,5", "0.5x"}) {
    INFO(bad);
    REQUIRE_THAT(message_of([&] { scalar(bad).as_number(-any, any); }),
                 Catch::StartsWith("t.yaml:1: v: expected a finite number, got '"));
  }
  REQUIRE(message_of([] { scalar("1e400").as_number(-any, any); }) ==
          "t.yaml:1: v: '1e400' is beyond what a number can hold");
}

// ---- quantities

TEST_CASE("sizes take decimal and binary prefixes and bits") {
  REQUIRE(scalar("108 KiB").as_bytes() == Bytes{110592});  // 108 x 1024
  REQUIRE(scalar("16GB").as_bytes() == Bytes{16e9});
  REQUIRE(scalar("1.5 MiB").as_bytes() == Bytes{1572864});
  REQUIRE(scalar("12 bit").as_bytes() == Bytes{1.5});
  REQUIRE(scalar("\"2 TiB\"").as_bytes() == Bytes{2.0 * 1024 * 1024 * 1024 * 1024});
  REQUIRE(scalar("7 B").as_bytes() == Bytes{7});
  REQUIRE(scalar("0 B").as_bytes() == Bytes{0});
}

TEST_CASE("bandwidths are per second, or per cycle of the given clock") {
  REQUIRE(scalar("12.8 GB/s").as_bandwidth(Hertz{1e9}) == BytesPerSecond{12.8e9});
  REQUIRE(scalar("64 B/cycle").as_bandwidth(Hertz{5e8}) == BytesPerSecond{3.2e10});  // 64 x 500 MHz
  REQUIRE(scalar("1 GiB/s").as_bandwidth(Hertz{1}) == BytesPerSecond{1073741824});
  REQUIRE(scalar("21 PB/s").as_bandwidth(Hertz{1}) == BytesPerSecond{21e15});
}

TEST_CASE("frequency, power, energy, time, price and area each have their units") {
  REQUIRE(scalar("500 MHz").as_frequency() == Hertz{5e8});
  REQUIRE(scalar("1.41 GHz").as_frequency() == Hertz{1.41e9});
  REQUIRE(scalar("0.2 W").as_power() == Watts{0.2});
  REQUIRE(scalar("300 uW").as_power().value == Approx(3e-4));
  REQUIRE(scalar("1300 pJ").as_energy() == picojoules(1300));
  REQUIRE(scalar("40 fJ").as_energy().value == Approx(4e-14));
  REQUIRE(scalar("3.5 ns").as_time().value == Approx(3.5e-9));
  REQUIRE(scalar("2 s").as_time() == Seconds{2});
  REQUIRE(scalar("20 USD").as_price() == Dollars{20});
  REQUIRE(scalar("4 mm2").as_area() == SquareMillimetres{4});
}

TEST_CASE("a quantity without a unit names the units that are accepted") {
  REQUIRE(message_of([] { scalar("500").as_frequency(); }) ==
          "t.yaml:1: v: '500' has no unit; write one of Hz, kHz, MHz, GHz");
  REQUIRE(message_of([] { scalar("256").as_bytes(); }) ==
          "t.yaml:1: v: '256' has no unit; write one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, bit");
}

TEST_CASE("a unit that is not known, or of another quantity, is an error with the nearest unit") {
  REQUIRE(message_of([] { scalar("1 Mhz").as_frequency(); }) ==
          "t.yaml:1: v: unknown unit 'Mhz'; known: Hz, kHz, MHz, GHz. Did you mean 'MHz'?");
  REQUIRE(message_of([] { scalar("1 second").as_price(); }) == "t.yaml:1: v: unknown unit 'second'; known: USD");
  REQUIRE_THAT(message_of([] { scalar("64 B").as_bandwidth(Hertz{1}); }), Catch::Contains("unknown unit 'B'"));
}

TEST_CASE("negative, infinite, undefined and overflowing quantities are errors") {
  REQUIRE(message_of([] { scalar("-1 B").as_bytes(); }) == "t.yaml:1: v: a size must not be negative, got '-1 B'");
  REQUIRE(message_of([] { scalar("nan B").as_bytes(); }) == "t.yaml:1: v: a size must be finite, got 'nan B'");
  REQUIRE(message_of([] { scalar("inf W").as_power(); }) == "t.yaml:1: v: a power must be finite, got 'inf W'");
  REQUIRE(message_of([] { scalar("1e400 B").as_bytes(); }) ==
          "t.yaml:1: v: '1e400 B' is beyond what a number can hold");
  REQUIRE(message_of([] { scalar("1e308 TB").as_bytes(); }) ==
          "t.yaml:1: v: '1e308 TB' is beyond what a number can hold");
  REQUIRE(message_of([] { scalar("fast").as_time(); }) ==
          "t.yaml:1: v: a time needs a number and a unit such as '1 s', got 'fast'");
  REQUIRE(message_of([] { scalar("''").as_area(); }) ==
          "t.yaml:1: v: an area needs a number and a unit such as '1 mm2', got ''");
}

// ---- malformed files

TEST_CASE("an empty file, a file of comments and a file of nothing are called empty") {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~\n"})
    REQUIRE(parse_error(text) == "t.yaml: the file is empty");
}

TEST_CASE("a duplicate key is an error that says where the first one is") {
  REQUIRE(parse_error("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n") == "t.yaml:5: b: duplicate key 'c'; it is first in line 3");
  REQUIRE(parse_error("{a: 1, a: 2}\n") == "t.yaml:1: duplicate key 'a'; it is first in line 1");
}

TEST_CASE("syntax errors carry their line") {
  REQUIRE_THAT(parse_error("a: 1\nb: [1, 2\n"), Catch::StartsWith("t.yaml:") && Catch::Contains("not valid YAML: "));
  REQUIRE_THAT(parse_error("a: 1\n  b: 2\n"), Catch::StartsWith("t.yaml:2: ") && Catch::Contains("not valid YAML: "));
  for (const std::string text : {"a: \"x", "a: \"x\n", "a: 'x\nb: 2\n", "a: \"x\n# end\n\n"}) {
    INFO(text);
    REQUIRE_THAT(parse_error(text),
                 Catch::StartsWith("t.yaml:") && Catch::Contains("a quote opened above is never closed"));
  }
  REQUIRE_THAT(parse_error("a: 1\n}\n"), Catch::StartsWith("t.yaml:2: "));
  REQUIRE_THAT(parse_error("a: b: c\n"), Catch::StartsWith("t.yaml:1: "));
  REQUIRE_THAT(parse_error("%YAML 9.9\n"), Catch::StartsWith("t.yaml"));
}

TEST_CASE("a tab in the indentation is named as such") {
  REQUIRE_THAT(parse_error("a:\n\tb: 1\n"),
               Catch::StartsWith("t.yaml:2: ") && Catch::Contains("a tab in the indentation; use spaces"));
}

TEST_CASE("a block text keeps its lines, and an end marker of the file changes nothing") {
  REQUIRE(parsed("a: |\n  one\n  two\n").at("a").as_string() == "one\ntwo\n");
  REQUIRE(parsed("a: |\n  one\n  two").at("a").as_string() == "one\ntwo\n");
  REQUIRE(parsed("a: 5\n...\n").at("a").as_int(0, 9) == 5);
  REQUIRE(parsed("---\na: 5").at("a").as_int(0, 9) == 5);
}

TEST_CASE("keys must be words") {
  REQUIRE(parse_error("[1, 2]: x\n") == "t.yaml:1: a key must be a word, not a list or a map");
  REQUIRE(parse_error("{a: 1}: x\n") == "t.yaml:1: a key must be a word, not a list or a map");
  REQUIRE_THAT(parse_error("~: x\n"), Catch::Contains("a key must be a word"));
}

TEST_CASE("a second document in one file is an error") {
  REQUIRE(parse_error("a: 1\n---\nb: 2\n") == "t.yaml:3: a second document begins here; put it into a file of its own");
}

TEST_CASE("bytes that are no text are refused with their line") {
  REQUIRE(parse_error(std::string("a: 1\nb: \0\n", 10)) ==
          "t.yaml:2: not a YAML text file: byte 8 (0x00) is no UTF-8 text");
  REQUIRE(parse_error("a: \xff\xfe\n") == "t.yaml:1: not a YAML text file: byte 3 (0xff) is no UTF-8 text");
  REQUIRE(parse_error("a: \xc3") == "t.yaml:1: not a YAML text file: byte 3 (0xc3) is no UTF-8 text");  // cut off
  REQUIRE(parsed("\xEF\xBB\xBF"
                 "a: \u00b5s\n")
              .at("a")
              .as_string() == "\u00b5s");  // a byte order mark is fine
}

TEST_CASE("aliases that multiply are stopped by a limit on values") {
  // 10 anchors, each nine times the one before: 9^9 = 387 million values from 400 bytes
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int k = 1; k < 9; ++k) bomb += ", " + alias;
    bomb += "]\n";
  }
  REQUIRE_THAT(parse_error(bomb), Catch::Contains("more than 200000 values, aliases expanded; split the file"));
}

TEST_CASE("an alias that contains itself or names nothing is an error") {
  REQUIRE(parse_error("a: &x [1, *x]\n") == "t.yaml:1: a: this alias contains itself");
  REQUIRE_THAT(parse_error("a: *nothing\n"), Catch::StartsWith("t.yaml:1: "));
}

TEST_CASE("deep nesting is an error, not a crash") {
  const std::string deepest = std::string(64, '[') + std::string(64, ']');
  REQUIRE_NOTHROW(parsed(deepest));
  REQUIRE_THAT(parse_error("[" + deepest + "]"), Catch::Contains("nested deeper than 64 levels"));
  for (const std::string open : {"[", "{a: ", "- ", "? ", "[a: "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += open;
    INFO(open);
    REQUIRE_THAT(parse_error(text), Catch::StartsWith("t.yaml:1: "));
  }
  std::string chain = "a0: &a0 [x]\n";  // each line one level deeper through its alias
  for (int i = 1; i < 100; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  REQUIRE_THAT(parse_error(chain), Catch::Contains("nested deeper than 64 levels, aliases expanded"));
}

TEST_CASE("every prefix of a document and every changed byte either parses or is an input error") {
  const std::string text =
      "name: edge  # note\nclock: 500 MHz\ncompute: {rows: 16, precisions: {int8: 1, 'fp16': 0.5}}\nlevels: &l\n"
      "  - {name: \"DRAM\", read: {value: 1300 pJ, per: 64 bit}}\n  - name: Buffer\n    keeps: [inputs, "
      "weights]\nagain: *l\n"
      "text: |\n  two\n  lines\nfolded: >-\n  a\n  b\n? odd\n: !!str 5\n";
  REQUIRE_NOTHROW(parsed(text));
  const auto survives = [](const std::string& input) {
    try {
      parsed(input);
    } catch (const InputError& error) { return std::string(error.what()).starts_with("t.yaml"); }
    return true;
  };
  for (std::size_t n = 0; n <= text.size(); ++n) REQUIRE(survives(text.substr(0, n)));
  for (std::size_t n = 0; n < text.size(); ++n) {
    for (const char c :
         {'\t', '\n', ' ', ':', '-', '[', ']', '{', '}', '&', '*', '!', '|', '"', '\'', '#', '%', '?', '@', ','}) {
      std::string changed = text;
      changed[n] = c;
      INFO(changed);
      REQUIRE(survives(changed));
    }
  }
}

TEST_CASE("a missing YAML file, a folder and a file over 16 MiB are input errors") {
  REQUIRE(message_of([] { load_yaml("/nowhere/t.yaml"); }) == "/nowhere/t.yaml: no such file");
  REQUIRE(message_of([] { load_yaml("/"); }) == "/: this is a folder; name a file in it");
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tilewright-large-" + std::to_string(::getpid()) + ".yaml")).string();
  write_file(path, std::string((std::size_t{16} << 20) + 1, '#'));
  REQUIRE(message_of([&] { load_yaml(path); }) == path + ": larger than the 16777216 bytes that are accepted here");
  std::filesystem::remove(path);
}
