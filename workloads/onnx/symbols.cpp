#include "workloads/onnx/symbols.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/diagnostics.hpp"
#include "workloads/onnx/free_sizes.hpp"

namespace tilewright::importer {
namespace {

std::string symbol_of(const Declared& input, std::size_t axis) {
  const std::string& symbol = input.axes[axis].symbol;
  return symbol.empty() ? fmt::format("{}.{}", input.name, axis) : symbol;
}

/// The sizes below 1 that the file gives: some exporters write them for a free size, but they may be a mistake.
std::string empty_axes(const Model& model) {
  std::string text;
  for (const Declared& input : model.inputs) {
    for (std::size_t a = 0; a < input.axes.size(); ++a) {
      const Axis& axis = input.axes[a];
      if (!axis.given || axis.size >= 1) continue;
      text += fmt::format(". The file gives input '{}' the size {} on axis {}: a tensor without elements",
                          shown(input.name), axis.size, a);
    }
  }
  return text;
}

[[noreturn]] void fail(const Model& model, std::string_view message) {
  throw InputError(Place{model.file, 0, 0, ""}, message);
}

/// Sizes of the symbols: as set, and the batch for those on a first axis of an input.
std::map<std::string, std::int64_t> bound_symbols(const Model& model, const ImportOptions& options) {
  std::map<std::string, std::int64_t> bound = options.dims;
  if (options.batch < 1) return bound;
  for (const Declared& input : model.inputs) {
    if (!input.axes.empty() && input.axes[0].size < 1) bound.try_emplace(symbol_of(input, 0), options.batch);
  }
  return bound;
}

/// Each once, in order of appearance.
std::vector<FreeSize> sizes_of(const Model& model) {
  std::vector<FreeSize> sizes;
  for (const Declared& input : model.inputs) {
    for (std::size_t a = 0; a < input.axes.size(); ++a) {
      if (input.axes[a].size >= 1) continue;
      const std::string symbol = symbol_of(input, a);
      const auto known =
          std::find_if(sizes.begin(), sizes.end(), [&](const FreeSize& size) { return size.name == symbol; });
      if (known == sizes.end()) {
        sizes.push_back({symbol, a == 0});
      } else {
        known->batch = known->batch || a == 0;
      }
    }
  }
  return sizes;
}

}  // namespace

std::vector<Shape> input_shapes(const Model& model, const ImportOptions& options) {
  std::vector<std::string> symbols;
  for (FreeSize& size : sizes_of(model)) symbols.push_back(std::move(size.name));
  const auto bound = bound_symbols(model, options);
  for (const auto& [name, value] : options.dims) {
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end()) {
      fail(model, symbols.empty() ? fmt::format("--set {}={}: the model has no symbolic sizes", shown(name), value)
                                  : unknown_message("symbolic size", name, symbols));
    }
    if (value < 1) fail(model, fmt::format("--set {}={}: a size must be at least 1", shown(name), value));
  }
  std::vector<std::string> missing;
  for (const std::string& symbol : symbols) {
    if (!bound.contains(symbol)) missing.push_back(fmt::format("--set {}=VALUE", shown(symbol)));
  }
  if (!missing.empty()) {
    fail(model, fmt::format("{} input size{} not fixed in the file; bind with: {}{}", missing.size(),
                            missing.size() == 1 ? " is" : "s are", fmt::join(missing, " "), empty_axes(model)));
  }
  std::vector<Shape> shapes;
  for (const Declared& input : model.inputs) {
    Shape shape;
    for (std::size_t a = 0; a < input.axes.size(); ++a) {
      shape.push_back(input.axes[a].size >= 1 ? input.axes[a].size : bound.at(symbol_of(input, a)));
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

std::optional<Shape> declared_shape(const Model& model, const ImportOptions& options, const Declared& tensor) {
  const auto bound = bound_symbols(model, options);
  Shape shape;
  for (const Axis& axis : tensor.axes) {
    const auto symbol = bound.find(axis.symbol);
    if (axis.size < 1 && (axis.symbol.empty() || symbol == bound.end())) return std::nullopt;
    shape.push_back(axis.size < 1 ? symbol->second : axis.size);
  }
  return shape;
}

}  // namespace tilewright::importer

namespace tilewright {

std::vector<FreeSize> free_sizes(const std::string& workload) {
  if (!workload.ends_with(".onnx")) return {};
  return importer::sizes_of(importer::read_model(workload));
}

}  // namespace tilewright
