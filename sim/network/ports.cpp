#include "sim/network/ports.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/checked.hpp"

namespace tilewright {
namespace {

const Tensor& tensor_of(const WorkloadGraph& graph, TensorId id) { return graph.tensors[static_cast<std::size_t>(id)]; }

std::optional<std::size_t> operand_named(const Problem& problem, std::string_view name) {
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    if (problem.operands[o].name == name) return o;
  }
  return std::nullopt;
}

class PortFinder {
 public:
  PortFinder(const WorkloadGraph& graph, const Layer& layer, const std::vector<Kernel>& kernels)
      : graph_(graph), layer_(layer), kernels_(kernels) {}

  std::vector<Port> find() {
    work_ports();
    epilogue_ports();
    return std::move(ports_);
  }

 private:
  std::size_t first_epilogue() const { return kernels_.size() - layer_.epilogues.size(); }
  Port::Part part(TensorId id) const { return {storage_of(graph_, id), tensor_of(graph_, id).elements()}; }

  /// Operand `name` of a kernel stands for the layer's input i.
  void input(std::size_t kernel, std::string_view name, std::size_t i) {
    if (i >= layer_.inputs.size() || kernel >= kernels_.size()) return;
    if (const auto o = operand_named(kernels_[kernel].problem, name)) {
      ports_.push_back({kernel, *o, false, {part(layer_.inputs[i])}});
    }
  }
  /// The last operand of the work's last kernel stands for the layer's result.
  void output() {
    if (layer_.outputs.empty() || first_epilogue() == 0) return;
    const std::size_t kernel = first_epilogue() - 1;
    ports_.push_back({kernel, kernels_[kernel].problem.operands.size() - 1, true, {part(layer_.outputs[0])}});
  }
  /// All data that a movement reads or writes; a port only where the tensors add up to the words moved.
  void moved(bool outputs) {
    const Problem& problem = kernels_.front().problem;
    const std::size_t o = outputs ? problem.operands.size() - 1 : 0;
    Port port{0, o, outputs, {}};
    std::int64_t words = 0;
    for (const TensorId id : outputs ? layer_.outputs : layer_.inputs) {
      port.parts.push_back(part(id));
      words = checked_add(words, port.parts.back().words);
    }
    const bool slice = port.parts.size() == 1;
    if (slice || words == tensor_words(problem, problem.operands[o])) ports_.push_back(std::move(port));
  }

  void work_ports() {
    struct {
      PortFinder& f;
      void factors() const {
        f.input(0, "inputs_a", 0);
        f.input(0, "inputs_b", 1);
        const auto weights = operand_named(f.kernels_[0].problem, "weights");
        if (weights) f.input(0, "inputs", *weights == 0 ? 1 : 0);
        f.output();
      }
      void one_input() const {
        f.input(0, "inputs", 0);
        f.output();
      }
      void operator()(const Conv&) const { one_input(); }
      void operator()(const ConvTranspose&) const { one_input(); }
      void operator()(const MatMul&) const { factors(); }
      void operator()(const Einsum&) const { factors(); }
      void operator()(const Recurrent&) const { one_input(); }
      void operator()(const Attention&) const {
        f.input(0, "inputs_a", 0);
        f.input(0, "inputs_b", 1);
        f.input(2, "inputs_b", 2);
        f.output();
      }
      void operator()(const Pool&) const { one_input(); }
      void operator()(const Reduce&) const { one_input(); }
      void operator()(const Resize&) const { one_input(); }
      void operator()(const RowWise&) const {
        f.input(0, "inputs", 0);
        for (std::size_t i = 1; i < f.layer_.inputs.size(); ++i) f.input(0, "inputs_" + std::to_string(i + 1), i);
        f.output();
      }
      void operator()(const Elementwise& e) const {
        for (std::size_t i = 0; i < e.operand_axes.size(); ++i) {
          f.input(0, i == 0 ? "inputs" : "inputs_" + std::to_string(i + 1), i);
        }
        f.output();
      }
      void operator()(const Gather&) const {
        f.input(0, "inputs", 1);
        f.output();
      }
      void operator()(const Movement&) const {
        f.moved(false);
        f.moved(true);
      }
      void operator()(const Collective&) const { one_input(); }
      void operator()(const Unmodelled&) const {}
    } const visitor{*this};
    if (first_epilogue() > 0) std::visit(visitor, layer_.work);
  }

  /// What the epilogues read stands at the end of the layer's inputs, in their order.
  void epilogue_ports() {
    const auto& epilogues = layer_.epilogues;
    std::int64_t left = 0;
    for (const Epilogue& epilogue : epilogues) left = checked_add(left, epilogue.extra_elements);
    std::size_t next = layer_.inputs.size();
    while (left > 0 && next > 0) left -= tensor_of(graph_, layer_.inputs[--next]).elements();
    if (left != 0) return;
    for (std::size_t e = 0; e < epilogues.size(); ++e) {
      std::int64_t words = epilogues[e].extra_elements;
      if (words == 0) continue;
      Port port{first_epilogue() + e, 0, false, {}};
      while (words > 0 && next < layer_.inputs.size()) {
        port.parts.push_back(part(layer_.inputs[next++]));
        words -= port.parts.back().words;
      }
      if (words != 0) return;
      ports_.push_back(std::move(port));
    }
  }

