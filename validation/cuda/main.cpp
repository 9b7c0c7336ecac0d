// tilewright_cuda: measures one GPU and writes tables that `tilewright validate gpu --data DIR` reads.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "validation/cuda/operators.hpp"
#include "validation/cuda/plan.hpp"
#include "validation/tables/device_name.hpp"

namespace tilewright::cuda {
namespace {

namespace fs = std::filesystem;

enum ExitCode { done = 0, bad_input = 2, gpu_error = 4, no_gpu = 77 };
constexpr std::size_t sentinel_step = 50;  // rows of a block
constexpr double sentinel_tolerance = 0.02;
constexpr double memory_share = 0.8;

using Measure = Measurement (*)(Meter&, const Shape&, std::uint64_t);
Measure measure_of(const std::string& table) {
  if (table == "gemm") return measure_gemm;
  if (table == "conv") return measure_conv;
  return table == "vector" ? measure_vector : measure_attention;
}

std::vector<Shape> shapes_of(const BenchOptions& options, const std::string& table) {
  if (options.shapes.empty()) return default_shapes(table);
  ShapeList list = read_shapes(options.shapes, table);
  if (list.skipped > 0)
    fmt::print(stderr, "tilewright_cuda: {} rows of {} have a number format or operator that is not measured\n",
               list.skipped, options.shapes);
  return std::move(list.shapes);
}

void print_list(const BenchOptions& options) {
  for (const std::string& table : options.tables) {
    if (table == "microbench") {
      fmt::print(
          "microbench: launch floor, streams, L2 and shared-memory sweeps, pointer chase, multiply-add and tensor "
          "peaks, roofline with power\n");
      continue;
    }
    const std::vector<Shape> shapes = shapes_of(options, table);
    fmt::print("{}: {} shapes\n", table, shapes.size());
    for (const Shape& shape : shapes)
      fmt::print("  {}  {:.4g} MB, {:.4g} G\n", shape.text(), 1e-6 * bytes_of(table, shape),
                 1e-9 * operations_of(table, shape));
  }
}

std::vector<std::string> files_of(const BenchOptions& options) {
  std::vector<std::string> files{"devices.csv", "not_measured.csv"};
  for (const std::string& table : options.tables) files.push_back(table + ".csv");
  if (std::ranges::find(options.tables, "microbench") != options.tables.end()) files.emplace_back("roofline_power.csv");
  return files;
}

void make_folder(const BenchOptions& options) {
  std::error_code error;
  fs::create_directories(options.output, error);
  if (error) throw InputError({options.output, 0, 0, ""}, "the folder cannot be made: " + error.message());
  for (const std::string& file : files_of(options)) {
    if (fs::exists(options.output + "/" + file, error))
      throw InputError({options.output + "/" + file, 0, 0, ""}, "stands there already; name a new folder");
  }
}

std::string version_text(std::size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

Provenance provenance_of(const cudaDeviceProp& gpu, const std::string& pci, const Nvml& nvml) {
  const auto yes_no = [](std::optional<bool> value) {
    return value ? std::string(*value ? "on" : "off") : std::string();
  };
  Provenance p;
  p.gpu = gpu.name;
  p.pci = pci;
  p.uuid = nvml.uuid().value_or("");
  p.mig = yes_no(nvml.mig());
  p.persistence = yes_no(nvml.persistence());
  p.ecc = yes_no(nvml.ecc());
  p.driver = nvml.driver().value_or("");
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  p.cuda = fmt::format("{}.{}", runtime / 1000, runtime / 10 % 100);
  p.cublas = version_text(cublasLtGetVersion());
  p.cudnn = version_text(cudnnGetVersion());
  if (const auto limit = nvml.power_limit_w()) p.power_limit_w = figure(*limit);
  if (const auto clock = nvml.application_clock_mhz()) p.application_mhz = figure(*clock);
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) p.host = host_hash(host.data());
  return p;
}

/// devices.csv with the one GPU: its row of the device table, or one made of what the runtime says. Sets the key.
std::string device_table(const BenchOptions& options, const DeviceFacts& facts, Provenance& provenance) {
  const CsvTable known =
      read_csv(options.devices.empty() ? TILEWRIGHT_VALIDATION_FOLDER "/measured/gpu/devices.csv" : options.devices);
  std::vector<std::string> keys;
  for (const CsvRow& row : known.rows) keys.push_back(known.text(row, known.column("device")));
  MeasuredTable table("devices", known.header);
  if (const auto key = device_key(facts.name, keys)) {
    provenance.device = *key;
    const CsvRow& row = known.rows[static_cast<std::size_t>(std::ranges::find(keys, *key) - keys.begin())];
    Cells cells;
    for (std::size_t i = 0; i < known.header.size(); ++i) cells[known.header[i]] = row.cells[i];
    table.add(cells);
    return table.csv();
  }
  const auto cells = device_cells(facts);
  if (!cells)
    throw InputError({"--devices", 0, 0, ""},
                     fmt::format("'{}' has no row in the device table, and the rates of compute capability {}.{} are "
                                 "not known; add a row to a copy of the table",
                                 facts.name, facts.compute_capability / 10, facts.compute_capability % 10));
  provenance.device = cells->at("device");
  table.add(*cells);
  return table.csv();
}

/// One table. Rows in random order; a sentinel is measured again after each block, whose rows are flagged when it moved.
class TableRun {
 public:
  TableRun(const BenchOptions& options, const Provenance& provenance, Meter& meter, std::string table)
      : options_(options),
        provenance_(provenance),
        meter_(meter),
        name_(std::move(table)),
        measure_(measure_of(name_)) {}

