// Ports: which operands of a layer's kernels stand for which activations of the graph; kernels with some of them on chip, and tiles of a layer.
#pragma once

#include <optional>
#include <vector>

#include "workloads/lowering.hpp"

namespace tilewright {

/// The tensor that owns the memory of `id`: the end of its chain of views.
TensorId storage_of(const WorkloadGraph& graph, TensorId id);

/// Bytes of a tensor, its elements packed.
std::int64_t tensor_bytes(const Tensor& tensor);

/// An operand and the tensors whose words it reads or writes, in order. One operand may stand for several tensors (what epilogues
/// read, the inputs of a Concat).
struct Port {
  struct Part {
    TensorId tensor = -1;  // owner of the memory
    std::int64_t words = 0;
  };
  std::size_t kernel = 0, operand = 0;
  bool output = false;
  std::vector<Part> parts;
};

/// Ports of a layer with its kernels as `lower` made them. An operand whose tensors cannot be told has no port.
std::vector<Port> ports_of(const WorkloadGraph& graph, const Layer& layer, const std::vector<Kernel>& kernels);

/// A kernel and its operands that were put on chip.
struct PlacedKernel {
  Kernel kernel;
  std::vector<std::size_t> on_chip;
};

/// The kernels with the chosen parts on chip (`on_chip`: one flag per part, in the order of ports and parts). A kernel of which an
/// operand is on chip in part is split along that operand. nullopt: it cannot be split.
std::optional<std::vector<PlacedKernel>> placed(const std::vector<Kernel>& kernels, const std::vector<Port>& ports,
                                                const std::vector<bool>& on_chip);

/// How the result of a layer can be made piece by piece: rows of a window operator, leading rows of a matrix, or any part at all.
enum class Rows { none, window, matrix, any };
struct RowTiling {
  Rows kind = Rows::none;
  std::int64_t rows = 0;                // of the result; any: its elements
  std::int64_t extent = 1, stride = 1;  // input rows that one row of a window operator needs, and their step
};
RowTiling row_tiling(const Layer& layer, const std::vector<Kernel>& kernels);

/// The kernels of one of `tiles` equal tiles of rows; nullopt where a kernel does not divide.
std::optional<std::vector<Kernel>> one_tile(const std::vector<Kernel>& kernels, const RowTiling& tiling,
                                            std::int64_t tiles);

}  // namespace tilewright
