#include <catch2/catch.hpp>

#include <string>

#include "core/diagnostics.hpp"
#include "workloads/onnx/load.hpp"

namespace tilewright {

TEST_CASE("a path that ends in .onnx is imported") {
  const WorkloadGraph graph = load_workload(std::string(TILEWRIGHT_SOURCE_DIR) + "/workloads/models/alexnet.onnx", {});
  CHECK(graph.name == "alexnet");
  CHECK(total_macs(graph) == 714188480);
}

TEST_CASE("a generator is built from its parameters") {
  CHECK(total_macs(load_workload("gemm:m=2,n=3,k=5", {})) == 2 * 3 * 5);
}

TEST_CASE("a mistyped generator names the nearest one") {
  try {
    (void)load_workload("resnet51", {});
    FAIL("accepted");
  } catch (const InputError& error) { CHECK_THAT(error.what(), Catch::Contains("Did you mean 'resnet50'")); }
}

TEST_CASE("a missing .onnx file and a file of another kind are refused") {
  CHECK_THROWS_AS(load_workload("/no/such.onnx", {}), InputError);
  CHECK_THROWS_AS(load_workload("/no/such.csv", {}), InputError);
  CHECK_THROWS_WITH(load_workload(std::string(TILEWRIGHT_SOURCE_DIR) + "/CMakeLists.txt", {}),
                    Catch::Contains("neither an .onnx"));
}

}  // namespace tilewright
