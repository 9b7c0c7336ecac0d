#include "gui/viewmodels/knobs.hpp"

#include <fmt/format.h>

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "arch_models/load.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::gui {
namespace {

constexpr int steps_each_way = 6;  // factors of the square root of two: an eighth to eight times

/// "12.8 GB/s" as number and unit.
struct Quantity {
  double number = 0;
  std::string unit;
};

Quantity quantity_of(const std::string& text) {
  char* end = nullptr;
  Quantity quantity;
  quantity.number = std::strtod(text.c_str(), &end);
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.c_str()));
  return quantity;
}

}  // namespace

Knob around(std::string key, std::string label, const std::string& own, bool whole) {
  Knob knob{std::move(key), std::move(label), {}, 0};
  const Quantity quantity = quantity_of(own);
  for (int step = -steps_each_way; step <= steps_each_way; ++step) {
    const double number = quantity.number * std::exp2(step / 2.0);
    const std::string text = step == 0 ? own
                             : whole   ? fmt::format("{:.0f}{}", std::max(1.0, std::round(number)), quantity.unit)
                                       : fmt::format("{:.4g}{}", number, quantity.unit);
    if (step == 0) knob.own = static_cast<int>(knob.values.size());
    if (knob.values.empty() || knob.values.back() != text) {
      knob.values.push_back(text);
    } else if (step == 0) {
      knob.own = static_cast<int>(knob.values.size()) - 1;
    }
  }
  return knob;
}

Knob capacities(std::string key, std::string label, const std::string& own) {
  Knob knob = around(std::move(key), std::move(label), own, false);
  const Quantity quantity = quantity_of(own);
  if (quantity.unit.find('i') == std::string::npos) return knob;  // bytes or decimal units
  for (std::string& value : knob.values) {
    if (value == own) continue;
    const double kibibytes = parse_yaml(value, "capacity").as_bytes().value / 1024;
    value = kibibytes >= 1 ? fmt::format("{:.0f} KiB", kibibytes) : fmt::format("{:.0f} B", kibibytes * 1024);
  }
  return knob;
}