  const WorkloadGraph& graph_;
  const Layer& layer_;
  const std::vector<Kernel>& kernels_;
  std::vector<Port> ports_;
};

/// The dim whose index alone addresses the operand, -1 if there is none.
int only_dim(const Operand& operand) {
  if (operand.axes.size() != 1 || operand.axes[0].size() != 1 || operand.axes[0][0].coefficient != 1) return -1;
  return operand.axes[0][0].dim;
}

bool divide(Problem& problem, std::string_view dim, std::int64_t tiles) {
  const int d = problem.dim(dim);
  if (d < 0) return false;
  std::int64_t& bound = problem.dims[static_cast<std::size_t>(d)].bound;
  if (bound % tiles != 0) return false;
  bound /= tiles;
  return true;
}

/// Name of the dim that runs over the rows of a layer's result; "" if there is none.
std::string_view row_dim(Rows kind, const Problem& problem) {
  static constexpr std::array<std::string_view, 3> positions{"Z", "P", "Q"};
  static constexpr std::array<std::string_view, 3> leading{"M", "R", "E0"};
  for (const std::string_view name : kind == Rows::window ? positions : leading) {
    if (problem.dim(name) >= 0) return name;
  }
  return "";
}

}  // namespace

TensorId storage_of(const WorkloadGraph& graph, TensorId id) {
  while (tensor_of(graph, id).alias_of >= 0) id = tensor_of(graph, id).alias_of;
  return id;
}

std::int64_t tensor_bytes(const Tensor& tensor) {
  return ceil_div(checked_mul(tensor.elements(), bits(tensor.type)), 8);
}

std::vector<Port> ports_of(const WorkloadGraph& graph, const Layer& layer, const std::vector<Kernel>& kernels) {
  return PortFinder(graph, layer, kernels).find();
}

std::optional<std::vector<PlacedKernel>> placed(const std::vector<Kernel>& kernels, const std::vector<Port>& ports,
                                                const std::vector<bool>& on_chip) {
  struct Split {
    std::int64_t words = 0;  // on chip
    std::size_t operand = 0;
  };
  std::vector<PlacedKernel> result;
  for (const Kernel& kernel : kernels) result.push_back({kernel, {}});
  std::vector<std::optional<Split>> splits(kernels.size());
  std::size_t flag = 0;
  for (const Port& port : ports) {
    std::int64_t words = 0;
    std::size_t chosen = 0;
    for (const Port::Part& part : port.parts) {
      if (!on_chip[flag++]) continue;
      words = checked_add(words, part.words);
      ++chosen;
    }
    if (chosen == 0) continue;
    PlacedKernel& kernel = result[port.kernel];
    Operand& operand = kernel.kernel.problem.operands[port.operand];
    if (chosen == port.parts.size()) {
      operand.on_chip = true;
      kernel.on_chip.push_back(port.operand);
      continue;
    }
    const int dim = only_dim(operand);
    if (dim < 0 || splits[port.kernel]) return std::nullopt;
    if (words >= kernel.kernel.problem.dims[static_cast<std::size_t>(dim)].bound) return std::nullopt;
    splits[port.kernel] = Split{words, port.operand};
  }
  for (std::size_t k = kernels.size(); k-- > 0;) {
    if (!splits[k]) continue;
    PlacedKernel inside = result[k];
    Operand& operand = inside.kernel.problem.operands[splits[k]->operand];
    const auto dim = static_cast<std::size_t>(only_dim(operand));
    operand.on_chip = true;
    inside.on_chip.push_back(splits[k]->operand);
    inside.kernel.problem.dims[dim].bound = splits[k]->words;
    result[k].kernel.problem.dims[dim].bound -= splits[k]->words;
    result.insert(result.begin() + static_cast<std::ptrdiff_t>(k) + 1, std::move(inside));
  }
  return result;
}

RowTiling row_tiling(const Layer& layer, const std::vector<Kernel>& kernels) {
  const auto of_dim = [&](Rows kind) -> RowTiling {
    const Problem& problem = kernels.front().problem;
    const int dim = problem.dim(row_dim(kind, problem));
    if (dim < 0) return {};
    return {kind, problem.dims[static_cast<std::size_t>(dim)].bound, 1, 1};
  };
  const auto window = [&](const std::vector<Window>& axes) {
    RowTiling tiling = of_dim(Rows::window);
    if (tiling.kind == Rows::none || axes.empty()) return RowTiling{};
    tiling.extent = (axes.front().kernel - 1) * axes.front().dilation + 1;
    tiling.stride = axes.front().stride;
    return tiling;
  };
  if (kernels.empty()) return {};
  if (const auto* conv = std::get_if<Conv>(&layer.work)) return window(conv->axes);
  if (const auto* pool = std::get_if<Pool>(&layer.work)) return window(pool->axes);
  const Problem& problem = kernels.front().problem;
  if (std::holds_alternative<MatMul>(layer.work)) {
    const bool rows_of_input = problem.operands.front().role == Role::input &&
                               problem.operands[1].role == Role::weight && problem.dim("B") < 0 &&
                               problem.dim("B2") < 0;
    return rows_of_input ? of_dim(Rows::matrix) : RowTiling{};
  }
  if (std::holds_alternative<RowWise>(layer.work) && layer.op != "BatchNormalization") return of_dim(Rows::matrix);
  if (std::holds_alternative<Elementwise>(layer.work) && problem.dims.size() == 1) return of_dim(Rows::any);
  return {};
}

std::optional<std::vector<Kernel>> one_tile(const std::vector<Kernel>& kernels, const RowTiling& tiling,
                                            std::int64_t tiles) {
  std::vector<Kernel> result = kernels;
  for (std::size_t k = 0; k < result.size(); ++k) {
    Problem& problem = result[k].problem;
    // Behind the first kernel stand epilogues: what repeats over the result (U) is cut, else the elements themselves (E).
    const std::string_view dim = k == 0 ? row_dim(tiling.kind, problem) : problem.dim("U") >= 0 ? "U" : "E";
    if (!divide(problem, dim, tiles)) return std::nullopt;
  }
  return result;
}

}  // namespace tilewright
