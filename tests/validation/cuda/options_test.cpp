#include "validation/cuda/options.hpp"

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"

using namespace tilewright;
using namespace tilewright::cuda;

namespace {

BenchOptions parsed(const std::vector<const char*>& arguments) { return parse_options(arguments); }

std::string refusal(const std::vector<const char*>& arguments) {
  try {
    parse_options(arguments);
  } catch (const InputError& error) { return error.what(); }
  return "";
}

}  // namespace

TEST_CASE("options are read, and all tables are measured unless some are named") {
  const BenchOptions all = parsed({"-o", "out"});
  REQUIRE(all.output == "out");
  REQUIRE(all.tables == std::vector<std::string>{"gemm", "conv", "vector", "attention", "microbench"});
  REQUIRE(all.samples == 30);
  const BenchOptions some = parsed({"--table", "conv,gemm,conv", "--power", "--device", "2", "--samples", "100",
                                    "--seed", "18446744073709551615", "--output", "o"});
  REQUIRE(some.tables == std::vector<std::string>{"conv", "gemm"});
  REQUIRE(some.power);
  REQUIRE(some.device == 2);
  REQUIRE(some.samples == 100);
  REQUIRE(some.seed == UINT64_MAX);
  REQUIRE(parsed({"--list"}).list);
  REQUIRE(parsed({"-h"}).help);
  REQUIRE(parsed({"--table", "gemm", "--shapes", "s.csv", "--list"}).shapes == "s.csv");
}

TEST_CASE("every option of the usage is known, and the other way round") {
  for (const std::string option :
       {"--output", "--table", "--shapes", "--list", "--power", "--device", "--devices", "--samples", "--seed"}) {
    INFO(option);
    REQUIRE(usage().find(option + " ") != std::string::npos);
  }
}

TEST_CASE("bad options say what is wrong") {
  REQUIRE(refusal({}).find("-o DIR") != std::string::npos);
  REQUIRE(refusal({"--tabel", "gemm"}).find("Did you mean '--table'") != std::string::npos);
  REQUIRE(refusal({"--table", "gem", "-o", "o"}).find("Did you mean 'gemm'") != std::string::npos);
  REQUIRE(refusal({"--table", "gemm,", "-o", "o"}).find("unknown table ''") != std::string::npos);
  REQUIRE(refusal({"-o"}).find("a value is missing") != std::string::npos);
  REQUIRE(refusal({"-o", ""}).find("empty") != std::string::npos);
  REQUIRE(refusal({"--samples", "29", "-o", "o"}).find("from 30") != std::string::npos);
  REQUIRE(refusal({"--device", "-1", "-o", "o"}).find("'-1'") != std::string::npos);
  REQUIRE(refusal({"--device", "1x", "-o", "o"}).find("'1x'") != std::string::npos);
  REQUIRE(refusal({"--shapes", "s.csv", "-o", "o"}).find("--table") != std::string::npos);
  REQUIRE(refusal({"--shapes", "s.csv", "--table", "gemm,conv", "-o", "o"}).find("--table") != std::string::npos);
  REQUIRE(refusal({"--shapes", "s.csv", "--table", "microbench", "-o", "o"}).find("--table") != std::string::npos);
}
