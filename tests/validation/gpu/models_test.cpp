#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "sim/accuracy/rank_correlation.hpp"
#include "validation/gpu/calibrate.hpp"
#include "validation/gpu/energy.hpp"
#include "validation/gpu/models.hpp"
#include "validation/gpu/nas.hpp"
#include "validation/gpu/serving.hpp"
#include "validation/gpu/validate.hpp"
#include "validation/gpu/vision.hpp"

using namespace tilewright;

namespace {

double product_operations(const std::vector<ModelKernel>& kernels) {
  double sum = 0;
  for (const ModelKernel& step : kernels) {
    if (const auto* product = std::get_if<GemmKernel>(&step.kernel))
      sum += 2.0 * static_cast<double>(step.repeat * product->batch * product->m) *
             static_cast<double>(product->n * product->k);
  }
  return sum;
}

std::int64_t convolutions(const std::vector<ModelKernel>& kernels) {
  std::int64_t count = 0;
  for (const ModelKernel& step : kernels) count += std::holds_alternative<ConvKernel>(step.kernel) ? step.repeat : 0;
  return count;
}

}  // namespace

TEST_CASE("a BERT layer computes 24 h^2 operations per token and 4 h per pair of tokens") {
  const Transformer* bert = find_transformer("bert_large");
  REQUIRE(bert != nullptr);
  const std::vector<ModelKernel> forward = forward_kernels(*bert, 2, 512, false);
  const double tokens = 2 * 512, hidden = 1024;
  const double expected = 24 * (24 * hidden * hidden * tokens + 4 * hidden * tokens * 512);
  CHECK(product_operations(forward) == Approx(expected));
  CHECK(product_operations(backward_kernels(forward)) ==
        Approx(2 * expected));                                          // one product for the data, one for the weights
  CHECK(forward_kernels(*bert, 2, 512, true).size() < forward.size());  // compiled: fewer element-wise kernels
  CHECK(find_transformer("no such model") == nullptr);
}

TEST_CASE(
    "a NAS-Bench-201 network has a stem, three convolutions per reduction and one per convolution edge of 15 cells") {
  const std::string cell = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|";
  CHECK(convolutions(nasbench201_kernels(cell, 1, {})) == 1 + 2 * 3 + 15 * 2);
  CHECK_THROWS_AS(nasbench201_kernels("|conv~0|", 1, {}), InputError);
  CHECK_THROWS_AS(nasbench201_kernels("|none~0|", 1, {}), InputError);
}

TEST_CASE("a Once-for-All network grows with its depths") {
  const std::vector<std::int64_t> sizes(20, 3), expansions(20, 3);
  const auto count = [&](std::int64_t depth) {
    return convolutions(once_for_all_kernels(224, std::vector<std::int64_t>(5, depth), sizes, expansions, 1));
  };
  // stem, two of the first block, three of every other block, last 1 x 1
  CHECK(count(2) == 1 + 2 + 3 * 10 + 1);
  CHECK(count(4) - count(2) == 3 * 10);
}

TEST_CASE("Spearman's correlation is 1 for equal order, -1 for the reverse, and averages ties") {
  CHECK(rank_correlation({1, 2, 3, 4}, {10, 20, 25, 99}) == Approx(1));
  CHECK(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}) == Approx(-1));
  // ranks 0 1.5 1.5 3 against 0 1 2 3: 4.5 / sqrt(4.5 x 5)
  CHECK(rank_correlation({1, 2, 2, 4}, {1, 2, 3, 4}) == Approx(4.5 / std::sqrt(4.5 * 5)));
}

TEST_CASE("predicted latencies order the networks of the open tables at the largest batch") {
  const SuiteResult result = validate_nas(measured_gpu_folder() + "/../codesign",
                                          measured_gpu_folder() + "/devices.csv", library_calibration().constants);
  CHECK(result.pass);
  CHECK(result.groups.size() == 15);
}

