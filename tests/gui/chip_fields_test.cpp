// Every figure of every chip of the library as a field: its place, its slider, its errors, and the file it is saved as.
#include <algorithm>
#include <catch2/catch.hpp>

#include "arch_models/load.hpp"
#include "core/diagnostics.hpp"
#include "gui/viewmodels/chip_fields.hpp"

namespace tilewright::gui {
namespace {

const ChipField& field(const std::vector<ChipField>& fields, const std::string& path) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const ChipField& each) { return each.path == path; });
  INFO(path);
  REQUIRE(found != fields.end());
  return *found;
}

void require_equal(const Value& a, const Value& b) {
  INFO(a.place().key);
  REQUIRE(a.is_map() == b.is_map());
  REQUIRE(a.is_list() == b.is_list());
  REQUIRE(a.is_scalar() == b.is_scalar());
  if (a.is_scalar()) REQUIRE(a.as_string() == b.as_string());
  if (a.is_list()) {
    REQUIRE(a.items().size() == b.items().size());
    for (std::size_t i = 0; i < a.items().size(); ++i) require_equal(a.items()[i], b.items()[i]);
  }
  if (a.is_map()) {
    REQUIRE(a.keys() == b.keys());
    for (const std::string& key : a.keys()) require_equal(a.at(key), b.at(key));
  }
}

std::size_t scalars(const Value& value) {
  std::size_t count = value.is_scalar() ? 1 : 0;
  if (value.is_list()) {
    for (const Value& item : value.items()) count += scalars(item);
  }
  if (value.is_map()) {
    for (const std::string& key : value.keys()) {
      if (key != "source") count += scalars(value.at(key));
    }
  }
  return count;
}

TEST_CASE(
    "every scalar of every chip is a field that can be set to what it is, in the window and in the saved project") {
  for (const std::string& name : chip_library()) {
    const Value document = chip_document(name);
    const std::vector<ChipField> fields = chip_fields(document);
    REQUIRE(fields.size() == scalars(document));
    Project project{"resnet18", name, {}};
    for (const ChipField& each : fields) {
      INFO(name << ": " << each.path << " = " << each.text);
      REQUIRE(each.path ==
              (each.section.empty() ? "" : each.section + (each.label.starts_with('[') ? "" : ".")) + each.label);
      if (each.text.empty() || each.fixed) continue;
      REQUIRE(chip_error(document, project, each, each.text).empty());
      project.change("chip." + each.path, each.text);
    }
    require_equal(with_changes(document, project), document);
    REQUIRE(read_project(project_text(project), "project.yaml") == project);
  }
}

TEST_CASE("a saved chip is read back equal, with its changes") {
  for (const std::string& name : chip_library()) {
    const Value document = chip_document(name);
    INFO(chip_yaml(document));
    const Value again = parse_yaml(chip_yaml(document), name);
    require_equal(again, document);
    REQUIRE(read_chip(again).lanes() == read_chip(document).lanes());
  }
  const Value odd =
      parse_yaml("name: \"a: b # c\"\nlist: [\"x, y\", '\"', \"\\\\\", \"null\", ~, \"- z\", \"tab\\t\"]\n", "odd");
  require_equal(parse_yaml(chip_yaml(odd), "odd"), odd);
  Project project{"resnet18", "edge-systolic-16x16", {}};
  project.change("chip.levels.DRAM.bandwidth", "25.6 GB/s");
  const Value changed = with_changes(chip_document(project.chip), project);
  const Chip chip = parse_chip(chip_yaml(changed), "mine.yaml");
  REQUIRE(chip.levels[0].bandwidth.value == Approx(25.6e9 / 500e6));
}

TEST_CASE("fields have the nearest source, numbers a slider of readable values, and a wrong text its reason") {
  const Value document = chip_document("edge-systolic-16x16");
  const std::vector<ChipField> fields = chip_fields(document);
  REQUIRE(field(fields, "levels.DRAM.bandwidth").source == "32-bit LPDDR4-3200");
  REQUIRE(field(fields, "compute.mac_energy.fp16.value").source == "Horowitz, ISSCC 2014");
  REQUIRE(field(fields, "compute.rows").source == document.at("source").as_string());
  REQUIRE(field(fields, "levels.DRAM.name").fixed);
  REQUIRE(field(fields, "levels.Scratchpad.keeps[0]").label == "keeps[0]");
  REQUIRE_FALSE(field(fields, "compute.dataflow").knob);
  REQUIRE_FALSE(field(fields, "summary").knob);  // begins with a number
  const std::optional<Knob>& rows = field(fields, "compute.rows").knob;
  REQUIRE(rows);
  REQUIRE(rows->values.front() == "2");
  REQUIRE(rows->values.back() == "128");
  REQUIRE(rows->values[static_cast<std::size_t>(rows->own)] == "16");
  REQUIRE(field(fields, "levels.Scratchpad.capacity").knob->values.back() == "2048 KiB");

  const Project project{"resnet18", "edge-systolic-16x16", {}};
  const auto error = [&](const std::string& path, const std::string& text) {
    return chip_error(document, project, field(fields, path), text);
  };
  REQUIRE_THAT(error("levels.DRAM.bandwidth", "25"), Catch::Contains("GB/s"));
  REQUIRE_THAT(error("compute.dataflow", "weight_stationery"), Catch::Contains("Did you mean 'weight_stationary'"));
  REQUIRE_THAT(error("levels.Scratchpad.capacity", "-1 KiB"), Catch::Contains("must not be negative"));
  REQUIRE_THAT(error("compute.rows", ""), Catch::Contains("missing"));
  REQUIRE(error("compute.rows", "32").empty());
}

TEST_CASE("the picture of a chip has a box for every level and one for the lanes") {
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    const std::vector<ChipBox> boxes = chip_boxes(chip);
    REQUIRE(boxes.size() == chip.levels.size() + 1);
    for (std::size_t l = 0; l < chip.levels.size(); ++l) {
      REQUIRE(boxes[l].name.toStdString() == chip.levels[l].name);
      REQUIRE_FALSE(boxes[l].link.isEmpty());
    }
    REQUIRE(boxes.back().link.isEmpty());
  }
  const std::vector<ChipBox> edge = chip_boxes(load_chip("edge-systolic-16x16"));
  REQUIRE(edge[0].link == "12.8 GB/s");
  REQUIRE(edge[1].size == "256 KiB, halved");
  REQUIRE(edge[2].fan_out == QString("1 : 16 %1 16").arg(QChar(0xd7)));
}

}  // namespace
}  // namespace tilewright::gui
