#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/stack.hpp"

using namespace tilewright;

namespace {

/// 10 SMs at 1 GHz, 100 GB/s of GDDR6, 1 MB of L2, tensor cores of 10 TFLOP/s.
GpuDevice small_device() {
  GpuDevice device;
  device.name = "small";
  device.generation = "Ampere";
  device.compute_capability = 8.6;
  device.sms = 10;
  device.tensor_cores_per_sm = 4;
  device.boost = Hertz{1e9};
  device.fp32_peak = 1e12;
  device.fp16_tensor_peak = device.bf16_tensor_peak = 10e12;
  device.memory = "GDDR6";
  device.memory_size = Bytes{8e9};
  device.l2_size = Bytes{1e6};
  device.shared_per_sm = Bytes{100e3};
  device.registers_per_sm = Bytes{256e3};
  device.dram_bandwidth = BytesPerSecond{100e9};
  device.tdp = Watts{200};
  device.node_nm = 8;
  return device;
}

constexpr Timing kernel_alone{Stack::profiler, Seconds{0}};

}  // namespace

TEST_CASE("an addition much larger than the L2 streams its three tensors at the achieved DRAM share") {
  GpuConstants constants = initial_constants();
  constants.vector.share_gddr = 0.8;
  constants.vector.start_us = 1;
  const VectorKernel add{VectorOp::add, 10'000, 10'000, 2, GpuPrecision::fp32};
  // 3 x 4 x 1e8 bytes at 0.8 x 100 GB/s = 15 ms, and 1 us of start
  const double expected = 3 * 4e8 / 80e9 + 1e-6;
  CHECK(kernel_time(small_device(), constants, add, kernel_alone).total.value == Approx(expected).epsilon(1e-6));
}

TEST_CASE("an eager call shorter than the host's dispatch lasts as long as the dispatch") {
  CHECK(dispatched(Stack::pytorch_eager, Seconds{30e-6}, 0.5, 1e-6).value == Approx(30e-6).epsilon(1e-3));
  // A long kernel starts after the first half of the dispatch.
  CHECK(dispatched(Stack::pytorch_eager, Seconds{30e-6}, 0.5, 1e-3).value == Approx(1015e-6).epsilon(1e-6));
  // Graph timing adds its floor.
  CHECK(dispatched(Stack::cuda_graph_vllm, Seconds{2e-6}, 0.5, 5e-6).value == Approx(7e-6));
}

