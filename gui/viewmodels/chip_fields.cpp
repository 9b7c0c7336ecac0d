#include "gui/viewmodels/chip_fields.hpp"

#include <fmt/format.h>

#include <QCoreApplication>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "arch_models/load.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

constexpr std::string_view chip_key = "chip.";

/// True for a number alone or with one unit behind it ("64 B/cycle").
bool is_quantity(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0) return false;
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  if (*end == '\0') return true;
  if (*end != ' ') return false;
  const std::string_view unit = std::string_view(text).substr(static_cast<std::size_t>(end + 1 - text.c_str()));
  return std::all_of(unit.begin(), unit.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '/'; });
}

std::optional<Knob> slider(const std::string& path, const std::string& label, const std::string& text) {
  if (!is_quantity(text)) return std::nullopt;
  const std::string key = std::string(chip_key) + path;
  const bool bare = text.find(' ') == std::string::npos;
  Knob knob = label.ends_with("capacity") ? capacities(key, label, text)
                                          : around(key, label, text, bare && text.find('.') == std::string::npos);
  if (knob.values.size() < 2) return std::nullopt;  // of 0 there is nothing around
  return knob;
}

/// What an item of a list is called in a path.
std::string item_step(const Value& item, std::size_t position) {
  if (item.is_map()) {
    const std::vector<std::string> keys = item.keys();
    if (std::find(keys.begin(), keys.end(), "name") != keys.end()) {
      const std::string name = item.at("name").as_string();
      if (name.find_first_of(".[") == std::string::npos) return name;
    }
  }
  return fmt::format("[{}]", position);
}

std::string joined(const std::string& path, const std::string& step) {
  return path.empty() || step.front() == '[' ? path + step : path + '.' + step;
}

struct Walk {
  std::vector<ChipField> fields;

  void scalar(const Value& value, const std::string& path, const std::string& section, const std::string& source) {
    std::string label = section.empty() ? path : path.substr(section.size());
    if (label.starts_with('.')) label.erase(0, 1);
    ChipField field{path, section, label, value.as_string(), source, label == "name", {}};
    if (!field.fixed) field.knob = slider(path, label, field.text);
    fields.push_back(std::move(field));
  }

  /// `depth`: sections are the keys of the chip, and the items of its lists of maps.
  void visit(const Value& value, const std::string& path, const std::string& section, std::string source, int depth) {
    if (value.is_scalar()) return scalar(value, path, section, source);
    if (value.is_list()) {
      const std::vector<Value> items = value.items();
      for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string inner = joined(path, item_step(items[i], i));
        visit(items[i], inner, depth == 1 && items[i].is_map() ? inner : section, source, depth + 1);
      }
      return;
    }
    if (!value.is_map()) return;
    const std::vector<std::string> keys = value.keys();
    if (const auto own = value.find("source"); own && own->is_scalar()) source = own->as_string();
    for (const std::string& key : keys) {
      const Value inner = value.at(key);
      if (key == "source" && inner.is_scalar()) continue;
      const std::string to = joined(path, key);
      visit(inner, to, depth == 0 && !inner.is_scalar() ? to : section, source, depth + 1);
    }
  }
};

/// A scalar that is read back as this text; words and quantities without quotes.
std::string yaml_scalar(const std::string& text) {
  const bool plain =
      !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 && text.back() != ' ' &&
      std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view(" ._+-/").find(static_cast<char>(c)) != std::string_view::npos;
      });
  if (plain && text != "null" && text != "Null" && text != "NULL") return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string flow(const Value& value) {
  if (value.is_scalar()) return yaml_scalar(value.as_string());
  std::string text;
  if (value.is_list()) {
    for (const Value& item : value.items()) text += (text.empty() ? "" : ", ") + flow(item);
    return '[' + text + ']';
  }
  if (!value.is_map()) return "null";
  for (const std::string& key : value.keys())
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", yaml_scalar(key), flow(value.at(key)));
  return '{' + text + '}';
}

}  // namespace

std::vector<ChipField> chip_fields(const Value& document) {
  Walk walk;
  walk.visit(document, "", "", "", 0);
  return std::move(walk.fields);
}

