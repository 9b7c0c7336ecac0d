#include "tests/house/includes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tilewright::house {
namespace {
namespace fs = std::filesystem;
using Names = std::vector<std::string_view>;

/// A room is a path prefix. The first prefix that fits decides, so inner rooms stand before outer ones.
struct Room {
  std::string_view prefix;
  Names may_include;  // prefixes of other rooms; a room may always include itself
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> list = [] {
    const Names workloads{"core/", "workloads/"};
    const Names chips{"core/", "workloads/", "arch_models/"};
    const auto with = [](Names below, std::string_view room) {
      below.push_back(room);
      return below;
    };
    const Names mapping = with(chips, "sim/mapping/");
    const Names cost = with(mapping, "sim/cost/");
    const Names search = with(cost, "sim/search/");
    const Names twin = with(cost, "sim/twin/");
    const Names network = with(with(with(search, "sim/twin/"), "sim/systemc/"), "sim/network/");
    Names study = with(with(network, "sim/study/"), "workloads/onnx/load.");
    study.insert(study.end(), {"workloads/onnx/", "workloads/transform/", "workloads/zoo/", "workloads/space/",
                               "sim/accuracy/", "sim/money/"});
    const Names report = with(network, "sim/report/");
    Names results = study;
    results.insert(results.end(), {"sim/report/", "sim/results/"});
    const Names scalesim = with(chips, "sim/scalesim/");
    const Names validation =
        with(with(with(with(report, "sim/scalesim/"), "validation/"), "workloads/zoo/"), "sim/accuracy/");
    Names everything =
        with(with(with(with(validation, "sim/systemc/"), "sim/systemc/pe_array/"), "sim/study/"), "validation/chips/");
    for (const std::string_view room :
         {"workloads/onnx/load.", "workloads/onnx/", "workloads/transform/", "workloads/zoo/", "workloads/scalesim/",
          "workloads/space/", "sim/accuracy/", "sim/money/", "sim/results/", "cli/"}) {
      everything.push_back(room);
    }
    Names gui = everything;
    std::erase(gui, "cli/");
    Names tests = everything;
    tests.insert(tests.end(), {"bench/", "tests/", "gui/viewmodels/", "gui/views/"});
    return std::vector<Room>{
        {"core/", {}},
        // a workload by name or path: the one place that chooses among the readers
        {"workloads/onnx/load.",
         with(with(with(with(workloads, "workloads/onnx/"), "workloads/zoo/"), "workloads/scalesim/"),
              "workloads/transform/")},
        {"workloads/onnx/", workloads},
        {"workloads/space/", workloads},
        {"workloads/transform/", workloads},
        {"workloads/zoo/", workloads},
        {"workloads/scalesim/", workloads},
        {"workloads/", workloads},
        {"arch_models/", chips},
        {"sim/mapping/", mapping},
        {"sim/cost/", cost},
        {"sim/search/", search},
        {"sim/twin/", twin},
        {"sim/systemc/kernel/", {}},
        {"sim/systemc/pe_array/", with(chips, "sim/systemc/kernel/")},
        {"sim/systemc/", with(twin, "sim/systemc/kernel/")},
        {"sim/network/", network},
        {"sim/accuracy/", {"core/", "workloads/space/"}},
        {"sim/money/", {"core/"}},
        {"sim/study/", study},
        {"sim/report/", report},
        {"sim/results/", results},
        {"sim/scalesim/", scalesim},
        {"validation/chips/", with(with(with(network, "validation/"), "workloads/onnx/load."), "workloads/transform/")},
        {"validation/", validation},
        {"cli/", everything},
        {"gui/viewmodels/", gui},
        {"gui/views/", with(gui, "gui/viewmodels/")},
        {"gui/", with(with(gui, "gui/viewmodels/"), "gui/views/")},
        {"bench/", tests},
        {"tests/", tests},
    };
  }();
  return list;
}

const Room* room_of(std::string_view path) {
  const auto found =
      std::find_if(rooms().begin(), rooms().end(), [&](const Room& room) { return path.starts_with(room.prefix); });
  return found == rooms().end() ? nullptr : &*found;
}

/// A third-party header stays behind its room, and behind the tests of that room.
struct ThirdParty {
  std::string_view prefix;
  Names rooms;
};

const std::array<ThirdParty, 18>& third_parties() {
  static const std::array<ThirdParty, 18> list{{
      {"yaml-cpp/", {"core/", "tests/core/"}},
      {"libfccp/", {"core/", "tests/core/"}},
      {"onnx/", {"workloads/onnx/", "tests/workloads/onnx/"}},
      {"google/protobuf/", {"workloads/onnx/", "tests/workloads/onnx/"}},
      {"boost/", {"workloads/", "tests/workloads/", "sim/study/"}},
      {"sqlite3.h", {"sim/study/"}},
      {"pagmo/", {"sim/study/", "sim/results/"}},
      {"nlohmann/", {"sim/report/", "sim/study/", "validation/import/", "cli/", "tests/"}},
      {"CLI/", {"cli/"}},
      {"systemc", {"sim/systemc/", "tests/sim/systemc/"}},
      {"sysc/", {"sim/systemc/"}},
      {"tlm", {"sim/systemc/", "tests/sim/systemc/"}},
      {"Eigen/", {"validation/", "sim/accuracy/", "tests/sim/systemc/"}},
      {"cuda", {"validation/cuda/"}},
      {"cublas", {"validation/cuda/"}},
      {"cudnn", {"validation/cuda/"}},
      {"Q", {"gui/", "tests/gui/", "bench/"}},
      {"qcustomplot", {"gui/views/", "tests/gui/", "bench/"}},
  }};
  return list;
}

std::string at(const Include& include) { return fmt::format("{}:{}: ", include.file, include.line); }

std::string bracket_objection(const Include& include) {
  for (const ThirdParty& party : third_parties()) {
    if (!include.path.starts_with(party.prefix)) continue;
    const bool inside = std::any_of(party.rooms.begin(), party.rooms.end(),
                                    [&](std::string_view room) { return include.file.starts_with(room); });
    if (!inside)
      return at(include) + fmt::format("<{}> belongs behind {}", include.path, fmt::join(party.rooms, " or "));
  }
  if (room_of(include.path) != nullptr)
    return at(include) + fmt::format("write our own \"{}\" in quotes", include.path);
  return {};
}

}  // namespace

