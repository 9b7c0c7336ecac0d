#include "sim/network/exchange.hpp"

#include <catch2/catch.hpp>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/library.hpp"
#include "arch_models/load.hpp"
#include "sim/network/network.hpp"
#include "sim/network/training.hpp"
#include "workloads/transform/shard.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

namespace {

/// 1024 tokens of width 2048 through a block of 8192 and back.
WorkloadGraph block() {
  zoo::Builder b{zoo::Arguments("net", {}), 1, DataType::fp16};
  const TensorId x = b.elementwise("x", "Relu", {b.input("in", {1024, 2048})});
  const TensorId y = b.elementwise("act", "Relu", {b.linear("up", x, 8192, false)});
  return b.take({b.elementwise("end", "Add", {x, b.linear("down", y, 2048, false)})});
}

NetworkOptions on(const char* stack) {
  NetworkOptions options;
  options.stack = find_stack(stack);
  return options;
}

}  // namespace

TEST_CASE("an exchange is a layer bound by the link; the layers of one GPU add up to the latency") {
  const Chip chip = load_chip("a100-sxm4-80gb");
  const WorkloadGraph part = shard(block(), 4);
  const NetworkEvaluation shared = evaluate_network(part, chip, on("profiler")),
                          alone = evaluate_network(block(), chip, on("profiler"));
  REQUIRE(shared.failure.empty());
  REQUIRE(shared.parallel);
  // 1024 x 2048 x 2 bytes: 2 x 3 / 4 of them at 300 GB/s and six steps of 5 us
  const double expected = 1.5 * 1024 * 2048 * 2 / 300e9 + 6 * 5e-6;
  CHECK(shared.parallel->exchange.value == Approx(expected));
  CHECK(shared.parallel->link == "NVLink 3");
  CHECK(shared.parallel->split == 2);
  CHECK(shared.parallel->board.value == Approx(4 * shared.board->value));
  double sum = 0, exchanged = 0;
  for (const LayerEvaluation& layer : shared.layers) {
    sum += static_cast<double>(layer.repeat) * layer.latency.value;
    if (layer.op != "AllReduce") continue;
    CHECK(layer.bound == "link:NVLink 3");
    exchanged += layer.latency.value;
  }
  CHECK(sum == Approx(shared.latency.value));
  CHECK(exchanged == Approx(expected));
  // the kernels themselves get faster, but by no more than the four GPUs
  CHECK(shared.latency.value - expected < alone.latency.value);
  CHECK(shared.latency.value - expected > alone.latency.value / 4);
  CHECK(shared.parallel->memory < Bytes{static_cast<double>(alone.peak_memory_bytes)});
  CHECK(evaluate_network(part, chip, on("none")).failure.find("tensor parallelism") != std::string::npos);
  CHECK(!evaluate_network(part, load_chip("tpu-v1"), on("profiler")).failure.empty());
}

TEST_CASE("a training step adds up results on the way there and gradients on the way back") {
  const Chip chip = load_chip("a100-sxm4-80gb");
  const WorkloadGraph part = shard(block(), 4);
  const TrainingStep step = training_step(part, chip, *find_stack("profiler"), Optimizer::adam, 4, false);
  CHECK(step.parallel == "tensor");
  CHECK(step.exchange.value == Approx(2 * (1.5 * 1024 * 2048 * 2 / 300e9 + 6 * 5e-6)));
  CHECK(step.total.value == Approx((step.forward + step.backward + step.update + step.exchange).value));
  CHECK(step.weights.value == 2.0 * 2 * 2048 * 8192 / 4);
  CHECK((step.weights + step.gradients + step.master + step.states).value == Approx(16.0 * 2 * 2048 * 8192 / 4));
  // in, x, down, down summed up and end are whole, up and act in parts
  CHECK(step.activations.value == 2.0 * 1024 * (5 * 2048 + 2 * 8192 / 4));
  CHECK(step.gpus_for_memory == 1);
  CHECK(step.samples_per_s == Approx(1 / step.total.value));
}

