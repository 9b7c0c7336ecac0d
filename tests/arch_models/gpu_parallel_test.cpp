#include <catch2/catch.hpp>

#include "arch_models/gpu/library.hpp"
#include "arch_models/gpu/parallel.hpp"
#include "arch_models/load.hpp"

using namespace tilewright;

namespace {
constexpr GpuLink wire{"test", BytesPerSecond{100e9}, Seconds{1e-6}, ""};
}

TEST_CASE("an all-gather is the second half of an all-reduce") {
  const GpuLink link{"test", BytesPerSecond{100e9}, Seconds{2e-6}, ""};
  CHECK(all_gather(Bytes{8e6}, 4, link).value == Approx(0.75 * 8e6 / 100e9 + 3 * 2e-6));
  CHECK((2 * all_gather(Bytes{8e6}, 4, link)).value == Approx(all_reduce(Bytes{8e6}, 4, link).value));
  CHECK(all_gather(Bytes{8e6}, 1, link).value == 0);
}

TEST_CASE("a ring all-reduce moves 2 (n - 1) / n of the bytes in 2 (n - 1) steps") {
  CHECK(all_reduce(Bytes{1e9}, 1, wire).value == 0);
  CHECK(all_reduce(Bytes{1e9}, 2, wire).value == Approx(1e9 / 100e9 + 2e-6));
  CHECK(all_reduce(Bytes{1e9}, 4, wire).value == Approx(1.5 * 1e9 / 100e9 + 6e-6));
}

TEST_CASE("data, tensor and pipeline parallel steps are compute, idle time and what no kernel hides of the exchange") {
  const ParallelTime small =
      data_parallel(Seconds{1}, Seconds{2}, Bytes{100e6}, 4, wire);  // reduced under the backward pass
  CHECK(small.exchange.value == Approx(all_reduce(Bytes{25e6}, 4, wire).value));
  const ParallelTime large = data_parallel(Seconds{1e-3}, Seconds{2e-3}, Bytes{1e9}, 4, wire);
  CHECK(large.exchange.value == Approx(all_reduce(Bytes{1e9}, 4, wire).value - 2e-3));
  const ParallelTime tensor = tensor_parallel(Seconds{0.1}, Bytes{1e6}, 10, 4, wire);
  CHECK(tensor.total.value == Approx(0.1 + 10 * all_reduce(Bytes{1e6}, 4, wire).value));
  const ParallelTime one = pipeline_parallel(Seconds{0.4}, Bytes{1e6}, 2, 1, 4, wire);  // one micro-batch: no overlap
  CHECK(one.compute.value + one.idle.value == Approx(0.4));
  const ParallelTime many = pipeline_parallel(Seconds{0.4}, Bytes{1e6}, 2, 8, 4, wire);
  CHECK(many.compute.value + many.idle.value == Approx(0.1 * (8 + 4 - 1) / 8));
  for (const ParallelTime& time : {small, large, tensor, one, many})
    CHECK(time.total.value == Approx(time.compute.value + time.idle.value + time.exchange.value));
}

TEST_CASE("memory of LLaMA-7B and GPT-3 and the GPUs that hold them") {
  const double llama = 6'738'415'616;
  CHECK(model_memory(llama, 2, Optimizer::none).total().value == Approx(13.477e9).epsilon(1e-4));
  CHECK(model_memory(llama, 2, Optimizer::adam).total().value == Approx(107.8e9).epsilon(1e-3));
  CHECK(model_memory(llama, 4, Optimizer::adam).total().value == Approx(16 * llama));
  const auto gpus = [](double bytes) {
    return gpus_needed(model_memory(175e9, bytes, Optimizer::none).total(), Bytes{80e9});
  };
  CHECK(gpus(4) == 9);
  CHECK(gpus(2) == 5);
  CHECK(gpus(1) == 3);
  CHECK(gpus(0.5) == 2);
}

TEST_CASE("boards with NVLink are known by their name") {
  CHECK(link_of(gpu_device_of(load_chip("a100-sxm4-80gb"))).name == "NVLink 3");
  CHECK(link_of(gpu_device_of(load_chip("a100-pcie-40gb"))).name == "PCIe 4 x16");
  CHECK(link_of(gpu_device_of(load_chip("h100-sxm5-80gb"))).name == "NVLink 4");
  CHECK(link_of(gpu_device_of(load_chip("t4"))).name == "PCIe 3 x16");
}
