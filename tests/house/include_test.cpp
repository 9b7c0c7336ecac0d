#include <catch2/catch.hpp>

#include <filesystem>

#include "tests/house/includes.hpp"

using namespace tilewright::house;

namespace {

std::string judged(const std::string& file, const std::string& line) {
  const std::vector<Include> includes = includes_of(file, line);
  REQUIRE(includes.size() == 1);
  return objection(includes.front());
}

}  // namespace

TEST_CASE("every include in the tree follows the one-way arrows of the house") {
  const std::vector<Include> includes = includes_in_tree(TILEWRIGHT_SOURCE_DIR);
  REQUIRE(includes.size() > 100);  // the tree was found
  std::string objections;
  for (const Include& include : includes) {
    if (const std::string text = objection(include); !text.empty()) objections += text + "\n";
  }
  REQUIRE(objections == "");
}

TEST_CASE("every included file of ours exists at its path from the root") {
  const std::filesystem::path root = TILEWRIGHT_SOURCE_DIR;
  std::string missing;
  for (const Include& include : includes_in_tree(root.string())) {
    if (!include.bracket && !std::filesystem::exists(root / include.path))
      missing += include.file + ": " + include.path + "\n";
  }
  REQUIRE(missing == "");
}

TEST_CASE("an arrow upwards is found and named") {
  REQUIRE(judged("arch_models/load.cpp", "#include \"sim/mapping/mapping.hpp\"") ==
          "arch_models/load.cpp:1: arch_models/ must not include sim/mapping/ (\"sim/mapping/mapping.hpp\")");
  REQUIRE(judged("core/csv.cpp", "  #  include \"workloads/graph.hpp\"") ==
          "core/csv.cpp:1: core/ must not include workloads/ (\"workloads/graph.hpp\")");
  for (const auto& [file, path] :
       std::vector<std::pair<std::string, std::string>>{{"workloads/graph.cpp", "workloads/onnx/import.hpp"},
                                                        {"workloads/zoo/zoo.cpp", "workloads/onnx/load.hpp"},
                                                        {"workloads/onnx/import.cpp", "workloads/zoo/zoo.hpp"},
                                                        {"sim/mapping/mapping.cpp", "sim/cost/cost.hpp"},
                                                        {"sim/cost/cost.cpp", "sim/search/search.hpp"},
                                                        {"sim/search/search.cpp", "sim/network/network.hpp"},
                                                        {"sim/network/network.cpp", "sim/report/report.hpp"},
                                                        {"sim/report/json.cpp", "cli/commands.hpp"},
                                                        {"cli/main.cpp", "tests/cli/program.hpp"}}) {
    INFO(file << " -> " << path);
    REQUIRE(judged(file, "#include \"" + path + "\"").ends_with("(\"" + path + "\")"));
  }
}

TEST_CASE("an arrow downwards and an include within a room are allowed") {
  for (const auto& [file, path] :
       std::vector<std::pair<std::string, std::string>>{{"core/csv.cpp", "core/csv.hpp"},
                                                        {"workloads/onnx/load.cpp", "workloads/zoo/zoo.hpp"},
                                                        {"arch_models/cpu/cpu.cpp", "arch_models/family.hpp"},
                                                        {"sim/mapping/case_file.cpp", "arch_models/load.hpp"},
                                                        {"sim/report/json.cpp", "sim/network/network.hpp"},
                                                        {"cli/request.cpp", "workloads/onnx/load.hpp"},
                                                        {"tests/cli/commands_test.cpp", "tests/cli/program.hpp"}}) {
    INFO(file << " -> " << path);
    REQUIRE(judged(file, "#include \"" + path + "\"") == "");
  }
}

TEST_CASE("a third-party header outside its room is found") {
  REQUIRE(judged("arch_models/load.cpp", "#include <yaml-cpp/yaml.h>") ==
          "arch_models/load.cpp:1: <yaml-cpp/yaml.h> belongs behind core/ or tests/core/");
  REQUIRE(judged("core/document.cpp", "#include <yaml-cpp/parser.h>") == "");
  REQUIRE(judged("cli/main.cpp", "#include <onnx/onnx_pb.h>") != "");
  REQUIRE(judged("workloads/graph.cpp", "#include <google/protobuf/message.h>") != "");
  REQUIRE(judged("sim/network/network.cpp", "#include <boost/graph/adjacency_list.hpp>") != "");
  REQUIRE(judged("sim/network/network.cpp", "#include <nlohmann/json.hpp>") != "");
  REQUIRE(judged("sim/report/json.cpp", "#include <nlohmann/json.hpp>") == "");
  REQUIRE(judged("cli/main.cpp", "#include <vector>") == "");
}

TEST_CASE("a header beside the source still needs its path from the root, and a new folder needs a rule") {
  REQUIRE(judged("core/csv.cpp", "#include \"csv.hpp\"") ==
          "core/csv.cpp:1: write \"csv.hpp\" with its path from the root");
  REQUIRE(judged("core/csv.cpp", "#include <core/csv.hpp>") ==
          "core/csv.cpp:1: write our own \"core/csv.hpp\" in quotes");
  REQUIRE(judged("attic/old.cpp", "#include <vector>") ==
          "attic/old.cpp:1: this folder is no room of the house; add it to tests/house/includes.cpp");
}