  std::string run(const std::vector<Shape>& shapes) {
    std::string left;
    std::optional<std::size_t> sentinel;
    double sentinel_us = 0;
    std::size_t block = 0;
    const auto end_block = [&] {
      if (sentinel && rows_.size() > block + 1) {
        const double now = measured(shapes[*sentinel]).warm.median;
        if (has_moved(sentinel_us, now, sentinel_tolerance)) {
          for (std::size_t i = block; i < rows_.size(); ++i)
            rows_[i]["flag"] += rows_[i]["flag"].empty() ? "sentinel_moved" : "+sentinel_moved";
        }
        sentinel_us = now;
      }
      block = rows_.size();
      write();
    };
    for (const std::size_t i : shuffled(shapes.size(), options_.seed)) {
      const Shape& shape = shapes[i];
      try {
        if (bytes_of(name_, shape) > memory_share * static_cast<double>(free_bytes()))
          throw Unsupported("more than 80 % of the free memory");
        const Measurement m = measured(shape);
        Cells cells = record_cells(m, provenance_);
        cells.merge(shape.cells());
        rows_.push_back(std::move(cells));
        fmt::print(stderr, "tilewright_cuda: {} {}/{}: {}: {:.2f} us warm, {:.2f} us cold\n", name_, rows_.size(),
                   shapes.size(), shape.text(), m.warm.median, m.cold.median);
        if (!sentinel && m.steady &&
            m.throttle_reasons.value_or(0) == 0) {  // one that the power cap slows is no measure
          sentinel = i;
          sentinel_us = m.warm.median;
        }
      } catch (const GpuError&) {
        write();  // what was measured before the GPU failed
        throw;
      } catch (const Unsupported& no) {
        left += fmt::format("{},{},{}\n", name_, csv_cell(shape.text()), csv_cell(no.what()));
      }
      if (rows_.size() >= block + sentinel_step) end_block();
    }
    end_block();
    return left;
  }

 private:
  Measurement measured(const Shape& shape) { return measure_(meter_, shape, options_.seed); }
  void write() const {
    MeasuredTable table(name_, record_columns());
    for (const Cells& row : rows_) table.add(row);
    write_file(options_.output + "/" + name_ + ".csv", table.csv());
  }

  const BenchOptions& options_;
  const Provenance& provenance_;
  Meter& meter_;
  std::string name_;
  Measure measure_;
  std::vector<Cells> rows_;
};

void run(const BenchOptions& options) {
  const cudaDeviceProp gpu = choose_gpu(options.device);
  const std::string pci = pci_bus_id(options.device);
  const Nvml nvml(pci);
  if (!nvml.problem().empty()) fmt::print(stderr, "tilewright_cuda: no clocks, power and energy: {}\n", nvml.problem());
  DeviceFacts facts = facts_of(options.device, gpu);
  facts.power_limit_w = nvml.power_limit_w();
  make_folder(options);
  Provenance provenance = provenance_of(gpu, pci, nvml);
  write_file(options.output + "/devices.csv", device_table(options, facts, provenance));
  Meter meter(options, nvml, static_cast<std::size_t>(gpu.l2CacheSize));

  std::string left = "table,shape,reason\n";
  for (const std::string& table : options.tables) {
    if (table == "microbench") {
      std::vector<std::string> columns{"latency_us", "timing", "flag"};
      for (const std::string& column : record_columns()) columns.push_back(column);
      MeasuredTable microbench("microbench", columns), roofline("roofline_power", record_columns());
      measure_microbench(meter, gpu, provenance, microbench, roofline);
      write_file(options.output + "/microbench.csv", microbench.csv());
      write_file(options.output + "/roofline_power.csv", roofline.csv());
    } else {
      left += TableRun(options, provenance, meter, table).run(shapes_of(options, table));
    }
  }
  write_file(options.output + "/not_measured.csv", left);
}

}  // namespace
}  // namespace tilewright::cuda

int main(int argc, char** argv) {
  using namespace tilewright::cuda;
  try {
    const BenchOptions options = parse_options({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
    if (options.help)
      fmt::print("{}", usage());
    else if (options.list)
      print_list(options);
    else
      run(options);
    return done;
  } catch (const NoGpu& error) {
    fmt::print(stderr, "tilewright_cuda: no GPU to measure: {}\n", error.what());
    return no_gpu;
  } catch (const tilewright::InputError& error) {
    fmt::print(stderr, "tilewright_cuda: {}\n", error.what());
    return bad_input;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tilewright_cuda: {}\n", error.what());
    return gpu_error;
  }
}
