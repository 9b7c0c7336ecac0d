#include "workloads/data_type.hpp"

#include <algorithm>
#include <array>

namespace tilewright {
namespace {

struct Format {
  DataType type;
  std::string_view name;
  int bits;
  bool integer;
};

constexpr std::array formats{
    Format{DataType::fp64, "fp64", 64, false},  Format{DataType::fp32, "fp32", 32, false},
    Format{DataType::tf32, "tf32", 32, false},  Format{DataType::bf16, "bf16", 16, false},
    Format{DataType::fp16, "fp16", 16, false},  Format{DataType::fp8, "fp8", 8, false},
    Format{DataType::int64, "int64", 64, true}, Format{DataType::int32, "int32", 32, true},
    Format{DataType::int16, "int16", 16, true}, Format{DataType::int8, "int8", 8, true},
    Format{DataType::int4, "int4", 4, true},    Format{DataType::int2, "int2", 2, true},
    Format{DataType::int1, "int1", 1, true},
};

const Format& format(DataType type) { return formats[static_cast<std::size_t>(type)]; }

}  // namespace

int bits(DataType type) { return format(type).bits; }
std::string_view name(DataType type) { return format(type).name; }
bool is_integer(DataType type) { return format(type).integer; }

std::optional<DataType> data_type_from(std::string_view name) {
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.name == name; });
  if (found == formats.end()) return std::nullopt;
  return found->type;
}

std::vector<std::string> data_type_names() {
  std::vector<std::string> names;
  for (const Format& f : formats) names.emplace_back(f.name);
  return names;
}

std::optional<Precision> precision_from(std::string_view name) {
  if (name == "w8a16") return Precision{DataType::int8, DataType::fp16};
  if (name == "w4a16") return Precision{DataType::int4, DataType::fp16};
  if (const auto type = data_type_from(name)) return Precision{*type, *type};
  return std::nullopt;
}

std::vector<std::string> precision_names() {
  std::vector<std::string> names = data_type_names();
  names.insert(names.end(), {"w8a16", "w4a16"});
  return names;
}

std::string name(const Precision& precision) {
  if (precision.weights == precision.activations) return std::string(name(precision.weights));
  if (precision == Precision{DataType::int8, DataType::fp16}) return "w8a16";
  if (precision == Precision{DataType::int4, DataType::fp16}) return "w4a16";
  return std::string(name(precision.weights)) + "/" + std::string(name(precision.activations));
}

}  // namespace tilewright
