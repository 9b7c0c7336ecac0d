#include <catch2/catch.hpp>

#include <algorithm>

#include "workloads/onnx/import.hpp"
#include "workloads/transform/shard.hpp"

using namespace tilewright;

TEST_CASE("exported transformers are shared as generated ones: attention by heads, two sums a layer, caches in parts") {
  struct Case {
    std::string file;
    std::int64_t layers, gpus;
  };
  for (const auto& [file, layers, gpus] :
       {Case{"gpt2_prefill_s128", 12, 4}, Case{"gpt2_decode_p1023", 12, 3}, Case{"llama7b_prefill_s512", 32, 8},
        Case{"llama7b_decode_p2047", 32, 2}, Case{"bert_base_s128", 12, 2}}) {
    INFO(file);
    const WorkloadGraph graph = import_onnx(TILEWRIGHT_SOURCE_DIR "/workloads/models/" + file + ".onnx", {});
    const WorkloadGraph part = shard(graph, gpus);
    CHECK(part.tensor_parallel.whole.empty());
    CHECK(std::ranges::count(part.layers, "AllReduce", &Layer::op) >= 2 * layers);
    const double share = static_cast<double>(total_macs(part)) / static_cast<double>(total_macs(graph));
    CHECK(share == Approx(1.0 / static_cast<double>(gpus)).epsilon(0.001));  // vocabularies are padded
    for (const Layer& layer : part.layers) {
      const auto* product = std::get_if<MatMul>(&layer.work);
      if (product == nullptr || product->batch.size() < 2) continue;
      CHECK(product->batch[1].bound * gpus == (layers == 12 ? 12 : 32));  // heads
    }
  }
}
