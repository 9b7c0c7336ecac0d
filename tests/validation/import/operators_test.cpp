#include "validation/import/operators.hpp"

#include <catch2/catch.hpp>

using namespace tilewright;

namespace {

using Cells = std::map<std::string, std::string>;

OperatorRecord record(std::string name, std::vector<std::vector<std::int64_t>> dims,
                      std::vector<std::string> types = {}, std::vector<std::string> values = {}) {
  OperatorRecord r;
  r.name = std::move(name);
  r.dims = std::move(dims);
  r.types = std::move(types);
  r.values = std::move(values);
  return r;
}

std::string reason(const OperatorRecord& r, std::string_view kernel = "") {
  const auto row = operator_row(r, kernel);
  REQUIRE_FALSE(row.has_value());
  return row.error();
}

}  // namespace

TEST_CASE("a product takes m, n, k from its matrices and the layout from their strides") {
  // x (64 x 1024) times W transposed, W stored 4096 x 1024: as the library sees it T for the weights, N for x
  OperatorRecord addmm =
      record("aten::addmm", {{4096}, {64, 1024}, {1024, 4096}, {}, {}}, {"c10::Half", "c10::Half", "c10::Half"});
  addmm.strides = {{1}, {1024, 1}, {1, 1024}, {}, {}};
  const auto row = operator_row(addmm, "ampere_fp16_s16816gemm_fp16_128x64_ldg8_stages_64x3_tn");
  REQUIRE(row.has_value());
  REQUIRE(row->table == "gemm");
  REQUIRE_FALSE(row->layout_assumed);
  REQUIRE(row->cells == Cells{{"dtype", "fp16"},
                              {"op", "linear"},
                              {"epilogue", "bias"},
                              {"layout", "TN"},
                              {"batch", "1"},
                              {"m", "64"},
                              {"n", "4096"},
                              {"k", "1024"}});
  addmm.strides = {{1}, {1, 64}, {4096, 1}, {}, {}};
  REQUIRE(operator_row(addmm, "")->cells.at("layout") == "NT");
  addmm.strides.clear();
  REQUIRE(operator_row(addmm, "")->layout_assumed);
}

TEST_CASE("a batched product keeps its batch, and 32-bit inputs on TF32 kernels are tf32") {
  const OperatorRecord bmm = record("aten::bmm", {{12, 128, 64}, {12, 64, 256}}, {"float", "float"});
  REQUIRE(operator_row(bmm, "ampere_sgemm_128x64_nn")->cells.at("dtype") == "fp32");
  const auto row = operator_row(bmm, "sm80_xmma_gemm_f32f32_tf32f32_f32_nn_n");
  REQUIRE(row->cells == Cells{{"dtype", "tf32"},
                              {"op", "bmm"},
                              {"epilogue", "none"},
                              {"layout", "NN"},
                              {"batch", "12"},
                              {"m", "128"},
                              {"n", "256"},
                              {"k", "64"}});
}