TEST_CASE("memory that is whole on every GPU does not shrink with their number") {
  Chip chip = load_chip("a100-sxm4-80gb");
  const WorkloadGraph part = shard(block(), 4);
  const auto needed = [&](double megabytes) {
    chip.levels.front().capacity = Bytes{1e6 * megabytes};
    return training_step(part, chip, *find_stack("profiler"), Optimizer::adam, 4, false).gpus_for_memory;
  };
  // whole: 5 x 1024 x 2048 x 2 = 21.0 MB; shared: 536.9 MB of states and 33.6 MB of activations
  CHECK(needed(600) == 1);
  CHECK(needed(400) == 2);  // 570.4 / (400 - 21) = 1.5
  CHECK(needed(100) == 8);  // 570.4 / 79 = 7.2
  CHECK(needed(20) == 0);
}

TEST_CASE("GPT-2 large on four A100: the exchanges of the validation's model, and about the measured time") {
  // validation/measured/gpu/model_latency.csv: batch 4, 1024 tokens, fp32, tensor parallel, 484.9 ms forward and backward
  const Chip chip = load_chip("a100-sxm4-80gb");
  const WorkloadGraph graph = set_precision(generate("gpt2-large:batch=4,seq=1024"), *precision_from("fp32"));
  const TrainingStep step = training_step(shard(graph, 4), chip, *find_stack("pytorch"), Optimizer::sgd, 4, false);
  const GpuDevice device = calibrated_device(chip);
  // four sums a layer, one of the words' look-up and one of the gradient at the head
  CHECK(step.exchange.value ==
        Approx((4 * 36 + 2) * all_reduce(Bytes{4.0 * 4 * 1024 * 1280}, 4, link_of(device)).value));
  // The measured model code runs eight passes for GELU and three on the scores where the graph has one and two; backward twice as many.
  const auto pass = [&](std::int64_t elements) {
    VectorKernel kernel;
    kernel.cols = elements;
    return kernel_time(device, library_calibration().constants, kernel, {Stack::profiler, Seconds{0}}).total.value;
  };
  const double more = 36 * 3 * (7 * pass(4096 * 5120 / 4) + pass(4 * 5 * 1024 * 1024));
  const double passes = (step.forward + step.backward + step.exchange).value;
  CAPTURE(passes, more);
  CHECK(passes + more == Approx(0.484868).epsilon(0.08));  // the aim of whole models
}

TEST_CASE("a causal mask halves what fused attention computes on a library, and nothing that mappings compute") {
  const WorkloadGraph graph = fuse(generate("gpt2:seq=512"), Fusion::attention);
  WorkloadGraph unmasked = graph;
  for (Layer& layer : unmasked.layers) {
    if (auto* work = std::get_if<Attention>(&layer.work)) work->causal = false;
  }
  const auto attention = [](const NetworkEvaluation& network) {
    const auto found = std::ranges::find_if(
        network.layers, [](const LayerEvaluation& layer) { return layer.op.starts_with("Attention"); });
    REQUIRE(found != network.layers.end());
    return *found;
  };
  const Chip chip = load_chip("a100-sxm4-80gb");
  const NetworkEvaluation masked = evaluate_network(graph, chip, on("tensorrt"));
  const LayerEvaluation half = attention(masked), full = attention(evaluate_network(unmasked, chip, on("tensorrt")));
  CHECK(half.macs == full.macs);
  CHECK(half.operations == Approx(513.0 / 1024 * full.operations));
  CHECK(half.energy.compute.value == Approx(513.0 / 1024 * full.energy.compute.value));
  CHECK(half.latency < full.latency);
  CHECK(half.utilization <= 1);
  CHECK(std::ranges::any_of(masked.notes,
                            [](const std::string& note) { return note.starts_with("causal attention in 12"); }));
  const NetworkEvaluation mapped = evaluate_network(graph, chip, {}), whole = evaluate_network(unmasked, chip, {});
  CHECK(attention(mapped).latency == attention(whole).latency);
  CHECK(attention(mapped).operations == attention(whole).operations);
}