TEST_CASE("rows of recurrent layers with shifted columns are left out and counted") {
  const MeasuredData data = read_measured(measured_gpu_folder());
  REQUIRE(data.notes.size() == 1);
  CHECK(data.notes.front().find("116 rows left out") != std::string::npos);
}

TEST_CASE("DeepBench lists column-major products and recurrent layers without input products") {
  const MeasuredData data = read_measured(measured_gpu_folder());
  const auto first = [&](std::string_view table) {
    const auto row = std::ranges::find_if(data.rows, [&](const MeasuredRow& candidate) {
      return candidate.table == table && candidate.source.starts_with("deepbench");
    });
    REQUIRE(row != data.rows.end());
    return *row;
  };
  const MeasuredRow product = first("gemm.csv");
  const CsvTable table = read_csv(measured_gpu_folder() + "/gemm.csv");
  const auto listed = std::ranges::find(table.rows, product.line, &CsvRow::line);
  REQUIRE(listed != table.rows.end());
  CHECK(std::get<GemmKernel>(product.kernel).n == table.integer(*listed, table.column("m"), 1, 1 << 24));
  CHECK(std::get<GemmKernel>(product.kernel).m == table.integer(*listed, table.column("n"), 1, 1 << 24));
  CHECK_FALSE(std::get<RecurrentKernel>(first("rnn.csv").kernel).input_product);
}

TEST_CASE("torchvision's classifiers have the convolutions and weights of their papers") {
  const auto count = [](std::string_view model) {
    return convolutions(*vision_kernels(model, 12, GpuPrecision::fp32, false));
  };
  CHECK(count("resnet18") == 20);
  CHECK(count("resnet50") == 53);
  CHECK(count("resnet152") == 155);
  CHECK(count("vgg16_bn") == 13);
  CHECK(count("squeezenet1_0") == 26);
  CHECK(count("mnasnet1_0") == 52);
  CHECK(count("shufflenet_v2_x1_0") == 56);
  CHECK(!vision_kernels("resnet51", 1, GpuPrecision::fp32, false));
  // 4.09 G multiply-adds of ResNet-50 (He et al., with the stride in the 3 x 3), twice that as operations; training three times
  const auto work = [](bool training) {
    double sum = 0;
    const auto kernels = vision_kernels("resnet50", 1, GpuPrecision::fp32, training);
    REQUIRE(kernels);
    for (const ModelKernel& step : *kernels) {
      const auto* conv = std::get_if<ConvKernel>(&step.kernel);
      if (conv == nullptr) continue;
      const std::int64_t channels = conv->c / conv->groups;
      sum += 2.0 * static_cast<double>(conv->k * channels) * static_cast<double>(conv->r * conv->s) *
             static_cast<double>(conv->out_h() * conv->out_w());
    }
    return sum;
  };
  CHECK(work(false) == Approx(2 * 4.087e9).epsilon(0.01));
  CHECK(work(true) / work(false) == Approx(3).epsilon(0.03));  // the image needs no gradient
}