Value with_changes(const Value& document, const Project& project) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : project.changes) {
    if (key.starts_with(chip_key))
      overrides.push_back({key.substr(chip_key.size()), value, {project.chip, 0, 0, key.substr(chip_key.size())}});
  }
  return with_overrides(document, overrides);
}

std::string chip_error(const Value& document, const Project& project, const ChipField& field, const std::string& text) {
  try {
    Project tried = project;
    tried.change(std::string(chip_key) + field.path, text);
    if (text.empty()) {  // the study file has no empty values
      return QCoreApplication::translate("Chip", "a value is missing; the file says %1")
          .arg(QString::fromStdString(field.text))
          .toStdString();
    }
    read_chip(with_changes(document, tried));
    return "";
  } catch (const std::exception& error) { return error.what(); }
}

std::string chip_yaml(const Value& document) {
  std::string text;
  for (const std::string& key : document.keys()) {
    const Value value = document.at(key);
    const bool of_maps = value.is_list() && !value.items().empty() && value.items().front().is_map();
    if (!of_maps) {
      text += fmt::format("{}: {}\n", yaml_scalar(key), flow(value));
      continue;
    }
    text += yaml_scalar(key) + ":\n";
    for (const Value& item : value.items()) text += "  - " + flow(item) + "\n";
  }
  return text;
}

std::vector<ChipBox> chip_boxes(const Chip& chip) {
  const auto words = [](const char* text) { return QCoreApplication::translate("Chip", text); };
  const auto text = [](const std::string& plain) { return QString::fromStdString(plain); };
  std::vector<ChipBox> boxes;
  for (const BufferLevel& level : chip.levels) {
    ChipBox box;
    box.name = text(level.name);
    if (level.instances > 1) box.count = words(QT_TRANSLATE_NOOP("Chip", "%1 of them")).arg(level.instances);
    box.size = level.capacity ? text(human_size(*level.capacity)) : words(QT_TRANSLATE_NOOP("Chip", "no limit"));
    if (level.double_buffered) box.size = words(QT_TRANSLATE_NOOP("Chip", "%1, halved")).arg(box.size);
    if (level.read_energy.value > 0) {
      box.energy = level.access_bits > 0
                       ? words(QT_TRANSLATE_NOOP("Chip", "%1 / %2 bit"))
                             .arg(text(human(level.read_energy)))
                             .arg(level.access_bits)
                       : words(QT_TRANSLATE_NOOP("Chip", "%1 / word")).arg(text(human(level.read_energy)));
    }
    if (level.bandwidth.value <= 0) {
      box.link = words(QT_TRANSLATE_NOOP("Chip", "no bound"));
    } else {
      box.link = text(human(Bytes{level.bandwidth.value * chip.clock.value})) + "/s";
    }
    if (level.instances > 1 && level.bandwidth.value > 0) box.fan_out = words(QT_TRANSLATE_NOOP("Chip", "each"));
    if (level.fanout_x * level.fanout_y > 1) {
      if (!box.fan_out.isEmpty()) box.fan_out += ", ";
      box.fan_out += QString("1 : %1 %2 %3").arg(level.fanout_y).arg(QChar(0xd7)).arg(level.fanout_x);
    }
    boxes.push_back(std::move(box));
  }
  ChipBox lanes;
  lanes.name = words(QT_TRANSLATE_NOOP("Chip", "compute"));
  lanes.count = words(QT_TRANSLATE_NOOP("Chip", "%1 lanes")).arg(chip.lanes());
  double most = 0;
  for (const auto& [type, arithmetic] : chip.arithmetic) {
    const double peak = arithmetic.macs_per_cycle * static_cast<double>(chip.lanes());
    if (peak <= most) continue;
    most = peak;
    lanes.size = words(QT_TRANSLATE_NOOP("Chip", "%1 MAC/cycle")).arg(text(human_count(peak)).trimmed());
    lanes.energy = QString("%1: %2").arg(text(std::string(name(type))), text(human(arithmetic.energy_per_mac)));
  }
  boxes.push_back(std::move(lanes));
  return boxes;
}

}  // namespace tilewright::gui
