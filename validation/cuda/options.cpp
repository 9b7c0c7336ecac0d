#include "validation/cuda/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/diagnostics.hpp"
#include "validation/cuda/shapes.hpp"

namespace tilewright::cuda {
namespace {

[[noreturn]] void fail(const std::string& option, const std::string& message) {
  throw InputError({option, 0, 0, ""}, message);
}

template <class Integer>
Integer integer(const std::string& option, const std::string& text, Integer least, Integer most) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    fail(option, fmt::format("'{}' is not an integer from {} to {}", shown(text), least, most));
  return value;
}

void add_tables(BenchOptions& options, const std::string& list) {
  const std::vector<std::string> known = measured_tables();
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, comma - begin);
    if (std::ranges::find(known, name) == known.end()) fail("--table", unknown_message("table", name, known));
    if (std::ranges::find(options.tables, name) == options.tables.end()) options.tables.push_back(name);
    begin = comma + 1;
  }
}

}  // namespace

std::string usage() {
  return "usage: tilewright_cuda -o DIR [options]\n"
         "\n"
         "Measures kernels on one CUDA GPU and writes tables for `tilewright validate gpu --data DIR`.\n"
         "\n"
         "  -o, --output DIR   folder of the tables; none of them may stand there yet\n"
         "  --table LIST       gemm, conv, vector, attention, microbench, separated by commas (default: all)\n"
         "  --shapes FILE      shapes of one table from a CSV file with its columns, such as an open table\n"
         "  --list             print what would be measured; needs no GPU\n"
         "  --power            loop each row for 3 s more: energy and board power\n"
         "  --device N         CUDA device (default 0)\n"
         "  --devices FILE     device table for the name of the GPU (default: the project's own)\n"
         "  --samples N        timed replays of each row, 30 or more (default 30)\n"
         "  --seed N           of random data and order (default 1)\n"
         "\n"
         "Exit codes: 0 done, 2 bad usage or input, 4 the GPU reported an error, 77 no GPU.\n";
}

BenchOptions parse_options(std::span<const char* const> arguments) {
  static const std::vector<std::string> known{"--output", "--table",   "--shapes",  "--list", "--power",
                                              "--device", "--devices", "--samples", "--seed", "--help"};
  BenchOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    if (option == "-o") option = "--output";
    if (option == "-h") option = "--help";
    if (std::ranges::find(known, option) == known.end()) fail("command line", unknown_message("option", option, known));
    if (option == "--list") {
      options.list = true;
    } else if (option == "--power") {
      options.power = true;
    } else if (option == "--help") {
      options.help = true;
    } else {
      if (++i == arguments.size()) fail(option, "a value is missing");
      const std::string value = arguments[i];
      if (value.empty()) fail(option, "the value is empty");
      if (option == "--output") options.output = value;
      if (option == "--table") add_tables(options, value);
      if (option == "--shapes") options.shapes = value;
      if (option == "--devices") options.devices = value;
      if (option == "--device") options.device = integer(option, value, 0, 1023);
      if (option == "--samples") options.samples = integer(option, value, 30, 100'000);
      if (option == "--seed") options.seed = integer<std::uint64_t>(option, value, 0, UINT64_MAX);
    }
  }
  if (options.help) return options;
  if (!options.shapes.empty() && (options.tables.size() != 1 || options.tables[0] == "microbench"))
    fail("--shapes", "name the table of the shapes as well: --table gemm, conv, vector or attention");
  if (!options.list && options.output.empty()) fail("--output", "name the folder of the tables: -o DIR");
  if (options.tables.empty()) options.tables = measured_tables();
  return options;
}

}  // namespace tilewright::cuda