TEST_CASE("language models have the weights that they are named for, experts included") {
  const LanguageModel* llama = find_language_model("metaai/llama-7B");
  REQUIRE(llama != nullptr);
  CHECK(llama->active_weights() == 6'607'077'376.0);  // 6.74 G without embedding table and norms
  CHECK(find_language_model("meta-llama/Meta-Llama-3.1-70B-Instruct")->active_weights() ==
        Approx(69.5e9).epsilon(0.01));
  const LanguageModel* mixtral = find_language_model("mistralai/Mixtral-8x22B-Instruct-v0.1");
  CHECK(mixtral->active_weights() == Approx(39e9).epsilon(0.02));
  CHECK(mixtral->step_weights(1) == Approx(mixtral->active_weights()));
  CHECK(mixtral->step_weights(1000) == Approx(140.4e9).epsilon(0.01));
  CHECK(find_language_model("no such model") == nullptr);
  // A step of one sequence multiplies every active weight once; two GPUs take half each.
  const double one = product_operations(step_kernels(*llama, 1, 100, 1, GpuPrecision::fp16));
  CHECK(one == Approx(2 * llama->active_weights()));
  CHECK(product_operations(step_kernels(*llama, 1, 100, 2, GpuPrecision::fp16)) == Approx(one / 2).epsilon(0.01));
}

TEST_CASE("four GPUs share the products of a transformer") {
  const Transformer* gpt = find_transformer("gpt2_large");
  REQUIRE(gpt != nullptr);
  CHECK(parameters(*gpt) == Approx(774e6).epsilon(0.01));
  const double one = product_operations(forward_kernels(*gpt, 4, 1024, false));
  CHECK(product_operations(forward_kernels(*gpt, 4, 1024, false, 4)) == Approx(one / 4).epsilon(0.001));
}

TEST_CASE("a host is known from its rows: what it spends on an operator, and at which rate it copies") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("tilewright_wall_clock_host_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  fs::copy_file(fs::path(measured_gpu_folder()) / "devices.csv", folder / "devices.csv",
                fs::copy_options::overwrite_existing);
  {
    // A slow host in front of a fast GPU: the time is the copy of 12 pictures at 2 GB/s, 500 us an operator, and the stack's 20 us at the end.
    std::ofstream table(folder / "model_latency.csv");
    table << "model,device,dtype,phase,batch,seq_or_res,gpus,variant,latency_ms,fwd_ms,bwd_ms,timing,source\n";
    for (const char* model : {"shufflenet_v2_x0_5", "mnasnet0_5", "squeezenet1_1", "resnet18"})
      for (const GpuPrecision precision : {GpuPrecision::fp32, GpuPrecision::fp16}) {
        std::int64_t launches = 0;
        const std::optional<std::vector<ModelKernel>> kernels = vision_kernels(model, 12, precision, false);
        REQUIRE(kernels);
        for (const ModelKernel& kernel : *kernels) launches += kernel.repeat;
        const double bytes = 12 * 3 * 224 * 224 * (precision == GpuPrecision::fp32 ? 4.0 : 2.0);
        table << model << ",H100-SXM5-80GB," << (precision == GpuPrecision::fp32 ? "tf32_or_fp32" : "fp16")
              << ",inference,12,224,1,," << 1e3 * (bytes / 2e9 + 500e-6 * static_cast<double>(launches))
              << ",,,wall_sync,test\n";
      }
  }
  const SuiteResult result = validate_models(folder.string(), library_calibration(), LeaveOut::none);
  const auto host = std::ranges::find_if(result.notes, [](const std::string& note) {
    return note.starts_with("host H100-SXM5-80GB/wall_sync: 500.0 us an operator in inference, copies at 2.0 GB/s");
  });
  CHECK(host != result.notes.end());
  CHECK(result.groups.front().n == 7);  // one of the eight gives the dispatch
  CHECK(*result.groups.front().mape_pct < 0.5);
  fs::remove_all(folder);
}

TEST_CASE("16-bit batch norms of a classifier run PyTorch's own kernels, those of fp32 cuDNN's") {
  const auto count = [](GpuPrecision precision, bool training, VectorOp op) {
    const auto kernels = vision_kernels("resnet50", 12, precision, training);
    REQUIRE(kernels);
    std::int64_t found = 0;
    for (const ModelKernel& step : *kernels) {
      const auto* vector = std::get_if<VectorKernel>(&step.kernel);
      if (vector != nullptr && vector->op == op) found += step.repeat;
    }
    return found;
  };
  constexpr auto fp32 = GpuPrecision::fp32, fp16 = GpuPrecision::fp16;
  CHECK(count(fp32, false, VectorOp::plane_norm) == 53);
  CHECK(count(fp16, false, VectorOp::plane_norm) == 53);
  CHECK(count(fp32, true, VectorOp::channel_norm) == 2 * 53);  // forward and backward
  CHECK(count(fp32, true, VectorOp::channel_moments) == 0);
  CHECK(count(fp16, true, VectorOp::channel_moments) == 53);
  CHECK(count(fp16, true, VectorOp::plane_norm) == 53);
  CHECK(count(fp16, true, VectorOp::channel_norm) == 53);
}

