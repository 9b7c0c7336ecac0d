#include "workloads/zoo/zoo.hpp"

#include <algorithm>
#include <array>

#include "core/diagnostics.hpp"
#include "workloads/zoo/builder.hpp"

namespace tilewright {
namespace {

std::string_view name_of(std::string_view spec) { return spec.substr(0, spec.find(':')); }

const Generator* find(std::string_view name) {
  const std::span<const Generator> all = generators();
  const auto at = std::find_if(all.begin(), all.end(), [&](const Generator& g) { return g.name == name; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace

std::span<const Generator> generators() {
  using namespace zoo;
  static constexpr std::array all{
      Generator{"gemm", "one matrix product C[m, n] = A[m, k] B[k, n]", gemm_parameters, gemm},
      Generator{"conv2d", "one 2-D convolution", conv2d_parameters, conv2d},
      Generator{"resnet18", "ResNet-18 (He et al., 2016), batch norm folded", image_parameters, resnet18},
      Generator{"resnet50", "ResNet-50 (He et al., 2016), stride in the 3x3, batch norm folded", image_parameters,
                resnet50},
      Generator{"vgg16", "VGG-16 (Simonyan and Zisserman, 2015)", image_parameters, vgg16},
      Generator{"mobilenet_v1", "MobileNet (Howard et al., 2017), batch norm folded", mobilenet_parameters,
                mobilenet_v1},
      Generator{"mobilenet_v2", "MobileNetV2 (Sandler et al., 2018), batch norm folded", mobilenet_parameters,
                mobilenet_v2},
      Generator{"bert-base", "BERT-base with pooler and two-class head (Devlin et al., 2019)", bert_parameters,
                bert_base},
      Generator{"bert-large", "BERT-large with pooler and two-class head (Devlin et al., 2019)", bert_parameters,
                bert_large},
      Generator{"gpt2", "GPT-2 124M (Radford et al., 2019)", gpt2_parameters, gpt2},
      Generator{"gpt2-large", "GPT-2 774M (Radford et al., 2019)", gpt2_parameters, gpt2_large},
      Generator{"llama-7b", "LLaMA-7B (Touvron et al., 2023)", llama_parameters, llama_7b},
      Generator{"llama-13b", "LLaMA-13B (Touvron et al., 2023)", llama_parameters, llama_13b},
      Generator{"llama-70b", "Llama-2-70B, 8 key/value heads (Touvron et al., 2023)", llama_parameters, llama_70b},
      Generator{"gpt3-175b", "GPT-3 175B (Brown et al., 2020)", gpt3_parameters, gpt3_175b},
      Generator{"lstm", "stacked LSTM", recurrent_parameters, lstm},
      Generator{"gru", "stacked GRU", recurrent_parameters, gru},
      Generator{"seqnas", "classifier of the SeqNAS search space for event sequences (IEEE Access, 2024)",
                seqnas_parameters, seqnas},
      Generator{"nasbench_macro", "CIFAR network of NAS-Bench-Macro (Su et al., 2021), batch norm folded",
                nasbench_macro_parameters, nasbench_macro},
      Generator{"nasbench201", "CIFAR network of NAS-Bench-201 cells (Dong and Yang, 2020), batch norm folded",
                nasbench201_parameters, nasbench201},
      Generator{"ofa_mobilenet_v3", "sub-network of Once-for-All MobileNetV3 (Cai et al., 2020), batch norm folded",
                once_for_all_parameters, once_for_all_mbv3},
  };
  return all;
}

WorkloadGraph generate(std::string_view spec) {
  const std::string_view name = name_of(spec);
  if (const Generator* generator = find(name)) {
    try {
      return generator->make(spec);
    } catch (const OverflowError& error) { throw InputError({shown(spec), 0, 0, {}}, error.what()); }
  }
  std::vector<std::string> known;
  for (const Generator& generator : generators()) known.emplace_back(generator.name);
  throw InputError({shown(spec), 0, 0, {}}, unknown_message("workload generator", name, known));
}

bool is_generator(std::string_view spec) { return find(name_of(spec)) != nullptr; }

}  // namespace tilewright
