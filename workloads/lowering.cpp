#include "workloads/lowering.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

[[noreturn]] void fail(std::string_view message) { throw InputError({}, message); }

std::int64_t product(std::initializer_list<std::int64_t> factors) {
  std::int64_t result = 1;
  for (const std::int64_t factor : factors) result = checked_mul(result, factor);
  return result;
}

std::int64_t per_group(std::int64_t total, std::int64_t groups, std::string_view what) {
  if (groups < 1 || total % groups != 0)
    fail(fmt::format("{} {} cannot be split into {} equal groups", total, what, groups));
  return total / groups;
}

/// Builds dims and operands side by side.
class Builder {
 public:
  explicit Builder(Compute compute, double ops_per_point = 1.0) {
    problem_.compute = compute;
    problem_.ops_per_point = ops_per_point;
  }
  int dim(std::string name, std::int64_t bound) {
    problem_.dims.push_back({std::move(name), bound});
    return static_cast<int>(problem_.dims.size()) - 1;
  }
  /// No dim for a bound of 1; its axis is empty.
  Axis optional_dim(std::string name, std::int64_t bound) {
    if (bound == 1) return {};
    return {{dim(std::move(name), bound), 1}};
  }
  /// Axes without terms are left out: they span one word.
  Operand& operand(Operand operand, std::vector<Axis> axes) {
    std::erase_if(axes, [](const Axis& axis) { return axis.empty(); });
    operand.axes = std::move(axes);
    problem_.operands.push_back(std::move(operand));
    return problem_.operands.back();
  }
  Problem take() { return std::move(problem_); }

 private:
  Problem problem_;
};

Axis along(int dim) { return {{dim, 1}}; }

/// Reads formats, densities and kinds of a layer's tensors.
class Tensors {
 public:
  Tensors(const WorkloadGraph& graph, const Layer& layer) : graph_(graph), layer_(layer) {}

  std::size_t inputs() const { return layer_.inputs.size(); }
  const Tensor* input(std::size_t i) const { return find(layer_.inputs, i); }
  bool is_weight(std::size_t i) const {
    const Tensor* tensor = input(i);
    for (std::size_t hops = 0; tensor != nullptr && hops <= graph_.tensors.size(); ++hops) {
      if (tensor->kind == TensorKind::weight) return true;
      if (tensor->alias_of < 0) return false;
      tensor = &graph_.tensors[static_cast<std::size_t>(tensor->alias_of)];
    }
    return false;
  }
  /// Operand for input i; without such a tensor it has the format of the result.
  Operand in(std::size_t i, std::string name, Role role = Role::input) const {
    return like(input(i) != nullptr ? input(i) : find(layer_.outputs, 0), std::move(name), role);
  }
  Operand weights(std::size_t i) const { return in(i, "weights", Role::weight); }
  Operand out(std::string name = "outputs") const {
    return like(find(layer_.outputs, 0) != nullptr ? find(layer_.outputs, 0) : input(0), std::move(name), Role::output);
  }

 private:
  const Tensor* find(const std::vector<TensorId>& ids, std::size_t i) const {
    if (i >= ids.size() || ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= graph_.tensors.size()) return nullptr;
    return &graph_.tensors[static_cast<std::size_t>(ids[i])];
  }
  static Operand like(const Tensor* tensor, std::string name, Role role) {
    Operand operand{std::move(name), role, DataType::fp32, {}, 1.0, false};
    if (tensor != nullptr) {
      operand.type = tensor->type;
      operand.density = tensor->density;
      operand.block = tensor->block;
    }
    return operand;
  }

  const WorkloadGraph& graph_;
  const Layer& layer_;
};

/// The result of a kernel whose consumers are on chip: one word, no traffic.
Operand consumed_on_chip(const Tensors& tensors) {
  Operand operand = tensors.out();
  operand.on_chip = true;
  return operand;
}

/// Positions (Z P Q) and kernel offsets (T R S) of one to three axes.
struct WindowDims {
  std::vector<Axis> positions, kernels, sums;  // sums: position x stride + offset x dilation
};

WindowDims add_window_dims(Builder& b, const std::vector<Window>& axes, std::int64_t Window::*extent) {
  static constexpr std::array position_names{"Z", "P", "Q"};
  static constexpr std::array kernel_names{"T", "R", "S"};
  if (axes.size() > 3) fail(fmt::format("windows have one to three axes, this one has {}", axes.size()));
  const std::size_t first = 3 - axes.size();
  WindowDims result;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    result.positions.push_back(along(b.dim(position_names[first + i], axes[i].*extent)));
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    result.kernels.push_back(along(b.dim(kernel_names[first + i], axes[i].kernel)));
    result.sums.push_back({{result.positions[i][0].dim, axes[i].stride}, {result.kernels[i][0].dim, axes[i].dilation}});
  }
  return result;
}