TEST_CASE(
    "long softmax rows of PyTorch 2.1 that overflow the L2 are read three times, short ones and those of 2.11 once") {
  GpuConstants constants = initial_constants();
  constants.vector.softmax_row_us = constants.vector.softmax_step_us = 1e-9;
  constants.vector.start_us = 1e-9;
  GpuDevice device = small_device();
  const auto per_byte = [&](std::int64_t cols, Stack stack = Stack::profiler_2023) {
    const VectorKernel softmax{VectorOp::softmax, 100'000, cols, 1, GpuPrecision::fp32};
    return kernel_time(device, constants, softmax, {stack, Seconds{0}}).total.value / (4e5 * static_cast<double>(cols));
  };
  device.l2_size = Bytes{1e3};  // rows in flight overflow: 3 reads + 1 write against 1 + 1
  CHECK(per_byte(8192) / per_byte(1024) == Approx(2).epsilon(1e-3));
  CHECK(per_byte(8192, Stack::profiler) / per_byte(1024) == Approx(1).epsilon(1e-3));
  device.l2_size = Bytes{1e8};  // rows in flight fit: later passes cost no DRAM
  CHECK(per_byte(8192) / per_byte(1024) == Approx(1).epsilon(1e-2));
}

TEST_CASE("flash attention splits the keys of grouped heads only") {
  const GpuConstants constants = initial_constants();
  AttentionKernel decode{.batch = 1, .queries = 1, .keys = 4096, .heads = 2, .kv_heads = 2};
  CHECK(attention_time(small_device(), constants, decode, kernel_alone).split == 1);
  decode.kv_heads = 1;  // 10 SMs for one pair of sequence and key head
  CHECK(attention_time(small_device(), constants, decode, kernel_alone).split == 10);
  decode.kv_heads = 2;
  decode.library = AttentionLibrary::flashinfer;
  CHECK(attention_time(small_device(), constants, decode, kernel_alone).split == 5);
}

TEST_CASE("a causal prefill walks half of the key tiles") {
  const GpuConstants constants = initial_constants();
  AttentionKernel prefill{.batch = 64, .queries = 16'384, .keys = 16'384, .heads = 8, .kv_heads = 8, .prefill = true};
  const double causal = attention_time(small_device(), constants, prefill, kernel_alone).compute.value;
  prefill.causal = false;
  const double whole = attention_time(small_device(), constants, prefill, kernel_alone).compute.value;
  CHECK(whole / causal == Approx(2).epsilon(0.02));
}

TEST_CASE("cuDNN's attention splits every decode and writes no cache") {
  const GpuConstants constants = initial_constants();
  AttentionKernel kernel{1, 1, 4096, 2, 2, 128, false, false, GpuPrecision::bf16, AttentionLibrary::cudnn};
  CHECK(attention_time(small_device(), constants, kernel, kernel_alone).split == 5);  // 10 SMs over two heads
  kernel.queries = 4096;
  kernel.prefill = kernel.causal = true;
  const KernelTime alone = attention_time(small_device(), constants, kernel, kernel_alone);
  CHECK(alone.fixed.value == 0);
  kernel.library = AttentionLibrary::flashinfer;
  const KernelTime paged = attention_time(small_device(), constants, kernel, kernel_alone);
  CHECK(paged.compute.value == alone.compute.value);
  CHECK((paged.total - alone.total).value == Approx(paged.fixed.value));  // the kernel that writes the cache
}

TEST_CASE("time steps of a recurrent layer wait for each other") {
  const GpuConstants constants = initial_constants();
  RecurrentKernel layer{RecurrentCell::lstm, 2048, 1, 1000, GpuPrecision::fp32};
  const auto time = [&] { return recurrent_time(small_device(), constants, layer, kernel_alone).total.value; };
  const double thousand = time();
  layer.steps = 2000;
  const double two_thousand = time();
  layer.steps = 3000;
  CHECK(time() - two_thousand == Approx(two_thousand - thousand).epsilon(1e-3));
  CHECK(recurrent_gates(RecurrentCell::gru) == 3);
}

TEST_CASE("a recurrent layer without input product is shorter by that product") {
  const GpuConstants constants = initial_constants();
  RecurrentKernel layer{RecurrentCell::gru, 1024, 16, 100, GpuPrecision::fp16};
  const auto time = [&] { return recurrent_time(small_device(), constants, layer, kernel_alone).total.value; };
  const double whole = time();
  layer.input_product = false;
  const GemmKernel product{.m = 16 * 100, .n = 3 * 1024, .k = 1024, .precision = GpuPrecision::fp16};
  CHECK(whole - time() == Approx(gemm_time(small_device(), constants, product, kernel_alone).total.value));
}

TEST_CASE("steps of up to 32 samples on CUDA cores wait for their loads, whatever the number of outputs") {
  GpuDevice device = small_device();
  device.sms = 1000;  // enough for the blocks of both cells
  device.fp32_peak = 100e12;
  device.dram_bandwidth = BytesPerSecond{1e13};
  device.tensor_cores_per_sm = 0;
  device.compute_capability = 5.2;  // no persistent kernels
  const GpuConstants constants = initial_constants();
  RecurrentKernel layer{RecurrentCell::vanilla, 2048, 32, 1000, GpuPrecision::fp32, false};
  const auto time = [&] { return recurrent_time(device, constants, layer, kernel_alone).total.value; };
  const double vanilla = time();
  layer.cell = RecurrentCell::lstm;
  CHECK(time() < 1.1 * vanilla);
  const double chain = 1000 * 2048 * constants.recurrent.narrow_cycles / device.boost.value;
  CHECK(vanilla > chain);
  CHECK(vanilla < 1.1 * chain);
}

TEST_CASE("batch norm of few channels waits for its loads: one block a channel") {
  const GpuConstants constants = initial_constants();
  const GpuDevice device = small_device();
  const auto seconds = [&](VectorOp op, std::int64_t rows, std::int64_t cols, std::int64_t inputs,
                           GpuPrecision precision) {
    return vector_time(device, constants, {op, rows, cols, inputs, precision}, kernel_alone).total.value;
  };
  constexpr std::int64_t elements = 1 << 22;
  for (const GpuPrecision precision : {GpuPrecision::fp32, GpuPrecision::fp16}) {
    const double few = seconds(VectorOp::channel_norm, 4, elements / 4, 1, precision);
    const double chain = 2.0 * (elements >> 2) / (512.0 * (precision == GpuPrecision::fp32 ? 4 : 1)) * 1e-6 *
                         constants.vector.softmax_step_us;  // moments, then the result
    CHECK(few > chain);
    CHECK(few < chain + seconds(VectorOp::add, 1, elements, 2, precision));
    CHECK(seconds(VectorOp::channel_norm, 1024, elements / 1024, 1, precision) < 0.7 * few);
    CHECK(seconds(VectorOp::channel_norm, 4, elements / 4, 2, precision) >= few);  // the backward pass
    CHECK(seconds(VectorOp::channel_sum, 4, elements / 4, 1, precision) < few);
  }
  // The planes of an image are many: with given moments the kernel streams.
  CHECK(seconds(VectorOp::plane_norm, 4096, 4096, 1, GpuPrecision::fp32) <
        1.3 * seconds(VectorOp::relu, 4096, 4096, 1, GpuPrecision::fp32));
  // A fill writes, a copy reads as well.
  CHECK(seconds(VectorOp::copy, 1, 1 << 28, 0, GpuPrecision::fp32) <
        0.6 * seconds(VectorOp::copy, 1, 1 << 28, 1, GpuPrecision::fp32));
}

TEST_CASE("code for compute capability 6.0 converts halves slowly on 6.1") {
  const GpuConstants constants = initial_constants();
  GpuDevice device = small_device();
  device.tensor_cores_per_sm = 0;
  const VectorKernel half{VectorOp::relu, 1, 1 << 26, 1, GpuPrecision::fp16};
  const VectorKernel copy{VectorOp::copy, 1, 1 << 26, 1, GpuPrecision::fp16};
  const Timing earlier{Stack::profiler_2018, Seconds{0}};
  const auto seconds = [&](const VectorKernel& kernel, const Timing& timing) {
    return vector_time(device, constants, kernel, timing).total.value;
  };
  device.compute_capability = 6.1;
  CHECK(seconds(half, kernel_alone) >= (1 << 26) / (device.fp32_peak / 64 / 4));
  CHECK(seconds(half, earlier) == seconds(copy, earlier));
  CHECK(seconds(copy, kernel_alone) == seconds(copy, earlier));
  device.compute_capability = 6.0;
  CHECK(seconds(half, kernel_alone) == seconds(copy, kernel_alone));
}

TEST_CASE("autograd's kernels of pools, biases and batch norms") {
  const auto back = [](VectorKernel kernel) {
    std::vector<VectorKernel> kernels;
    for (const ModelKernel& step : backward_kernels({{kernel, 1}}))
      kernels.push_back(std::get<VectorKernel>(step.kernel));
    return kernels;
  };
  const auto pool = back({VectorOp::max_pool, 1, 100, 4, GpuPrecision::fp16});
  REQUIRE(pool.size() == 2);
  CHECK(pool[0].op == VectorOp::copy);  // zeros
  CHECK(pool[0].inputs == 0);
  CHECK(pool[1].op == VectorOp::max_pool);
  CHECK(pool[1].cols == 400);  // an element of the input each
  const auto bias = back({VectorOp::bias, 64, 1000, 1, GpuPrecision::fp32});
  REQUIRE(bias.size() == 1);
  CHECK(bias[0].op == VectorOp::channel_sum);
  CHECK(bias[0].rows == 64);
  const auto norm = back({VectorOp::channel_moments, 64, 1000, 1, GpuPrecision::fp16});
  REQUIRE(norm.size() == 1);
  CHECK(norm[0].op == VectorOp::channel_norm);
  CHECK(norm[0].inputs == 2);
  CHECK(back({VectorOp::plane_norm, 64, 1000, 1, GpuPrecision::fp16}).empty());
  CHECK(backward_kernels({{VectorKernel{VectorOp::relu, 1, 1000, 1, GpuPrecision::fp32}, 3}}).front().repeat == 6);
}

TEST_CASE("tensor-core convolutions convert channels-first tensors, but not for 1 x 1 filters") {
  const GpuConstants constants = initial_constants();
  const GpuDevice device = small_device();
  const auto seconds = [&](ConvKernel kernel, bool channels_first) {
    kernel.channels_last = !channels_first;
    return conv_time(device, constants, kernel, kernel_alone);
  };
  ConvKernel conv;
  conv.n = 16;
  conv.c = conv.k = 256;
  conv.h = conv.w = 28;
  conv.r = conv.s = 3;
  conv.pad_h = conv.pad_w = 1;
  CHECK(seconds(conv, true).total.value == seconds(conv, false).total.value);  // fp32: no tensor cores
  conv.precision = GpuPrecision::fp16;
  for (const ConvPhase phase : {ConvPhase::forward, ConvPhase::backward_data, ConvPhase::backward_filter}) {
    conv.phase = phase;
    const KernelTime last = seconds(conv, false), first = seconds(conv, true);
    CHECK(first.total.value > last.total.value + 2e-6 * constants.conv.pass_us);
    CHECK(first.work.l2_bytes > last.work.l2_bytes);
  }
  conv.phase = ConvPhase::forward;
  conv.r = conv.s = 1;
  conv.pad_h = conv.pad_w = 0;
  CHECK(seconds(conv, true).fixed.value < seconds(conv, false).fixed.value + 1e-6 * constants.conv.pass_us);
  conv.h = conv.w = 7;  // 49 pixels fill a tile of 64 for each image alone
  CHECK(seconds(conv, true).tiles > seconds(conv, false).tiles);
}

TEST_CASE("a queue of kernels takes the longer of host and GPU") {
  const GpuConstants constants = initial_constants();
  const ModelKernel small{VectorKernel{VectorOp::relu, 1, 32, 1, GpuPrecision::fp32}, 100};
  const ModelKernel large{VectorKernel{VectorOp::relu, 10'000, 10'000, 1, GpuPrecision::fp32}, 10};
  const HostSide host{Stack::profiler, Seconds{10e-6}, Seconds{0}, Seconds{0}};
  const double one = kernel_time(small_device(), constants, small.kernel, kernel_alone).total.value;
  CHECK(model_time(small_device(), constants, std::span(&small, 1), host).total.value == Approx(100 * 10e-6 + one));
  const ModelTime busy = model_time(small_device(), constants, std::span(&large, 1), host);
  CHECK(busy.total.value == Approx(busy.kernels.value + 10e-6));
}

TEST_CASE("no operator beats its compulsory bytes or operations, and more bandwidth is never slower") {
  const GpuConstants constants = library_calibration().constants;
  std::mt19937 random(7);
  const auto pick = [&](std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  for (int trial = 0; trial < 300; ++trial) {
    GpuDevice device = small_device();
    device.sms = pick(1, 150);
    const auto op = static_cast<VectorOp>(pick(0, 6));
    VectorKernel vector{op, pick(1, 100'000), pick(1, 20'000), op == VectorOp::add ? 2 : 1, GpuPrecision::fp32};
    AttentionKernel attention;
    attention.batch = pick(1, 64);
    attention.kv_heads = pick(1, 8);
    attention.heads = attention.kv_heads * pick(1, 8);
    attention.queries = pick(0, 1) == 0 ? 1 : pick(2, 2048);
    attention.keys = attention.queries == 1 ? pick(1, 65'536) : attention.queries;
    attention.library = static_cast<AttentionLibrary>(pick(0, 2));
    const RecurrentKernel recurrent{static_cast<RecurrentCell>(pick(0, 2)), pick(16, 4096), pick(1, 128), pick(1, 500),
                                    GpuPrecision::fp32};
    for (const GpuKernel& kernel : {GpuKernel{vector}, GpuKernel{attention}, GpuKernel{recurrent}}) {
      const double before = kernel_time(device, constants, kernel, kernel_alone).total.value;
      GpuDevice faster = device;
      faster.dram_bandwidth = 1.5 * device.dram_bandwidth;
      CHECK(kernel_time(faster, constants, kernel, kernel_alone).total.value <= before);
    }
    const double bytes = 4 * static_cast<double>(vector.rows) * static_cast<double>(vector.cols) *
                         static_cast<double>(vector.inputs + 1);
    if (bytes > 100 * device.l2_size.value)  // hits in the L2 may beat the DRAM
      CHECK(kernel_time(device, constants, vector, kernel_alone).total.value >= bytes / device.dram_bandwidth.value);
    const double macs = 2 * static_cast<double>(recurrent_gates(recurrent.cell) * recurrent.hidden) *
                        static_cast<double>(recurrent.hidden) * static_cast<double>(recurrent.batch * recurrent.steps);
    CHECK(kernel_time(device, constants, recurrent, kernel_alone).total.value >= 2 * macs / device.fp16_tensor_peak);
  }
}