TEST_CASE("each spelling of a convolution finds its own arguments") {
  const Cells cells{{"dtype", "bf16"}, {"phase", "fwd"},  {"n", "32"},       {"c", "64"},    {"h", "56"},
                    {"w", "56"},       {"k", "128"},      {"r", "3"},        {"s", "3"},     {"pad_h", "1"},
                    {"pad_w", "1"},    {"stride_h", "2"}, {"stride_w", "2"}, {"groups", "1"}};
  const std::vector<std::vector<std::int64_t>> dims{{32, 64, 56, 56}, {128, 64, 3, 3}, {}, {}, {}, {}, {}, {}, {}};
  const std::vector<std::string> types{"c10::BFloat16", "c10::BFloat16"};
  const auto cudnn = record("aten::cudnn_convolution", dims, types,
                            {"", "", "[1, 1]", "[2, 2]", "[1, 1]", "1", "False", "False", "True"});
  const auto general =
      record("aten::convolution", dims, types, {"", "", "", "[2, 2]", "[1, 1]", "[1, 1]", "False", "[0, 0]", "1"});
  const auto two = record("aten::conv2d", dims, types, {"", "", "", "[2]", "[1]", "[1]", "1"});
  for (const OperatorRecord& conv : {cudnn, general, two}) {
    INFO(conv.name);
    REQUIRE(operator_row(conv, "sm80_xmma_fprop_implicit_gemm_bf16bf16")->cells == cells);
  }
  OperatorRecord dilated = general;
  dilated.values[5] = "[2, 2]";
  REQUIRE(reason(dilated).find("dilation") != std::string::npos);
  OperatorRecord transposed = general;
  transposed.values[6] = "True";
  REQUIRE(reason(transposed).find("transposed") != std::string::npos);
  OperatorRecord unknown = general;
  unknown.values.clear();
  REQUIRE(reason(unknown).find("PyTorch 2.1") != std::string::npos);
  OperatorRecord wrong = general;
  wrong.dims[1] = {128, 32, 3, 3};  // 64 channels in one group need filters of 64
  REQUIRE(reason(wrong).find("no convolution") != std::string::npos);
}

TEST_CASE("a backward convolution needs its pass") {
  OperatorRecord backward = record(
      "aten::convolution_backward", {{8, 16, 14, 14}, {8, 4, 14, 14}, {16, 4, 3, 3}}, {"float", "float", "float"},
      {"", "", "", "[0]", "[1, 1]", "[1, 1]", "[1, 1]", "False", "[0, 0]", "1", "[True, True, False]"});
  REQUIRE(operator_row(backward, "k", "bwd_filter")->cells.at("phase") == "bwd_filter");
  REQUIRE(reason(backward, "nchwToNhwcKernel").find("backward") != std::string::npos);
  CHECK(backward_phase("cudnn::cnn::wgrad2d_grouped_direct_kernel") == "bwd_filter");
  CHECK(backward_phase("sm80_xmma_dgrad_implicit_gemm_f32f32") == "bwd_data");
  CHECK(backward_phase("nvjet_sm90_hss_32x64_64x16_2x4_h_bz_TNN").empty());
  CHECK(only_phase(backward).empty());
  backward.values[10] = "[False, True, False]";
  CHECK(only_phase(backward) == "bwd_filter");
  backward.values[10] = "[True, False, False]";
  CHECK(only_phase(backward) == "bwd_data");
}

TEST_CASE("vectors are rows of their last dimension") {
  const OperatorRecord add = record("aten::add", {{8, 128, 768}, {8, 128, 768}, {}}, {"float", "float", "Scalar"});
  REQUIRE(operator_row(add, "")->cells ==
          Cells{{"dtype", "fp32"}, {"op", "add"}, {"rows", "1024"}, {"cols", "768"}, {"n_inputs", "2"}});
  REQUIRE(reason(record("aten::add", {{8, 128, 768}, {768}, {}}, {"float"})).find("broadcast") != std::string::npos);
  const OperatorRecord norm = record("aten::native_layer_norm", {{8, 128, 768}, {}, {768}, {768}, {}}, {"c10::Half"});
  REQUIRE(operator_row(norm, "")->cells ==
          Cells{{"dtype", "fp16"}, {"op", "layernorm"}, {"rows", "1024"}, {"cols", "768"}, {"n_inputs", "1"}});
  const OperatorRecord softmax = record("aten::_softmax", {{12, 128, 64}, {}, {}}, {"float"}, {"", "-1", "False"});
  REQUIRE(operator_row(softmax, "")->cells.at("cols") == "64");
  OperatorRecord other = softmax;
  other.values[1] = "1";
  REQUIRE(reason(other).find("last dimension") != std::string::npos);
}