std::vector<Axis> joined(std::vector<Axis> head, const std::vector<Axis>& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

std::vector<Kernel> lower_work(const Conv& c, const Tensors& tensors) {
  Builder b(Compute::mac);
  const Axis n = along(b.dim("N", c.batch));
  const Axis g = b.optional_dim("G", c.groups);
  const Axis k = along(b.dim("K", per_group(c.out_channels, c.groups, "output channels")));
  const Axis ch = along(b.dim("C", per_group(c.in_channels, c.groups, "input channels")));
  const WindowDims w = add_window_dims(b, c.axes, &Window::out);
  b.operand(tensors.in(0, "inputs"), joined({g, n, ch}, w.sums));
  b.operand(tensors.weights(1), joined({g, k, ch}, w.kernels));
  b.operand(tensors.out(), joined({g, n, k}, w.positions));
  return {{b.take()}};
}

/// Iterates over the input positions; every one of them scatters a whole kernel into the result.
std::vector<Kernel> lower_work(const ConvTranspose& c, const Tensors& tensors) {
  Builder b(Compute::mac);
  const Axis n = along(b.dim("N", c.batch));
  const Axis g = b.optional_dim("G", c.groups);
  const Axis k = along(b.dim("K", per_group(c.out_channels, c.groups, "output channels")));
  const Axis ch = along(b.dim("C", per_group(c.in_channels, c.groups, "input channels")));
  const WindowDims w = add_window_dims(b, c.axes, &Window::in);
  b.operand(tensors.in(0, "inputs"), joined({g, n, ch}, w.positions));
  b.operand(tensors.weights(1), joined({g, ch, k}, w.kernels));
  b.operand(tensors.out(), joined({g, n, k}, w.sums));
  return {{b.take()}};
}

/// Names of the two factors: a weight is "weights", its partner "inputs"; two activations are "inputs_a", "inputs_b".
std::pair<Operand, Operand> factors(const Tensors& tensors) {
  if (tensors.is_weight(1)) return {tensors.in(0, "inputs"), tensors.weights(1)};
  if (tensors.is_weight(0)) return {tensors.weights(0), tensors.in(1, "inputs")};
  return {tensors.in(0, "inputs_a"), tensors.in(1, "inputs_b")};
}

/// Bounds of a contraction, by where an index occurs: a, b, result.
struct Contraction {
  std::int64_t b = 1;       // a, b and result
  std::int64_t m = 1;       // a and result
  std::int64_t n = 1;       // b and result
  std::int64_t k = 1;       // a and b
  std::int64_t only_a = 1;  // summed in a alone
  std::int64_t only_b = 1;  // summed in b alone
  std::int64_t copies = 1;  // result alone
};

Kernel contraction(const Contraction& c, Operand a, Operand b_operand, Operand result) {
  Builder b(Compute::mac);
  const Axis batch = b.optional_dim("B", c.b);
  const Axis copies = b.optional_dim("B2", c.copies);
  const Axis m = along(b.dim("M", c.m));
  const Axis n = along(b.dim("N", c.n));
  const Axis k = along(b.dim("K", c.k));
  const Axis only_a = b.optional_dim("KA", c.only_a);
  const Axis only_b = b.optional_dim("KB", c.only_b);
  b.operand(std::move(a), {batch, m, k, only_a});
  b.operand(std::move(b_operand), {batch, k, n, only_b});
  b.operand(std::move(result), {batch, copies, m, n});
  return {b.take()};
}

std::vector<Kernel> lower_work(const MatMul& p, const Tensors& tensors) {
  Contraction c{1, p.m, p.n, p.k, 1, 1, 1};
  for (const BatchAxis& axis : p.batch) {
    std::int64_t& bound = axis.in_a ? (axis.in_b ? c.b : c.m) : (axis.in_b ? c.n : c.copies);
    bound = checked_mul(bound, axis.bound);
  }
  auto [a, b] = factors(tensors);
  return {contraction(c, std::move(a), std::move(b), tensors.out())};
}

std::vector<Kernel> lower_work(const Einsum& e, const Tensors& tensors) {
  const auto has = [](const std::vector<std::string>& letters, const std::string& letter) {
    return std::find(letters.begin(), letters.end(), letter) != letters.end();
  };
  for (const auto* letters : {&e.a, &e.b, &e.result}) {
    for (const std::string& letter : *letters) {
      if (std::none_of(e.bounds.begin(), e.bounds.end(), [&](const auto& bound) { return bound.first == letter; })) {
        fail(fmt::format("index '{}' has no bound", shown(letter)));
      }
    }
  }
  Contraction c;
  for (const auto& [letter, bound] : e.bounds) {
    const bool in_a = has(e.a, letter), in_b = has(e.b, letter), kept = has(e.result, letter);
    if (!in_a && !in_b && !kept) fail(fmt::format("no operand has the index '{}'", shown(letter)));
    std::int64_t& merged = in_a && in_b ? (kept ? c.b : c.k)
                           : in_a       ? (kept ? c.m : c.only_a)
                           : in_b       ? (kept ? c.n : c.only_b)
                                        : c.copies;
    merged = checked_mul(merged, bound);
  }
  auto [a, b] = factors(tensors);
  return {contraction(c, std::move(a), std::move(b), tensors.out())};
}

/// Arithmetic of one hidden unit in one step, by the equations of the ONNX operators LSTM, GRU and RNN:
/// per gate the sum of both products, a bias and an activation; then the update (LSTM: 3 products, a sum, a tanh;
/// GRU: reset product, 1 - z, 2 products, a sum; RNN: none).
struct CellCost {
  std::int64_t gates;
  double ops;
};
CellCost cell_cost(Cell cell) {
  switch (cell) {
    case Cell::lstm: return {4, 4 * 3 + 5};
    case Cell::gru: return {3, 3 * 3 + 5};
    case Cell::rnn: break;
  }
  return {1, 3};
}

std::vector<Kernel> lower_work(const Recurrent& r, const Tensors& tensors) {
  const CellCost cost = cell_cost(r.cell);
  const std::int64_t rows = product({cost.gates, r.hidden});
  Kernel input = contraction({1, product({r.steps, r.batch}), product({r.directions, rows}), r.input, 1, 1, 1},
                             tensors.in(0, "inputs"), tensors.weights(1), tensors.out());
  Kernel state = contraction({r.directions, r.batch, rows, r.hidden, 1, 1, 1}, tensors.in(0, "inputs"),
                             tensors.weights(2), tensors.out());
  state.problem.operands[0].block = 0;
  state.problem.operands[0].density = 1.0;  // the state, not the layer's input
  state.problem.operands.back().on_chip = true;
  state.repeat = r.steps;

  Builder b(Compute::vector, cost.ops / static_cast<double>(cost.gates));
  const Axis units = along(b.dim("E", product({r.directions, r.batch, r.hidden})));
  const Axis gates = along(b.dim("G", cost.gates));
  Operand partial = tensors.out("inputs");
  partial.role = Role::input;
  b.operand(std::move(partial), {units, gates});
  b.operand(tensors.out(), {units});
  return {std::move(input), std::move(state), {b.take(), r.steps, true}};
}

/// Group members share their keys and values, so they are further rows of M.
std::vector<Kernel> lower_work(const Attention& a, const Tensors& tensors) {
  const std::int64_t batch = product({a.batch, a.kv_heads});
  const std::int64_t rows = product({per_group(a.heads, a.kv_heads, "heads"), a.queries});
  Kernel scores = contraction({batch, rows, a.keys, a.head_dim, 1, 1, 1}, tensors.in(0, "inputs_a"),
                              tensors.in(1, "inputs_b"), consumed_on_chip(tensors));
  if (a.causal && a.queries == a.keys) scores.causal_queries = a.queries;

  constexpr double softmax_ops = 6;  // scale, maximum, difference, exponential, sum, quotient
  Builder b(Compute::vector, softmax_ops);
  b.dim("R", product({batch, rows}));
  b.dim("C", a.keys);
  b.operand(consumed_on_chip(tensors), {});

  Operand weights_of_values = tensors.in(0, "inputs_a");
  weights_of_values.density = 1.0;
  weights_of_values.block = 0;
  weights_of_values.on_chip = true;
  Kernel context = contraction({batch, rows, a.head_dim, a.keys, 1, 1, 1}, std::move(weights_of_values),
                               tensors.in(2, "inputs_b"), tensors.out());
  return {std::move(scores), {b.take(), 1, true}, std::move(context)};
}

std::vector<Kernel> lower_work(const Pool& p, const Tensors& tensors) {
  Builder b(Compute::vector);
  const Axis n = along(b.dim("N", p.batch));
  const Axis c = along(b.dim("C", p.channels));
  const WindowDims w = add_window_dims(b, p.axes, &Window::out);
  b.operand(tensors.in(0, "inputs"), joined({n, c}, w.sums));
  b.operand(tensors.out(), joined({n, c}, w.positions));
  return {{b.take()}};
}

std::vector<Kernel> lower_work(const RowWise& r, const Tensors& tensors) {
  if (r.passes < 1) fail(fmt::format("a row must be read at least once, not {} times", r.passes));
  Builder b(Compute::vector, r.ops_per_element / r.passes);
  const Axis rows = along(b.dim("R", r.rows));
  b.optional_dim("T", r.passes);
  const Axis columns = along(b.dim("C", r.columns));
  b.operand(tensors.in(0, "inputs"), {rows, columns});
  for (std::size_t i = 1, named = 0; i < tensors.inputs(); ++i) {
    const std::int64_t elements = tensors.input(i) != nullptr ? tensors.input(i)->elements() : 0;
    if (elements == product({r.rows, r.columns}) && !tensors.is_weight(i)) {
      b.operand(tensors.in(i, fmt::format("inputs_{}", i + 1)), {rows, columns});
    } else if (elements == r.columns || elements == r.rows) {
      ++named;
      b.operand(tensors.in(i, named == 1 ? "weights" : fmt::format("weights_{}", named), Role::weight),
                {elements == r.columns ? columns : rows});
    }
  }
  b.operand(tensors.out(), {rows, columns});
  return {{b.take()}};
}

std::vector<Kernel> lower_work(const Elementwise& e, const Tensors& tensors) {
  const std::size_t operands = e.operand_axes.size();
  for (const std::vector<bool>& axes : e.operand_axes) {
    if (axes.size() != e.shape.size())
      fail(fmt::format("an operand has {} axes, the result {}", axes.size(), e.shape.size()));
  }
  struct Merged {
    std::int64_t bound;
    std::vector<bool> in;
  };
  std::vector<Merged> merged;  // neighbours that the same operands have
  for (std::size_t axis = 0; axis < e.shape.size(); ++axis) {
    if (e.shape[axis] == 1) continue;
    std::vector<bool> in(operands);
    for (std::size_t o = 0; o < operands; ++o) in[o] = e.operand_axes[o][axis];
    if (!merged.empty() && merged.back().in == in) {
      merged.back().bound = checked_mul(merged.back().bound, e.shape[axis]);
    } else {
      merged.push_back({e.shape[axis], std::move(in)});
    }
  }
  if (merged.empty()) merged.push_back({1, std::vector<bool>(operands, true)});

  Builder b(Compute::vector, e.ops_per_element);
  std::vector<Axis> all;
  for (std::size_t i = 0; i < merged.size(); ++i) all.push_back(along(b.dim(fmt::format("E{}", i), merged[i].bound)));
  for (std::size_t o = 0; o < operands; ++o) {
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < merged.size(); ++i) {
      if (merged[i].in[o]) axes.push_back(all[i]);
    }
    b.operand(tensors.in(o, o == 0 ? "inputs" : fmt::format("inputs_{}", o + 1),
                         tensors.is_weight(o) ? Role::weight : Role::input),
              std::move(axes));
  }
  b.operand(tensors.out(), std::move(all));
  return {{b.take()}};
}

