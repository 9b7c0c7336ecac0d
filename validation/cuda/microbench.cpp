// Micro-benchmarks: what the chip description is made of.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "validation/cuda/operators.hpp"
#include "validation/cuda/plan.hpp"

namespace tilewright::cuda {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

struct Place {
  Meter& meter;
  const cudaDeviceProp& gpu;
  const Provenance& provenance;
  MeasuredTable& microbench;
  MeasuredTable& roofline;

  int sms() const { return gpu.multiProcessorCount; }
  std::size_t l2() const { return static_cast<std::size_t>(gpu.l2CacheSize); }
  /// Memory for `arrays` arrays: 16 times the L2 each, but a quarter of what is free at most.
  std::size_t large_array(std::size_t arrays) const {
    const std::size_t wanted = std::max<std::size_t>(256 * mebibyte, 16 * l2());
    return std::min(wanted, free_bytes() / 4 / arrays) / 4096 * 4096;
  }

  void add(const std::string& test, const std::string& level, double kilobytes, const std::string& metric, double value,
           const std::string& unit, const Measurement& m, const std::string& note = "") {
    Cells cells = record_cells(m, provenance);
    cells["test"] = test;
    cells["level"] = level;
    cells["working_set_kb"] = kilobytes > 0 ? figure(kilobytes) : "";
    cells["metric"] = metric;
    cells["value"] = figure(value);
    cells["unit"] = unit;
    cells["note"] = note;
    microbench.add(cells);
  }
};

void launch_floor(Place& p) {
  const Measurement m = p.meter.measure([](cudaStream_t stream) { empty(stream); });
  p.add("launch", "graph node", 0, "latency", m.warm.median, "us", m, "empty kernel");
  p.add("launch", "single launch", 0, "latency", m.single.median, "us", m, "empty kernel between events");
  p.add("launch", "behind a write of the L2", 0, "latency", m.cold.median, "us", m, "floor of cold_us");
}

void streams(Place& p) {
  struct Test {
    StreamTest test;
    const char* name;
    double arrays;
  };
  const std::size_t bytes = p.large_array(3);
  const Buffer a(bytes / 4, Element::fp32, 1, p.meter.stream()), b(bytes / 4, Element::fp32, 2, p.meter.stream()),
      c(bytes / 4, Element::fp32, 3, p.meter.stream());
  for (const Test& t : {Test{StreamTest::init, "stream_init", 1}, Test{StreamTest::read, "stream_read", 1},
                        Test{StreamTest::scale, "stream_scale", 2}, Test{StreamTest::triad, "stream_triad", 3}}) {
    const Measurement m = p.meter.warm([&](cudaStream_t stream) {
      stream_pass(t.test, a.as<float>(), b.as<float>(), c.as<float>(), bytes / 4, 4 * p.sms(), stream);
    });
    p.add(t.name, "DRAM", static_cast<double>(bytes) / 1024, "bandwidth",
          1e-3 * t.arrays * static_cast<double>(bytes) / m.warm.median, "GB/s", m);
  }
}

void l2_sweep(Place& p) {
  const auto most = static_cast<std::int64_t>(std::min(4 * p.l2(), p.large_array(1)));
  const Buffer data(static_cast<std::size_t>(most) / 4, Element::fp32, 4, p.meter.stream()), sink(16);
  for (const std::int64_t set : working_sets(256 << 10, most, 2)) {
    const int blocks = 2 * p.sms();
    const int rounds = static_cast<int>(std::clamp<std::int64_t>((std::int64_t{8} << 20) / set, 1, 64));
    const Measurement m = p.meter.warm([&](cudaStream_t stream) {
      read_shared(data.as<float>(), static_cast<std::size_t>(set) / 4, rounds, blocks, sink.as<float>(), stream);
    });
    p.add("l2_read_shared", "L2->DRAM sweep", static_cast<double>(set) / 1024, "bandwidth",
          1e-3 * static_cast<double>(set) * rounds * blocks / m.warm.median, "GB/s", m, "total data set");
  }
}

void shared_memory(Place& p) {
  const Buffer sink(16);
  constexpr int rounds = 512, threads = 1024;
  for (const int stride : {1, 2, 4, 8, 16, 32}) {  // as many lanes in one bank
    const int blocks = 2 * p.sms();
    const Measurement m = p.meter.warm(
        [&](cudaStream_t stream) { read_shared_memory(stride, rounds, blocks, sink.as<float>(), stream); });
    p.add("shared_read", "shared memory", 32, "bandwidth", 1e-3 * 4.0 * 16 * rounds * threads * blocks / m.warm.median,
          "GB/s", m, fmt::format("stride {} words", stride));
  }
}

void pointer_chase(Place& p) {
  constexpr std::uint32_t line_words = 32;  // 128 bytes
  constexpr std::uint32_t hops = 4096;
  const auto most = static_cast<std::int64_t>(std::min(8 * p.l2(), p.large_array(1)));
  const Buffer cycles(sizeof(std::uint64_t)), position(sizeof(std::uint32_t)), sink(16);
  const cudaStream_t stream = p.meter.stream().get();
  for (const std::int64_t set : working_sets(4 << 10, most, 2)) {
    const auto lines = static_cast<std::uint32_t>(set / (4 * line_words));
    const std::vector<std::uint32_t> links = chase_links(lines, line_words, 5);
    const Buffer next(links.size() * 4);
    check(cudaMemcpyAsync(next.get(), links.data(), links.size() * 4, cudaMemcpyHostToDevice, stream), "cudaMemcpy");
    check(cudaMemsetAsync(position.get(), 0, sizeof(std::uint32_t), stream), "cudaMemset");
    // The whole set goes through the L2 once; from there on launches follow one another along the cycle.
    stream_pass(StreamTest::read, sink.as<float>(), next.as<float>(), nullptr, links.size(), p.sms(), stream);
    p.meter.stream().wait();
    const bool near = lines <= hops;  // small sets: the L1 is filled within the launch
    const Measurement m = p.meter.warm([&](cudaStream_t on) {
      chase(next.as<std::uint32_t>(), hops, near, cycles.as<std::uint64_t>(), position.as<std::uint32_t>(), on);
    });
    std::uint64_t walked = 0;
    check(cudaMemcpyAsync(&walked, cycles.get(), sizeof walked, cudaMemcpyDeviceToHost, stream), "cudaMemcpy");
    p.meter.stream().wait();
    p.add("pointer_chase", "sweep", static_cast<double>(set) / 1024, "latency", static_cast<double>(walked) / hops,
          "cycles", m, m.clock_mhz ? fmt::format("clock {:.0f} MHz", *m.clock_mhz) : "");
  }
}

void arithmetic(Place& p) {
  const Buffer sink(16);
  constexpr int rounds = 1024;
  const int blocks = 8 * p.sms();
  for (const Element element : {Element::fp32, Element::fp16}) {
    const bool pairs = element == Element::fp16;
    const Measurement m =
        p.meter.warm([&](cudaStream_t stream) { multiply_adds(element, rounds, blocks, sink.as<float>(), stream); });
    const double operations = 2.0 * (pairs ? 2 : 1) * 16 * 8 * rounds * 256 * blocks;
    p.add("fma_peak", pairs ? "fp16 pairs" : "fp32", 0, "rate", 1e-3 * operations / m.warm.median, "GFLOP/s", m);
  }
  struct Tensor {
    Element element;
    const char* name;
    int least_capability;
  };
  for (const Tensor& t :
       {Tensor{Element::fp16, "fp16", 70}, Tensor{Element::bf16, "bf16", 80}, Tensor{Element::int8, "int8", 72}}) {
    if (10 * p.gpu.major + p.gpu.minor < t.least_capability) continue;
    const Measurement m =
        p.meter.warm([&](cudaStream_t stream) { tensor_products(t.element, rounds, blocks, sink.get(), stream); });
    const double operations = 2.0 * 16 * 16 * 16 * 4 * 8 * rounds * blocks;
    p.add("tensor_peak", t.name, 0, "rate", 1e-3 * operations / m.warm.median, "GFLOP/s", m,
          "warp-level mma; Hopper's warp groups reach more");
  }
}

void roofline(Place& p) {
  const std::size_t bytes = p.large_array(2);
  const Buffer in(bytes / 4, Element::fp32, 6, p.meter.stream()), out(bytes / 4, Element::fp32, 7, p.meter.stream());
  for (const int fmas : roofline_fmas) {
    const Measurement m = p.meter.warm([&](cudaStream_t stream) {
      roofline_pass(fmas, out.as<float>(), in.as<float>(), bytes / 4, 4 * p.sms(), stream);
    });
    const double seconds = 1e-6 * m.warm.median;
    Cells cells = record_cells(m, p.provenance);
    for (const char* other : {"latency_us", "kernel", "timing", "flag"}) cells.erase(other);
    cells["dtype"] = "fp32";
    cells["flop_per_byte"] = figure(2.0 * fmas / 8);
    cells["bandwidth_gbps"] = figure(1e-9 * 2 * static_cast<double>(bytes) / seconds);
    cells["gflops"] = figure(1e-9 * 2.0 * fmas * static_cast<double>(bytes) / 4 / seconds);
    cells["temp_c"] = cells["temperature_c"];
    cells["n_gpus_averaged"] = "1";
    p.roofline.add(cells);
  }
}

}  // namespace

void measure_microbench(Meter& meter, const cudaDeviceProp& gpu, const Provenance& provenance,
                        MeasuredTable& microbench, MeasuredTable& roofline_table) {
  Place place{meter, gpu, provenance, microbench, roofline_table};
  struct Step {
    const char* name;
    void (*run)(Place&);
  };
  for (const Step& step : {Step{"launch floor", launch_floor}, Step{"streams", streams}, Step{"L2 sweep", l2_sweep},
                           Step{"shared memory", shared_memory}, Step{"pointer chase", pointer_chase},
                           Step{"arithmetic", arithmetic}, Step{"roofline", roofline}}) {
    std::fprintf(stderr, "tilewright_cuda: microbench: %s\n", step.name);
    try {
      step.run(place);
    } catch (const Unsupported& no) {
      std::fprintf(stderr, "tilewright_cuda: microbench: %s left out: %s\n", step.name, no.what());
    }
  }
}

}  // namespace tilewright::cuda
