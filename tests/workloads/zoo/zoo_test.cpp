#include "workloads/zoo/zoo.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <set>

#include "core/diagnostics.hpp"

using namespace tilewright;
using Catch::Contains;

TEST_CASE("a generator has the MACs of the exported network of the same sizes") {
  // Totals over Conv, Gemm, MatMul, LSTM and GRU nodes of the ONNX files in workloads/models (padding counts as work).
  const auto [spec, expected] = GENERATE(table<std::string, std::int64_t>({
      {"resnet18", 1814073344},
      {"resnet50", 4089184256},
      {"vgg16", 15470264320},
      {"mobilenet_v2", 300774272},
      {"bert-base:seq=128", 11174217216},
      {"gpt2:phase=prefill,seq=128", 16114089984},
      {"gpt2:phase=decode,context=1023", 142406400},
      {"llama-7b:phase=prefill,seq=512", 3451543093248},
      {"llama-7b:phase=decode,context=2047", 7143948288},
      {"seqnas", 33276096},
      {"lstm:steps=35,batch=20,input=512,hidden=512,layers=2", 2936012800},  // the LSTM part of lstm_lm_t35_b20
  }));
  CAPTURE(spec);
  REQUIRE(total_macs(generate(spec)) == expected);
}

TEST_CASE("the width of a MobileNet scales its channels as the reference implementations do") {
  // Millions of MACs as published: Howard et al. 2017 (tables 6 and 7, 569, 325, 149, 41; 77 and 14 of the model list), Sandler et al.
  // 2018 (300, 585 at width 1.4) and the list of the reference implementation (582, 209, 97, 59).
  const auto [spec, published, weights] = GENERATE(table<std::string, double, double>({
      {"mobilenet_v1", 569, 4.24},
      {"mobilenet_v1:width=0.75", 325, 2.59},
      {"mobilenet_v1:width=0.5", 149, 1.34},
      {"mobilenet_v1:width=0.25", 41, 0.47},
      {"mobilenet_v1:width=0.5,resolution=160", 77, 1.34},
      {"mobilenet_v1:width=0.25,resolution=128", 14, 0.47},
      {"mobilenet_v2:width=1.4", 582, 6.06},
      {"mobilenet_v2:width=0.75", 209, 2.61},
      {"mobilenet_v2:width=0.5", 97, 1.95},
      {"mobilenet_v2:width=0.35", 59, 1.66},
  }));
  CAPTURE(spec);
  const WorkloadGraph graph = generate(spec);
  REQUIRE(std::round(static_cast<double>(total_macs(graph)) / 1e6) == published);
  REQUIRE(static_cast<double>(graph.weight_elements) / 1e6 == Approx(weights).epsilon(0.02));
  REQUIRE_THROWS_WITH(generate("mobilenet_v2:width=0"), Contains("width") && Contains("0.1 to 4"));
  REQUIRE_THROWS_WITH(generate("mobilenet_v2:width=wide"), Contains("width") && Contains("not a number"));
}

TEST_CASE("weight elements are the published parameter counts") {
  REQUIRE(generate("llama-7b").weight_elements == 6738415616);
  REQUIRE(generate("llama-13b").weight_elements == 13015864320);
  REQUIRE(generate("llama-70b:phase=decode").weight_elements == 68976648192);
  REQUIRE(generate("gpt2").weight_elements == 124439808);  // the head shares the token table
  REQUIRE(generate("bert-base").weight_elements == 109483778);
  REQUIRE(generate("vgg16").weight_elements == 138357544);
  // torchvision: 11,689,512 with a scale and a shift for each of 4,800 channels; folded, one shift remains.
  REQUIRE(generate("resnet18").weight_elements == 11689512 - 4800);
}

TEST_CASE("gemm multiplies m n k for each product of the batch") {
  REQUIRE(total_macs(generate("gemm:m=8192,n=128,k=8192")) == 8589934592);  // 2^13 x 2^7 x 2^13 = 2^33
  REQUIRE(total_macs(generate("gemm:m=2,n=3,k=5,batch=7")) == 210);
}

TEST_CASE("conv2d counts output pixels, channels of a group and the kernel") {
  // (9 + 2 - 2 x 2 - 1) / 2 + 1 = 4 outputs an axis: 2 images x 16 pixels x 8 outputs x 4/2 inputs x 9
  REQUIRE(total_macs(generate("conv2d:n=2,c=4,h=9,w=9,k=8,r=3,s=3,stride=2,pad=1,dilation=2,groups=2")) == 4608);
  REQUIRE_THROWS_WITH(generate("conv2d:c=4,k=8,groups=3"), Contains("groups") && Contains("does not divide"));
  REQUIRE_THROWS_AS(generate("conv2d:h=2,r=3"), InputError);
}

TEST_CASE("a training step multiplies three times as often as the forward pass") {
  // Each product gets the gradients of its two operands, both of the same size.
  for (const std::string model : {"gpt2", "llama-7b", "llama-70b", "gpt3-175b"}) {
    const WorkloadGraph forward = generate(model + ":phase=prefill,batch=2,seq=64");
    const WorkloadGraph train = generate(model + ":phase=train,batch=2,seq=64");
    REQUIRE(total_macs(train) == 3 * total_macs(forward));
    REQUIRE(train.weight_elements == forward.weight_elements);
    std::int64_t updated = 0;
    for (const Layer& layer : train.layers) {
      if (layer.op == "Adam") updated += train.tensors[static_cast<std::size_t>(layer.outputs[0])].elements();
    }
    REQUIRE(updated == train.weight_elements);
  }
}

