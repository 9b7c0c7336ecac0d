// Symbolic sizes of graph inputs.
#pragma once

#include <optional>

#include "workloads/onnx/import.hpp"
#include "workloads/onnx/model.hpp"

namespace tilewright::importer {

/// Shapes of the graph inputs with every symbol bound by options.dims, or by options.batch where the symbol stands on a
/// first axis. An axis without size or name is called "INPUT.AXIS" (axes count from 0). InputError lists every symbol that
/// stays open with the --set that binds it; a name in options.dims that the model lacks is an error too.
std::vector<Shape> input_shapes(const Model& model, const ImportOptions& options);

/// The shape that the file declares for a result, its symbols bound as those of the inputs; nullopt where a size stays open.
std::optional<Shape> declared_shape(const Model& model, const ImportOptions& options, const Declared& tensor);

}  // namespace tilewright::importer
