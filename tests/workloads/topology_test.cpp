#include "workloads/scalesim/topology.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

/// A file in the folder for temporary files, removed at the end.
class File {
 public:
  explicit File(const std::string& text)
      : path_((std::filesystem::temp_directory_path() /
               ("tilewright_topology_" + std::to_string(std::hash<std::string>{}(text)) + ".csv"))
                  .string()) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string header =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";

WorkloadGraph import(const std::string& text, std::int64_t batch = 1) {
  return import_topology(File(text).path(), batch);
}

}  // namespace

TEST_CASE("a convolution topology with trailing commas becomes a chain of layers") {
  // (224 - 7) / 2 = 108.5: 110 positions, the last one hanging over the edge. 110 x 110 x 64 x 147 = 113,836,800.
  const WorkloadGraph graph =
      import(header + "Conv1, 224, 224, 7, 7, 3, 64, 2,\r\n\nFC, 1, 1, 1, 1, 2048, 1000, 1,\n", 2);
  REQUIRE(graph.layers.size() == 2);
  CHECK(graph.layers[0].name == "Conv1");
  CHECK(macs(graph.layers[0]) == 2 * 113836800LL);
  CHECK(macs(graph.layers[1]) == 2 * 2048000);
  CHECK(edges(graph) == std::vector<std::pair<int, int>>{{0, 1}});
  CHECK(graph.weight_elements == 64 * 147 + 2048000);
}

TEST_CASE("a second stride and a sparsity ratio are optional further cells") {
  const WorkloadGraph graph =
      import(header + "a, 9, 9, 3, 3, 1, 1, 2, 3,\nb, 9, 9, 3, 3, 1, 1, 2, 2:4,\na, 9, 9, 3, 3, 1, 1, 2,\n");
  CHECK(std::get<Conv>(graph.layers[0].work).axes[1].out == 3);
  CHECK(std::get<Conv>(graph.layers[1].work).axes[1].out == 4);
  CHECK(graph.tensors[static_cast<std::size_t>(graph.layers[1].inputs[1])].density == 0.5);
  CHECK(graph.layers[2].name == "a#2");
}

TEST_CASE("a product topology multiplies M x K by K x N") {
  const WorkloadGraph graph = import("Layer, M, N, K,\nQKT, 1024, 512, 64,\n", 3);
  const MatMul& work = std::get<MatMul>(graph.layers[0].work);
  CHECK(work.m == 1024);
  CHECK(work.n == 512);
  CHECK(work.k == 64);
  CHECK(total_macs(graph) == 3 * 1024LL * 512 * 64);
}

TEST_CASE("a bad cell is named by file, line and column") {
  using Catch::Contains;
  CHECK_THROWS_WITH(import(header + "a, 9, 9, 3, 3, x, 1, 2,\n"), Contains(".csv:2") && Contains("Channels"));
  CHECK_THROWS_WITH(import(header + "a, 9, 9, 3, 3, 1, 1, 2,\nb, 9, 9, 3, 3, 1, 1, 0,\n"),
                    Contains(".csv:3") && Contains("Strides"));
  CHECK_THROWS_WITH(import(header + "a, 2, 9, 3, 3, 1, 1, 2,\n"), Contains(".csv:2") && Contains("Filter Height"));
  CHECK_THROWS_WITH(import(header + "a, 9, 9, 3,\n"), Contains(".csv:2") && Contains("Filter Width"));
  CHECK_THROWS_WITH(import(header + "a, 9, 9, 3, 3, 1, 1, 2, 5:4,\n"), Contains("sparsity ratio"));
  CHECK_THROWS_WITH(import("a, b\n1, 2\n"), Contains("Layer, M, N, K"));
  CHECK_THROWS_WITH(import("Layer, M, N, K,\na, 2147483648, 2147483648, 2,\n", 4),
                    Contains(".csv: ") && Contains("64"));
  CHECK_THROWS_WITH(import(header), Contains("no layer"));
  CHECK_THROWS_WITH(import(""), Contains("empty"));
  CHECK_THROWS_AS(import_topology("no/such/file.csv", 1), InputError);
}