TEST_CASE("flash attention is prefill or decode, and nothing else has a row") {
  const std::vector<std::string> values{"", "", "", "", "", "128", "128", "0.", "True", "False"};
  const OperatorRecord prefill =
      record("aten::_flash_attention_forward", {{2, 128, 32, 64}, {2, 128, 8, 64}, {2, 128, 8, 64}}, {"c10::BFloat16"},
             values);
  REQUIRE(operator_row(prefill, "flash_fwd_kernel")->cells == Cells{{"dtype", "bf16"},
                                                                    {"phase", "prefill"},
                                                                    {"causal", "1"},
                                                                    {"kernel", "torch_flash_attn"},
                                                                    {"batch", "2"},
                                                                    {"q_len", "128"},
                                                                    {"kv_len", "128"},
                                                                    {"heads", "32"},
                                                                    {"kv_heads", "8"},
                                                                    {"head_dim", "64"}});
  OperatorRecord decode = prefill;
  decode.dims[0] = {2, 1, 32, 64};
  REQUIRE(operator_row(decode, "")->cells.at("phase") == "decode");
  OperatorRecord chunk = prefill;
  chunk.dims[0] = {2, 16, 32, 64};
  REQUIRE(reason(chunk).find("prefill") != std::string::npos);
  REQUIRE(reason(record("aten::_efficient_attention_forward", {{2, 128, 32, 64}})).find("no table") !=
          std::string::npos);
}

TEST_CASE("what the tables cannot hold is refused with its reason") {
  REQUIRE(reason(record("aten::mm", {})).find("record_shapes=True") != std::string::npos);
  REQUIRE(reason(record("aten::mm", {{4, 8}, {9, 2}}, {"float"})).find("no product") != std::string::npos);
  REQUIRE(reason(record("aten::mm", {{0, 8}, {8, 2}}, {"float"})).find("m = 0") != std::string::npos);
  REQUIRE(reason(record("aten::mm", {{33554432, 8}, {8, 2}}, {"float"})).find("m = 33554432") != std::string::npos);
  REQUIRE(reason(record("aten::mm", {{4, 8}, {8, 2}}, {"double"})).find("'double'") != std::string::npos);
  REQUIRE(reason(record("aten::mm", {{4, 8}, {8, 2}}), "kernel").find("number format") != std::string::npos);
  REQUIRE(
      reason(record("aten::relu", {{std::int64_t{1} << 40, std::int64_t{1} << 40, 2}}, {"float"})).find("outside") !=
      std::string::npos);
  REQUIRE(reason(record("aten::relu", {{}}, {"float"})).find("scalar") != std::string::npos);
}

TEST_CASE("a range of emit_nvtx names the operator and its extents") {
  const auto range = operator_of_range(
      ":aten::linear, seq = 1, sizes = [[2, 8], [4, 8]] :aten::addmm, seq = 2, op_id = 7, sizes = [[4], [2, 8], [8, "
      "4], [], []]");
  REQUIRE(range.has_value());
  REQUIRE(range->name == "aten::addmm");
  REQUIRE(range->dims == std::vector<std::vector<std::int64_t>>{{4}, {2, 8}, {8, 4}, {}, {}});
  REQUIRE(operator_of_range("aten::mm, seq = 3").error().find("emit_nvtx") != std::string::npos);
  REQUIRE(operator_of_range("aten::mm, sizes = [[2, 8], [4").error().find("cut off") != std::string::npos);
}

TEST_CASE("cuBLAS names its Hopper kernels by operand, sum and result") {
  const auto format = [](std::string_view kernel) {
    return operator_row(record("aten::mm", {{64, 32}, {32, 16}}, {}), kernel)->cells.at("dtype");
  };
  CHECK(format("nvjet_sm90_hsh_128x256_64x4_2x1_v_bz_coopA_TNN") == "fp16");
  CHECK(format("nvjet_tst_64x8_64x16_4x1_v_bz_TNT") == "bf16");
}
