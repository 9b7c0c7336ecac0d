#include "core/csv.hpp"

#include <catch2/catch.hpp>

#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

using Cells = std::vector<std::string>;

double number(const std::string& cell) {
  const CsvTable table = parse_csv("v,w\n" + cell + ",1\n", "t.csv");
  return table.number(table.rows[0], 0);
}

std::int64_t integer(const std::string& cell, std::int64_t least, std::int64_t most) {
  const CsvTable table = parse_csv("v,w\n" + cell + ",1\n", "t.csv");
  return table.integer(table.rows[0], 0, least, most);
}

}  // namespace

TEST_CASE("a CSV table keeps its header, cells and line numbers") {
  const CsvTable table = parse_csv("name, macs ,\nconv1,118013952,x\n\nfc,2048000,\n", "t.csv");
  REQUIRE(table.header == Cells{"name", "macs", ""});
  REQUIRE(table.rows.size() == 2);
  REQUIRE(table.rows[0].line == 2);
  REQUIRE(table.rows[1].line == 4);  // the blank line counts
  REQUIRE(table.rows[1].cells == Cells{"fc", "2048000", ""});
  REQUIRE(table.column("macs") == 1);
}

TEST_CASE("quoted cells may hold commas, doubled quotes, blanks and line breaks") {
  const CsvTable table = parse_csv("a,b,c\n\"x, y\",\"say \"\"hi\"\"\",\" \"\n\"two\nlines\",,1\n", "t.csv");
  REQUIRE(table.rows[0].cells == Cells{"x, y", "say \"hi\"", " "});
  REQUIRE(table.rows[1].cells == Cells{"two\nlines", "", "1"});
  REQUIRE(table.rows[1].line == 3);
}

TEST_CASE("Windows line ends, a byte order mark and a missing last line end change nothing") {
  const CsvTable plain = parse_csv("a,b\n1,2\n", "t.csv");
  const CsvTable windows = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2",
      "t.csv");
  REQUIRE(windows.header == plain.header);
  REQUIRE(windows.rows.size() == 1);
  REQUIRE(windows.rows[0].cells == plain.rows[0].cells);
}

TEST_CASE("a row with too many or too few cells is an error by line") {
  REQUIRE(message_of([] { parse_csv("a,b\n1,2\n1\n", "t.csv"); }) == "t.csv:3: the row has 1 cells, the header has 2");
  REQUIRE(message_of([] { parse_csv("a,b\n1,2,3\n", "t.csv"); }) == "t.csv:2: the row has 3 cells, the header has 2");
}

TEST_CASE("trailing commas are dropped on request only, and an empty last cell stays a cell") {
  REQUIRE(message_of([] { parse_csv("a,b,\n1,2,,\n", "t.csv"); }) == "t.csv:2: the row has 4 cells, the header has 3");
  const CsvTable table = parse_csv("a,b,\n1,2,,\n3,,\n4,\n", "t.csv", true);
  REQUIRE(table.header == Cells{"a", "b"});
  REQUIRE(table.rows[0].cells == Cells{"1", "2"});
  REQUIRE(table.rows[1].cells == Cells{"3", ""});
  REQUIRE(table.rows[2].cells == Cells{"4", ""});
  REQUIRE(message_of([] { parse_csv("a,\n1,2,\n", "t.csv", true); }) ==
          "t.csv:2: the row has 2 cells, the header has 1");
}

TEST_CASE("CSV numbers are correctly rounded and never read from an empty cell") {
  REQUIRE(number("0.3") == 0.3);  // many parsers give 0.30000000000000004
  REQUIRE(number("1.7976931348623157e308") == 1.7976931348623157e308);
  REQUIRE(number("1e-310") == 1e-310);  // a subnormal
  REQUIRE(number("-2.5E-3") == -0.0025);
  REQUIRE(message_of([] { number(""); }) == "t.csv:2: v: the cell is empty; a number is needed");
  for (const char* bad : {"1e400", "nan", "inf", "-inf", "1 2", "0x10", "1.5x", "1;5", "+1"}) {
    REQUIRE(message_of([&] { number(bad); }) == "t.csv:2: v: '" + std::string(bad) + "' is not a finite number");
  }
}