std::vector<Kernel> lower_work(const Reduce& r, const Tensors& tensors) {
  Builder b(Compute::vector, r.ops_per_element);
  const Axis kept = along(b.dim("E", r.kept));
  const Axis reduced = along(b.dim("R", r.reduced));
  b.operand(tensors.in(0, "inputs"), {kept, reduced});
  b.operand(tensors.out(), {kept});
  return {{b.take()}};
}

/// Reads `elements` words of an input into the chip; no arithmetic.
Kernel read_only(std::int64_t elements, const Tensors& tensors) {
  Builder b(Compute::vector, 0);
  const Axis e = along(b.dim("E", elements));
  b.operand(tensors.in(0, "inputs"), {e});
  b.operand(consumed_on_chip(tensors), {});
  return {b.take()};
}

std::vector<Kernel> lower_work(const Resize& r, const Tensors& tensors) {
  if (r.in_elements < 1 || r.out_elements < 1) fail("a resize needs at least one element on both sides");
  Builder b(Compute::vector, 2);  // weigh and add
  if (r.out_elements % r.in_elements == 0) {
    const Axis e = along(b.dim("E", r.in_elements));
    const Axis copies = b.optional_dim("U", r.out_elements / r.in_elements);
    b.optional_dim("T", r.taps);
    b.operand(tensors.in(0, "inputs"), {e});
    b.operand(tensors.out(), {e, copies});
    return {{b.take()}};
  }
  const Axis e = along(b.dim("E", r.out_elements));
  b.optional_dim("T", r.taps);
  b.operand(tensors.out(), {e});
  return {read_only(r.in_elements, tensors), {b.take()}};
}