namespace {

void add_chip_knobs(const Analysis& unchanged, std::vector<Knob>& knobs) {
  const Value document = chip_document(unchanged.project.chip);
  const std::string clock = document.at("clock").as_string();
  knobs.push_back(around("chip.clock", "clock", clock, false));
  const Value compute = document.at("compute");
  for (const char* lanes : {"rows", "cols"}) {
    if (const auto value = compute.find(lanes))
      knobs.push_back(
          around(fmt::format("chip.compute.{}", lanes), fmt::format("array {}", lanes), value->as_string(), true));
  }
  for (const Value& level : document.at("levels").items()) {
    const std::string name = level.at("name").as_string();
    if (const auto bandwidth = level.find("bandwidth"))
      knobs.push_back(
          around(fmt::format("chip.levels.{}.bandwidth", name), name + " bandwidth", bandwidth->as_string(), false));
    if (const auto capacity = level.find("capacity"))
      knobs.push_back(
          capacities(fmt::format("chip.levels.{}.capacity", name), name + " capacity", capacity->as_string()));
  }
}

/// What a generator's name says of a parameter, "llama-7b:phase=decode"; nullopt: nothing.
std::optional<std::string> said(const std::string& workload, const std::string& parameter) {
  for (std::size_t at = workload.find(':'); at != std::string::npos; at = workload.find(',', at + 1)) {
    const std::string item = workload.substr(at + 1, workload.find(',', at + 1) - at - 1);
    if (item.starts_with(parameter + "=")) return item.substr(parameter.size() + 1);
  }
  return std::nullopt;
}

/// Lengths of sequences and sides of images that the generator takes in its phase. What its name says already a study cannot say again.
void add_length_knobs(const Analysis& unchanged, std::vector<Knob>& knobs) {
  const std::string& workload = unchanged.project.workload;
  const std::string family = workload.substr(0, workload.find(':'));
  const auto generator =
      std::find_if(generators().begin(), generators().end(), [&](const Generator& g) { return g.name == family; });
  if (generator == generators().end()) return;
  const bool decode = said(workload, "phase") == "decode";
  const std::array<std::pair<std::string_view, const char*>, 3> lengths{
      {{decode ? "context" : "seq", decode ? "cached tokens" : "sequence length"},
       {"steps", "time steps"},
       {"resolution", "image side"}}};
  for (const Parameter& parameter : generator->parameters()) {
    const auto length =
        std::find_if(lengths.begin(), lengths.end(), [&](const auto& known) { return known.first == parameter.name; });
    if (length != lengths.end() && !said(workload, parameter.name))
      knobs.push_back(around("model." + parameter.name, length->second, parameter.fallback, true));
  }
}

/// Sizes that the file leaves open and the project has bound.
void add_size_knobs(const Analysis& unchanged, std::vector<Knob>& knobs) {
  const std::string bound = "model.set.", own = first_size({});
  for (const auto& [key, value] : unchanged.project.changes) {
    if (!key.starts_with(bound)) continue;
    Knob knob{key, key.substr(bound.size()), {}, 0};
    constexpr std::int64_t most = 8192;
    for (std::int64_t size = 1; size <= most; size *= 2) {
      if (std::to_string(size) == own) knob.own = static_cast<int>(knob.values.size());
      knob.values.push_back(std::to_string(size));
    }
    if (std::find(knob.values.begin(), knob.values.end(), value) == knob.values.end()) knob.values.push_back(value);
    knobs.push_back(std::move(knob));
  }
}

void add_model_knobs(const Analysis& unchanged, std::vector<Knob>& knobs) {
  Knob batch{"model.batch", "batch", {}, 0};
  constexpr std::int64_t most_batch = 256;
  for (std::int64_t b = 1; b <= most_batch; b *= 2) batch.values.push_back(std::to_string(b));
  const std::string own = std::to_string(unchanged.graph->batch);
  const auto at = std::find(batch.values.begin(), batch.values.end(), own);
  batch.own = static_cast<int>(at - batch.values.begin());
  if (at == batch.values.end()) batch.values.push_back(own);
  knobs.push_back(std::move(batch));

  Knob precision{"model.precision", "number format", {}, 0};
  for (const auto& [type, arithmetic] : unchanged.chip.arithmetic) {
    if (arithmetic.macs_per_cycle > 0) precision.values.emplace_back(name(type));
  }
  std::string ran = unchanged.result.layers.empty() ? "" : unchanged.result.layers.front().precision;
  const auto same = std::find(precision.values.begin(), precision.values.end(), ran);
  precision.own = static_cast<int>(same == precision.values.end() ? 0 : same - precision.values.begin());
  if (precision.values.size() > 1) knobs.push_back(std::move(precision));
}

}  // namespace

int Knob::position(const Project& project) const {
  const auto at = std::find(values.begin(), values.end(), project.value(key));
  return at == values.end() ? own : static_cast<int>(at - values.begin());
}

QString Knob::title() const {
  const auto words = [](const char* text) { return QCoreApplication::translate("Knobs", text); };
  static constexpr std::array whole{
      QT_TRANSLATE_NOOP("Knobs", "clock"),         QT_TRANSLATE_NOOP("Knobs", "array rows"),
      QT_TRANSLATE_NOOP("Knobs", "array cols"),    QT_TRANSLATE_NOOP("Knobs", "batch"),
      QT_TRANSLATE_NOOP("Knobs", "number format"), QT_TRANSLATE_NOOP("Knobs", "sequence length"),
      QT_TRANSLATE_NOOP("Knobs", "cached tokens"), QT_TRANSLATE_NOOP("Knobs", "time steps"),
      QT_TRANSLATE_NOOP("Knobs", "image side")};
  static constexpr std::array of_level{QT_TRANSLATE_NOOP("Knobs", "%1 bandwidth"),
                                       QT_TRANSLATE_NOOP("Knobs", "%1 capacity")};
  for (const char* text : whole) {
    if (label == text) return words(text);
  }
  for (const char* text : of_level) {
    const std::string_view what = text + std::string_view("%1").size();
    if (label.ends_with(what))
      return words(text).arg(QString::fromStdString(label.substr(0, label.size() - what.size())));
  }
  return QString::fromStdString(label);
}

std::vector<Knob> knobs(const Analysis& unchanged) {
  std::vector<Knob> result;
  add_chip_knobs(unchanged, result);
  add_model_knobs(unchanged, result);
  add_length_knobs(unchanged, result);
  add_size_knobs(unchanged, result);
  return result;
}

}  // namespace tilewright::gui
