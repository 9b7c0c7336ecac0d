// The command line of the bench.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tilewright::cuda {

struct BenchOptions {
  std::vector<std::string> tables;  // of gemm, conv, vector, attention, microbench; empty: all
  std::string shapes;               // a CSV table with the shape columns of one table; empty: the built-in list
  std::string output;               // folder of the tables
  std::string devices;              // a device table; empty: the project's own
  bool list = false;                // print what would be measured
  bool power = false;               // loop each row for 3 s more: energy and board power
  bool help = false;
  int device = 0;          // CUDA ordinal
  int samples = 30;        // timed graph replays a row
  std::uint64_t seed = 1;  // of the data and of the order
};

std::string usage();
/// Arguments without the program's name. InputError for an unknown option (with the nearest known one), a missing or bad value, `--shapes` without exactly one table, and
/// for a run without `-o`.
BenchOptions parse_options(std::span<const char* const> arguments);

}  // namespace tilewright::cuda