std::vector<Kernel> lower_work(const Gather& g, const Tensors& tensors) {
  Builder b(Compute::vector, 0);
  const Axis lookups = along(b.dim("L", g.lookups));
  const Axis slice = along(b.dim("E", g.slice));
  b.operand(tensors.weights(0), {lookups, slice}).role = tensors.is_weight(0) ? Role::weight : Role::input;
  b.operand(tensors.in(1, "inputs"), {lookups});
  b.operand(tensors.out(), {lookups, slice});
  return {{b.take()}};
}

std::vector<Kernel> lower_work(const Movement& m, const Tensors& tensors) {
  Builder b(Compute::vector, 0);
  const Axis e = along(b.dim("E", m.elements));
  b.operand(tensors.in(0, "inputs"), {e});
  b.operand(tensors.out(), {e});
  return {{b.take()}};
}

std::vector<Kernel> lower_work(const Collective& c, const Tensors& tensors) {
  return lower_work(Movement{c.elements}, tensors);
}

std::vector<Kernel> lower_work(const Unmodelled& u, const Tensors& tensors) {
  if (u.elements_in == u.elements_out) return lower_work(Movement{u.elements_in}, tensors);
  std::vector<Kernel> kernels;
  if (u.elements_in > 0) kernels.push_back(read_only(u.elements_in, tensors));
  Builder b(Compute::vector, 0);
  const Axis e = along(b.dim("E", u.elements_out));
  b.operand(tensors.out(), {e});
  kernels.push_back({b.take()});
  return kernels;
}

