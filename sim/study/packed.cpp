#include "sim/study/packed.hpp"

#include <nlohmann/json.hpp>

namespace tilewright {
namespace {

std::string bytes_of(const nlohmann::json& json) {
  std::string bytes;
  nlohmann::json::to_cbor(json, bytes);
  return bytes;
}

}  // namespace

std::string packed(const StudyPoint& point) { return bytes_of({point.workload, point.chip, point.values}); }

StudyPoint unpacked_point(const std::string& bytes) {
  const nlohmann::json json = nlohmann::json::from_cbor(bytes);
  return {json[0], json[1], json[2]};
}

std::string packed(const PointResult& result) {
  return bytes_of({static_cast<int>(result.status), result.message, result.figures});
}

PointResult unpacked_result(const std::string& bytes) {
  const nlohmann::json json = nlohmann::json::from_cbor(bytes);
  return {static_cast<PointStatus>(json[0].get<int>()), json[1], json[2].get<std::vector<double>>()};
}

}  // namespace tilewright
