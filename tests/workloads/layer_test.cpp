#include "workloads/layer.hpp"

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {
std::int64_t macs_of(Operator work) { return macs({"layer", "Op", std::move(work), {}, {}, {}}); }
}  // namespace

TEST_CASE("a convolution counts output elements x channels of a group x kernel") {
  // First layer of ResNet-50: 112 x 112 x 64 results of 3 x 7 x 7 products = 118,013,952.
  const Window axis{224, 112, 7, 2, 1};
  CHECK(macs_of(Conv{1, 1, 3, 64, {axis, axis}}) == 118013952);
  // Depthwise 3 x 3 over 32 channels of 4 x 4: 512 results of 9 products.
  CHECK(macs_of(Conv{1, 32, 32, 32, {{4, 4, 3, 1, 1}, {4, 4, 3, 1, 1}}}) == 4608);
}

TEST_CASE("a transposed convolution counts input elements x result channels x kernel") {
  // 8 x 5 x 5 inputs, 4 result channels, 2 x 2 kernel: 200 x 4 x 4 = 3200.
  CHECK(macs_of(ConvTranspose{1, 1, 8, 4, {{5, 10, 2, 2, 1}, {5, 10, 2, 2, 1}}}) == 3200);
}

TEST_CASE("products, recurrent layers and attention count every multiply-accumulate") {
  CHECK(macs_of(MatMul{{{2, true, true}, {3, true, false}}, 4, 5, 6}) == 720);
  CHECK(macs_of(Einsum{{{"i", 2}, {"j", 3}, {"k", 4}}, {"i", "j"}, {"j", "k"}, {"i", "k"}}) == 24);
  // 35 steps x batch 20 x 4 gates x hidden 8 x (6 + 8) = 313,600.
  CHECK(macs_of(Recurrent{Cell::lstm, 35, 20, 6, 8, 1}) == 313600);
  CHECK(macs_of(Recurrent{Cell::gru, 2, 1, 3, 5, 2}) == 2 * 2 * 3 * 5 * 8);
  // Two products of 4 heads x 6 x 10 x 8.
  CHECK(macs_of(Attention{1, 4, 2, 6, 10, 8, true}) == 2 * 4 * 6 * 10 * 8);
  CHECK(macs_of(Movement{1000}) == 0);
}

TEST_CASE("impossible sizes are errors that name the layer") {
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK_THROWS_AS(macs_of(MatMul{{}, huge, 2, 2}), OverflowError);
  CHECK_THROWS_WITH(macs_of(Conv{1, 2, 3, 4, {}}), Catch::Contains("layer") && Catch::Contains("2 equal groups"));
}