std::vector<Include> includes_of(const std::string& file, std::string_view text) {
  std::vector<Include> includes;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::string_view rest = line;
    const auto skip = [&](std::string_view word) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      if (!rest.starts_with(word)) return false;
      rest.remove_prefix(word.size());
      return true;
    };
    if (!skip("#") || !skip("include") || !skip("") || rest.empty()) continue;
    const char close = rest.front() == '<' ? '>' : '"';
    if (rest.front() != '<' && rest.front() != '"') continue;
    const std::size_t end = rest.find(close, 1);
    if (end == std::string_view::npos) continue;
    includes.push_back({file, number, std::string(rest.substr(1, end - 1)), close == '>'});
  }
  return includes;
}

std::vector<Include> includes_in_tree(const std::string& root) {
  std::vector<Include> includes;
  for (fs::recursive_directory_iterator at(root), end; at != end; ++at) {
    const std::string name = at->path().filename().string();
    if (at->is_directory()) {
      if (name.starts_with('.') || (at.depth() == 0 && name.starts_with("build"))) at.disable_recursion_pending();
      continue;
    }
    if (at->path().extension() != ".hpp" && at->path().extension() != ".cpp") continue;
    std::ifstream in(at->path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::vector<Include> found = includes_of(fs::relative(at->path(), root).generic_string(), text);
    includes.insert(includes.end(), found.begin(), found.end());
  }
  return includes;
}

std::string objection(const Include& include) {
  const Room* from = room_of(include.file);
  if (from == nullptr) return at(include) + "this folder is no room of the house; add it to tests/house/includes.cpp";
  if (include.bracket) return bracket_objection(include);
  const Room* to = room_of(include.path);
  if (to == nullptr) return at(include) + fmt::format("write \"{}\" with its path from the root", include.path);
  if (from == to) return {};
  const bool allowed =
      std::find(from->may_include.begin(), from->may_include.end(), to->prefix) != from->may_include.end();
  return allowed ? ""
                 : at(include) + fmt::format("{} must not include {} (\"{}\")", from->prefix, to->prefix, include.path);
}

}  // namespace tilewright::house
