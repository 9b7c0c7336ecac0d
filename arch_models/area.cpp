#include "arch_models/area.hpp"

namespace tilewright {
namespace {

void note_source(const Value& map) {
  if (const auto source = map.find("source")) source->as_string();
}

double on_chip_kib(const Chip& chip) {
  double kib = 0;
  for (std::size_t level = 1; level < chip.levels.size(); ++level) {
    const BufferLevel& one = chip.levels[level];
    if (one.capacity) kib += one.capacity->value / 1024 * static_cast<double>(one.instances);
  }
  return kib;
}

SquareMillimetres area_of(const Value& map, const Chip& chip) {
  note_source(map);
  const auto fixed = map.find("fixed");
  if (!fixed) return map.at("value").as_area();
  return fixed->as_area() + map.at("lane").as_area() * static_cast<double>(chip.lanes()) +
         map.at("kib").as_area() * on_chip_kib(chip);
}

Dollars price_of(const Value& map, const Chip& chip) {
  note_source(map);
  const auto fixed = map.find("fixed");
  if (!fixed) return map.at("value").as_price();
  if (!chip.area) map.fail("a price by area needs the area");
  return fixed->as_price() + map.at("per_mm2").as_price() * chip.area->value;
}

}  // namespace

void parse_area_and_price(const Value& root, Chip& chip) {
  if (const auto area = root.find("area")) chip.area = area_of(*area, chip);
  if (const auto price = root.find("price")) chip.price = price_of(*price, chip);
}

}  // namespace tilewright