TEST_CASE("MACs grow in proportion to the batch") {
  for (const std::string name :
       {"resnet18", "mobilenet_v2", "bert-large", "gpt2", "llama-70b", "lstm", "gru", "seqnas"}) {
    REQUIRE(total_macs(generate(name + ":batch=6")) == 6 * total_macs(generate(name)));
  }
}

TEST_CASE("Llama-2-70B caches eight key and value heads a layer") {
  const WorkloadGraph graph = generate("llama-70b:phase=decode,context=100,batch=3");
  std::int64_t cached = 0;
  for (const TensorId id : graph.inputs) {
    const Tensor& tensor = graph.tensors[static_cast<std::size_t>(id)];
    if (tensor.name.starts_with("past.")) cached += tensor.elements();
  }
  REQUIRE(cached == 80 * 2 * 3 * 8 * 100 * 128);
}

TEST_CASE("a transposition moves every element") {
  const WorkloadGraph graph = generate("llama-70b:seq=8");
  for (const Layer& layer : graph.layers) {
    if (layer.op != "Transpose") continue;
    REQUIRE(std::get<Movement>(layer.work).elements ==
            graph.tensors[static_cast<std::size_t>(layer.outputs[0])].elements());
  }
}

TEST_CASE("a bidirectional layer doubles the cells and the input of the next layer") {
  // gru: 3 gates x 4 hidden x (input + hidden) x 2 directions x 5 steps: layer 1 input 3, layer 2 input 8
  REQUIRE(total_macs(generate("gru:steps=5,input=3,hidden=4,layers=2,bidirectional=1")) ==
          120 * (3 + 4) + 120 * (8 + 4));
}

TEST_CASE("language models are fp16 and the others fp32") {
  const auto type = [](const char* spec) { return generate(spec).tensors.back().type; };
  REQUIRE(type("llama-7b") == DataType::fp16);
  REQUIRE(type("gpt2") == DataType::fp16);
  REQUIRE(type("bert-base") == DataType::fp32);
  REQUIRE(type("resnet18") == DataType::fp32);
}

TEST_CASE("every generator makes a graph with unique layer names from its defaults") {
  for (const Generator& generator : generators()) {
    const WorkloadGraph graph = generator.make(generator.name);
    std::set<std::string> names;
    for (const Layer& layer : graph.layers) names.insert(layer.name);
    REQUIRE(names.size() == graph.layers.size());
    REQUIRE(total_macs(graph) > 0);
    REQUIRE(total_macs(generate(graph.source)) == total_macs(graph));  // the source says all parameters
    REQUIRE(is_generator(graph.source));
  }
  REQUIRE_FALSE(is_generator("resnet50.onnx"));
}

TEST_CASE("a spec that is wrong names the key and the way out") {
  REQUIRE_THROWS_WITH(generate("resnet5"), Contains("Did you mean 'resnet50'"));
  REQUIRE_THROWS_WITH(generate("gpt2:fase=decode"), Contains("Did you mean 'phase'"));
  REQUIRE_THROWS_WITH(generate("gpt2:phase=decod"), Contains("Did you mean 'decode'"));
  REQUIRE_THROWS_WITH(generate("gpt2:phase=decode,seq=5"), Contains("context"));
  REQUIRE_THROWS_WITH(generate("gpt2:seq=1025"), Contains("1024 positions"));
  REQUIRE_THROWS_WITH(generate("gemm:m=1,m=2"), Contains("given twice"));
  for (const std::string bad : {"gemm:m=0",
                                "gemm:m=-1",
                                "gemm:m=+1",
                                "gemm:m=1.5",
                                "gemm:m=abc",
                                "gemm:m=1 ",
                                "gemm:m=",
                                "gemm:m",
                                "gemm:=1",
                                "gemm:",
                                "gemm:m=1,",
                                "gemm:m=1,,n=2",
                                "gemm:m=0x10",
                                "gemm:m=nan",
                                "gemm:m=99999999999999999999",
                                "gemm:m=1099511627776,n=1099511627776",
                                "gemm x",
                                "",
                                "seqnas:ops=",
                                "seqnas:ops=AGC",
                                "seqnas:ops=GC2",
                                "seqnas:ops=CA2",
                                "seqnas:ops=A3",
                                "seqnas:ops=A2|",
                                "seqnas:features=97,ops=GC",
                                "seqnas:kernel=2",
                                "lstm:layers=1025",
                                "lstm:bidirectional=2",
                                "vgg16:resolution=200",
                                "bert-base:seq=513",
                                "llama-7b:seq=1000000000000",
                                "resnet18:batch=1099511627776,resolution=1099511627776"}) {
    CAPTURE(bad);
    REQUIRE_THROWS_AS(generate(bad), InputError);
  }
}

TEST_CASE("sizes that leave 64 bits are refused with the generator that they come from") {
  for (const std::string spec : {"gemm:m=1099511627776,n=1099511627776", "llama-7b:batch=1099511627776"}) {
    CHECK_THROWS_WITH(generate(spec), Catch::Contains(spec + ": ") && Catch::Contains("64-bit"));
  }
}