TEST_CASE("networks of the open tables: halves on a Titan Xp, boards known from their networks") {
  const SuiteResult result = validate_models(measured_gpu_folder(), library_calibration(), LeaveOut::none);
  const auto error = [&](std::string_view phase, std::string_view dtype, std::string_view device) {
    for (const SuiteGroup& group : result.groups)
      if (group.keys.at("kind") == "vision" && group.keys.at("phase") == phase && group.keys.at("dtype") == dtype &&
          group.keys.at("device") == device)
        return *group.mape_pct;
    return 1e9;
  };
  CHECK(error("inference", "fp16", "TitanXp") < 12);  // 25 % where halves are converted at the rate of fp32
  CHECK(error("*", "*", "RTX2080Ti") < 10);           // 16 % at the clock of its data sheet
  const auto clock = std::ranges::find_if(result.notes, [](const std::string& note) {
    return note.starts_with("RTX2080Ti: 1.") && note.contains("clock");
  });
  CHECK(clock != result.notes.end());
}

TEST_CASE("the roof of LLaMA-7B's decode is that of the bytes of its weights") {
  const LanguageModel* llama = find_language_model("metaai/llama-7B");
  REQUIRE(llama != nullptr);
  CHECK(decode_roof(2 * llama->active_weights(), BytesPerSecond{1555e9}) == Approx(117.7).epsilon(0.001));
}

TEST_CASE("energies of servers and chats are predicted within the targets from constants fitted without the model") {
  const SuiteResult result = validate_energy(measured_gpu_folder(), library_calibration());
  const auto error = [&](std::string_view figure, std::string_view models) {
    for (const SuiteGroup& group : result.groups)
      if (group.keys.at("figure") == figure && group.keys.at("models") == models) return *group.mape_pct;
    return 1e9;
  };
  CHECK(error("serving power, rate given", "left out") <= 14);
  CHECK(error("serving power, rate given", "known") <= 12);
  CHECK(error("serving energy, predicted time", "left out") <= 18);
  CHECK(result.pass);
  // Constants of board power from other devices: what a chip known from its data sheet gets.
  for (const auto& [figure, most] : {std::pair{"board power, serving", 14.0}, std::pair{"board power, chat", 14.0},
                                     std::pair{"board power, stream", 14.0}, std::pair{"board power, training", 14.0}})
    CHECK(error(figure, "device left out") <= most);
  const auto lecture = std::ranges::find_if(
      result.groups, [](const SuiteGroup& group) { return group.keys.at("models") == "all rows of A100 chat"; });
  REQUIRE(lecture != result.groups.end());
  CHECK(lecture->worst.size() == 21);  // row by row
  CHECK_THROWS_AS(validate_energy("no such folder", library_calibration()), InputError);
}

TEST_CASE("an H100 that no constant was fitted to") {
  const std::string folder = TILEWRIGHT_SOURCE_DIR "/validation/measured/h100";
  const SuiteResult kernels = validate_gpu(folder, LeaveOut::none);
  std::int64_t rows = 0;
  for (const SuiteGroup& group : kernels.groups)
    if (group.keys.at("device") == "*") rows += group.n;
  CHECK(rows == 416 + 430 + 94 + 320);  // gemm, conv, attention, vector

  const SuiteResult networks = validate_models(
      folder, read_calibration(TILEWRIGHT_SOURCE_DIR "/arch_models/gpu/constants.yaml"), LeaveOut::none);
  const auto transformers = std::ranges::find_if(networks.groups, [](const SuiteGroup& group) {
    return group.keys.at("kind") == "transformer" && group.keys.at("device") == "*" && group.keys.at("phase") == "*";
  });
  REQUIRE(transformers != networks.groups.end());
  CHECK(transformers->n == 10);
  CHECK(*transformers->mape_pct < 12);  // the target of devices that were not seen
}
