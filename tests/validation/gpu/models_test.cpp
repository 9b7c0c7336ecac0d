#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "validation/gpu/calibrate.hpp"
#include "validation/gpu/models.hpp"
#include "validation/gpu/nas.hpp"

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
  CHECK(spearman({1, 2, 3, 4}, {10, 20, 25, 99}) == Approx(1));
  CHECK(spearman({1, 2, 3, 4}, {4, 3, 2, 1}) == Approx(-1));
  // ranks 0 1.5 1.5 3 against 0 1 2 3: 4.5 / sqrt(4.5 x 5)
  CHECK(spearman({1, 2, 2, 4}, {1, 2, 3, 4}) == Approx(4.5 / std::sqrt(4.5 * 5)));
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
