// agreement: the shipped graphs against counts made independently of this importer (models.csv, layers.csv).
#include <catch2/catch.hpp>

#include <chrono>
#include <map>
#include <string>

#include "core/csv.hpp"
#include "workloads/onnx/import.hpp"

namespace tilewright {
namespace {

const std::string root = TILEWRIGHT_SOURCE_DIR;

std::string model_path(const std::string& file) { return root + "/workloads/models/" + file; }
CsvTable table(const std::string& name) { return read_csv(root + "/tests/workloads/onnx/" + name); }

}  // namespace

TEST_CASE("MACs and weight elements of every shipped graph equal the independent counts") {
  const CsvTable models = table("models.csv");
  REQUIRE(models.rows.size() == 20);
  for (const CsvRow& row : models.rows) {
    const std::string& file = models.text(row, models.column("file"));
    INFO(file);
    const WorkloadGraph graph = import_onnx(model_path(file), {});
    CHECK(total_macs(graph) == models.integer(row, models.column("macs_total"), 0, INT64_MAX));
    CHECK(graph.weight_elements == models.integer(row, models.column("weight_elems_graph"), 0, INT64_MAX));
    CHECK(graph.unmodelled.empty());
  }
}

TEST_CASE("MACs of every counted node of the shipped graphs equal the independent counts") {
  const CsvTable layers = table("layers.csv");
  std::map<std::string, std::map<std::string, std::pair<std::string, std::int64_t>>>
      expected;  // model -> name -> op, MACs
  for (const CsvRow& row : layers.rows) {
    expected[layers.text(row, layers.column("model"))][layers.text(row, layers.column("node_name"))] = {
        layers.text(row, layers.column("op")), layers.integer(row, layers.column("macs"), 0, INT64_MAX)};
  }
  REQUIRE(expected.size() == 20);
  for (const auto& [model, nodes] : expected) {
    INFO(model);
    std::size_t counted = 0;
    for (const Layer& layer : import_onnx(model_path(model + ".onnx"), {}).layers) {
      const std::int64_t count = macs(layer);
      if (count == 0) continue;
      INFO(layer.name);
      ++counted;
      const auto found = nodes.find(layer.name);
      REQUIRE(found != nodes.end());
      CHECK(found->second.first == layer.op);
      CHECK(found->second.second == count);
    }
    CHECK(counted == nodes.size());
  }
}

TEST_CASE("a quantised graph runs its convolutions on 8-bit operands") {
  const WorkloadGraph graph = import_onnx(model_path("resnet18_qdq_int8.onnx"), {});
  int convolutions = 0;
  for (const Layer& layer : graph.layers) {
    CHECK(layer.op != "QuantizeLinear");
    CHECK(layer.op != "DequantizeLinear");
    if (layer.op != "Conv") continue;
    ++convolutions;
    CHECK(graph.tensors[static_cast<std::size_t>(layer.inputs[0])].type == DataType::int8);
    CHECK(graph.tensors[static_cast<std::size_t>(layer.inputs[1])].type == DataType::int8);
  }
  CHECK(convolutions == 20);
}

TEST_CASE("a LLaMA-7B graph of 1,704 nodes is imported in well under a second") {
  const auto start = std::chrono::steady_clock::now();
  const WorkloadGraph graph = import_onnx(model_path("llama7b_decode_p2047.onnx"), {});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(graph.layers.size() > 1000);
  CHECK(took.count() < 1.0);  // measured 0.07 s in a Debug build; room for sanitizers and a loaded machine
}

}  // namespace tilewright