TEST_CASE("CSV integers are exact and within their bounds") {
  REQUIRE(integer("9007199254740993", 0, INT64_MAX) == 9007199254740993);  // 2^53 + 1 is no double
  REQUIRE(integer("-5", -5, 5) == -5);
  REQUIRE(message_of([] { integer("6", 1, 5); }) == "t.csv:2: v: '6' is not an integer from 1 to 5");
  REQUIRE(message_of([] { integer("1.0", 1, 5); }) == "t.csv:2: v: '1.0' is not an integer from 1 to 5");
  REQUIRE(message_of([] { integer("9223372036854775808", 1, 5); }) ==
          "t.csv:2: v: '9223372036854775808' is not an integer from 1 to 5");
  REQUIRE(message_of([] { integer("", 1, 5); }) == "t.csv:2: v: the cell is empty; an integer from 1 to 5 is needed");
}

TEST_CASE("a missing column names the nearest one") {
  const CsvTable table = parse_csv("energy,latency\n1,2\n", "t.csv");
  REQUIRE(message_of([&] { table.column("latncy"); }) ==
          "t.csv:1: unknown column 'latncy'; known: energy, latency. Did you mean 'latency'?");
}

TEST_CASE("broken CSV text is an error with its line") {
  REQUIRE(message_of([] { parse_csv("", "t.csv"); }) ==
          "t.csv: the table is empty; its first line must name the columns");
  REQUIRE(message_of([] { parse_csv("\n \n", "t.csv"); }) ==
          "t.csv: the table is empty; its first line must name the columns");
  REQUIRE(message_of([] { parse_csv("a,b\n1,\"x\n2,3\n", "t.csv"); }) ==
          "t.csv:2: a quoted cell that opens here is never closed");
  REQUIRE(message_of([] { parse_csv("a,b\n\"x\"y,1\n", "t.csv"); }) ==
          "t.csv:2: text after the closing quote of 'x'; put a comma between cells");
  REQUIRE(message_of([] { parse_csv("a,b\n5\" disk,1\n", "t.csv"); }) ==
          "t.csv:2: a quote inside the unquoted cell '5\" disk'; quote the whole cell and double the quote");
  REQUIRE(message_of([] { parse_csv("a,b,a\n", "t.csv"); }) == "t.csv:1: a: this column stands twice in the header");
  REQUIRE(message_of([] { parse_csv(std::string("a,b\n1,\0\n", 8), "t.csv"); }) ==
          "t.csv:2: a zero byte: this is not a CSV text file");
  REQUIRE(message_of([] { read_csv("/nowhere/t.csv"); }) == "/nowhere/t.csv: no such file");
  REQUIRE(message_of([] { read_csv("/"); }) == "/: this is a folder; name a file in it");
}

TEST_CASE("a cell that is written and read again is the same text") {
  REQUIRE(csv_cell("plain") == "plain");
  REQUIRE(csv_cell("") == "");
  for (const std::string text : {"a,b", "say \"hi\"", "two\nlines", " blank ", "\"", ""}) {
    const CsvTable table = parse_csv("v,w\n" + csv_cell(text) + ",1\n", "t.csv");
    REQUIRE(table.rows[0].cells[0] == text);
  }
}

TEST_CASE("a table with a line of a million cells is read") {
  std::string line = "1";
  for (int i = 1; i < 1'000'000; ++i) line += ",1";
  REQUIRE(message_of([&] { parse_csv("a\n" + line + "\n", "t.csv"); }) ==
          "t.csv:2: the row has 1000000 cells, the header has 1");
}
