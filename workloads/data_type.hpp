// Number formats of tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

enum class DataType { fp64, fp32, tf32, bf16, fp16, fp8, int64, int32, int16, int8, int4, int2, int1 };

/// Storage bits of one element (tf32 is stored in 32).
int bits(DataType type);
std::string_view name(DataType type);
std::optional<DataType> data_type_from(std::string_view name);
std::vector<std::string> data_type_names();
bool is_integer(DataType type);

/// What `--precision` asks for: formats of weights and of activations. Accumulators are int32 for integers,
/// fp32 otherwise. Names: any DataType name, w8a16 (int8 weights, fp16 activations), w4a16.
struct Precision {
  DataType weights = DataType::fp32;
  DataType activations = DataType::fp32;
  friend bool operator==(const Precision&, const Precision&) = default;
};
std::optional<Precision> precision_from(std::string_view name);
std::vector<std::string> precision_names();
std::string name(const Precision& precision);

}  // namespace tilewright