/// Elements of the layer's result: of its first output tensor, or else of the last kernel's output.
std::int64_t result_elements(const WorkloadGraph& graph, const Layer& layer, const Kernel& last) {
  if (!layer.outputs.empty() && layer.outputs[0] >= 0)
    return graph.tensors[static_cast<std::size_t>(layer.outputs[0])].elements();
  return tensor_words(last.problem, last.problem.operands.back());
}

Kernel lower_epilogue(const Epilogue& epilogue, std::int64_t elements, const Tensors& tensors) {
  // The extra elements repeat over the result; if they do not divide it, they are read whole and worked on as they are.
  const std::int64_t extra = std::max<std::int64_t>(epilogue.extra_elements, 1);
  const bool even = elements >= extra && elements % extra == 0;
  const std::int64_t copies = even ? elements / extra : 1;
  const double ops =
      epilogue.ops_per_element * (even ? 1.0 : static_cast<double>(elements) / static_cast<double>(extra));
  Builder b(Compute::vector, ops);
  if (epilogue.extra_elements == 0) {
    b.dim("E", elements);
  } else {
    const Axis e = along(b.dim("E", extra));
    b.optional_dim("U", copies);
    Operand operand = tensors.out("inputs");
    operand.role = Role::input;
    operand.density = 1.0;
    operand.block = 0;
    b.operand(std::move(operand), {e});
  }
  b.operand(consumed_on_chip(tensors), {});
  return {b.take(), 1, true};
}

}  // namespace

std::vector<Kernel> lower(const WorkloadGraph& graph, const Layer& layer) {
  try {
    const Tensors tensors(graph, layer);
    std::vector<Kernel> kernels = std::visit([&](const auto& work) { return lower_work(work, tensors); }, layer.work);
    const std::int64_t elements = layer.epilogues.empty() ? 0 : result_elements(graph, layer, kernels.back());
    for (const Epilogue& epilogue : layer.epilogues) kernels.push_back(lower_epilogue(epilogue, elements, tensors));
    for (const Kernel& kernel : kernels) validate(kernel.problem);
    return kernels;
  } catch (const OverflowError&) {
    throw InputError(Place{graph.source, 0, 0, shown(layer.name)},
                     fmt::format("the sizes of this layer ({}) leave 64 bits; make them smaller", shown(layer.op)));
  } catch (const InputError& error) { throw InputError(Place{graph.source, 0, 0, shown(layer.name)}, error.what()); }
}

}  // namespace tilewright
