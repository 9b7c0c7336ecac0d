// Rebatching: the axis that carries the batch is followed from the graph's inputs through every layer.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {
namespace {

constexpr int unbatched = -1;

/// Where a tensor carries the batch: an axis, and how many of the axis's elements lie inside one step of the batch
/// (1, or the heads of [batch x heads]).
struct Carrier {
  int axis = unbatched;
  std::int64_t inner = 1;
};

std::int64_t behind(const std::vector<std::int64_t>& shape, std::size_t axis) {
  std::int64_t elements = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) elements = checked_mul(elements, shape[i]);
  return elements;
}

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Rebatch {
 public:
  Rebatch(const WorkloadGraph& graph, std::int64_t batch)
      : old_(graph), new_(graph), batch_(batch), carrier_(graph.tensors.size()) {}

  WorkloadGraph run() {
    while (!propagate()) {}  // each failure excludes one input more
    for (std::size_t i = 0; i < carrier_.size(); ++i) {
      if (carrier_[i].axis == unbatched) continue;
      std::int64_t& extent = new_.tensors[i].shape[at(carrier_[i].axis)];
      extent = scaled(extent, new_.tensors[i].name);
    }
    new_.batch = batch_;
    return std::move(new_);
  }

 private:
  /// False when an input turned out not to carry the batch; it is then in `excluded_`.
  bool propagate() {
    new_ = old_;
    std::fill(carrier_.begin(), carrier_.end(), Carrier{});
    for (const TensorId input : old_.inputs) {
      if (!excluded_.contains(input)) seed(input);
    }
    collect_views();
    for (std::size_t i = 0; i < old_.layers.size(); ++i) {
      if (exclude_misplaced(old_.layers[i])) return false;
      change(old_.layers[i], new_.layers[i]);
    }
    return true;
  }

  /// An input of extent 1 (a table of positions) looks like a batch of 1; beside an operand whose batch lies further
  /// out it is not one.
  bool exclude_misplaced(const Layer& layer) {
    const auto* work = std::get_if<Elementwise>(&layer.work);
    if (work == nullptr) return false;
    const auto place = [&](TensorId id) {
      return carrier_[at(id)].axis + static_cast<int>(work->shape.size()) - static_cast<int>(tensor(id).shape.size());
    };
    int outermost = static_cast<int>(work->shape.size());
    for (const TensorId id : layer.inputs) {
      if (batched(id)) outermost = std::min(outermost, place(id));
    }
    for (const TensorId id : layer.inputs) {
      if (!batched(id) || place(id) == outermost || tensor(id).kind != TensorKind::input) continue;
      return excluded_.insert(id).second;
    }
    return false;
  }

  const Tensor& tensor(TensorId id) const { return old_.tensors[at(id)]; }
  bool batched(TensorId id) const { return carrier_[at(id)].axis != unbatched; }
  /// Extent of the axis that carries the batch: the batch itself, or a multiple where axes were merged.
  std::int64_t extent(TensorId id) const { return tensor(id).shape[at(carrier_[at(id)].axis)]; }

  [[noreturn]] void fail(const std::string& name) const {
    throw InputError(
        {old_.source, 0, 0, shown(name)},
        fmt::format("cannot find the batch ({}) of this layer; export the model with batch {}, or give the "
                    "batch to the generator",
                    old_.batch, batch_));
  }

  std::int64_t scaled(std::int64_t value, const std::string& name) const {
    const std::int64_t product = checked_mul(value, batch_);
    if (product % old_.batch != 0) fail(name);
    return product / old_.batch;
  }

  /// Adam moments and other inputs without the batch stay as they are.
  void seed(TensorId id) {
    const std::vector<std::int64_t>& shape = tensor(id).shape;
    for (std::size_t axis = 0; axis < std::min<std::size_t>(shape.size(), 2); ++axis) {
      if (shape[axis] == old_.batch) {
        carrier_[at(id)] = {static_cast<int>(axis), 1};
        return;
      }
    }
  }

  /// Axis of `shape` with the batch of `from`: same place, else the only axis of that extent, else merged behind it.
  int follow(TensorId from, const std::vector<std::int64_t>& shape, const std::string& name) const {
    const std::int64_t size = extent(from);
    const int same = carrier_[at(from)].axis;
    const int rank = static_cast<int>(shape.size());
    if (same < rank && shape[at(same)] == size) return same;
    const auto first = std::find(shape.begin(), shape.end(), size);
    if (first != shape.end()) return static_cast<int>(first - shape.begin());
    if (same < rank && shape[at(same)] % size == 0) return same;
    // Split: [batch x tokens, width] -> [batch, tokens, width].
    if (same < rank && size % shape[at(same)] == 0 && shape[at(same)] % old_.batch == 0) return same;
    fail(name);
  }

  /// A view leaves the memory as it is, so the batch keeps its stride there under any shape. A batch of 1 fits several
  /// axes: the same one, else the first that is nothing but the batch, else the first that it may be merged into.
  Carrier renamed(TensorId of, const std::vector<std::int64_t>& shape, const std::string& name) const {
    const Carrier old = carrier_[at(of)];
    const std::int64_t stride = checked_mul(old.inner, behind(tensor(of).shape, at(old.axis)));
    Carrier found;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t step = behind(shape, axis);
      if (stride % step != 0 || shape[axis] % checked_mul(stride / step, old_.batch) != 0) continue;
      const Carrier fits{static_cast<int>(axis), stride / step};
      const bool alone = fits.inner == 1 && shape[axis] == old_.batch;
      if (alone && fits.axis == old.axis) return fits;
      const bool merged = found.axis == unbatched || found.inner != 1 || shape[at(found.axis)] != old_.batch;
      if (found.axis == unbatched || (alone && merged)) found = fits;
    }
    if (found.axis == unbatched) fail(name);
    return found;
  }

  /// Views by the tensor that they rename; views of inputs get their axis now, others with their producer.
  void collect_views() {
    views_.assign(carrier_.size(), {});
    for (std::size_t i = 0; i < carrier_.size(); ++i) {
      if (const TensorId of = old_.tensors[i].alias_of; of >= 0) views_[at(of)].push_back(static_cast<TensorId>(i));
    }
    for (const TensorId input : old_.inputs) mark_views(input);
  }

  void mark_views(TensorId of) {
    if (!batched(of)) return;
    for (const TensorId view : views_[at(of)]) {
      carrier_[at(view)] = renamed(of, tensor(view).shape, tensor(view).name);
      mark_views(view);
    }
  }

  void change(const Layer& layer, Layer& next) {
    const auto carrier = std::find_if(layer.inputs.begin(), layer.inputs.end(), [&](TensorId t) { return batched(t); });
    if (carrier == layer.inputs.end()) return;
    std::visit([&](auto& work) { resize(work, layer); }, next.work);
    for (const TensorId out : layer.outputs) {
      carrier_[at(out)] = result(layer, *carrier, tensor(out).shape);
      mark_views(out);
    }
    for (std::size_t i = 0; i < layer.epilogues.size(); ++i) {
      next.epilogues[i].extra_elements = extra(layer, layer.epilogues[i]);
    }
  }

  Carrier result(const Layer& layer, TensorId from, const std::vector<std::int64_t>& shape) const {
    if (shape.empty()) fail(layer.name);
    const Carrier old = carrier_[at(from)];
    const int rank = static_cast<int>(shape.size());
    if (std::holds_alternative<Recurrent>(layer.work)) return {rank - 2, 1};
    if (const auto* einsum = std::get_if<Einsum>(&layer.work)) {
      const std::vector<std::string>& letters = from == layer.inputs[0] ? einsum->a : einsum->b;
      if (at(old.axis) >= letters.size()) fail(layer.name);
      const auto place = std::find(einsum->result.begin(), einsum->result.end(), letters[at(old.axis)]);
      if (place == einsum->result.end() || einsum->result.size() != shape.size()) fail(layer.name);
      return {static_cast<int>(place - einsum->result.begin()), old.inner};
    }
    if (layer.axes.size() == shape.size() && from == layer.inputs[0]) {
      const auto place = std::find(layer.axes.begin(), layer.axes.end(), old.axis);
      if (place == layer.axes.end()) fail(layer.name);
      return {static_cast<int>(place - layer.axes.begin()), old.inner};
    }
    const bool aligned = std::holds_alternative<Elementwise>(layer.work) || std::holds_alternative<MatMul>(layer.work);
    if (aligned) {
      const int axis = old.axis + rank - static_cast<int>(tensor(from).shape.size());
      if (axis >= 0 && axis < rank && shape[at(axis)] == extent(from)) return {axis, old.inner};
    }
    const int axis = follow(from, shape, layer.name);
    return {axis, shape[at(axis)] == extent(from) ? old.inner : 1};
  }

  /// Further operands of a fused operator grow when they carry the batch. Sums of both kinds cannot be told apart.
  std::int64_t extra(const Layer& layer, const Epilogue& epilogue) const {
    if (epilogue.extra_elements == 0) return 0;
    for (const TensorId id : layer.inputs) {
      if (tensor(id).elements() == epilogue.extra_elements) {
        return batched(id) ? scaled(epilogue.extra_elements, layer.name) : epilogue.extra_elements;
      }
    }
    throw InputError({old_.source, 0, 0, shown(layer.name)}, "set the batch before fusing layers");
  }

  bool operand_batched(const Layer& layer, std::size_t i) const {
    return i < layer.inputs.size() && batched(layer.inputs[i]);
  }

  void resize(Conv& work, const Layer& layer) const { work.batch = scaled(work.batch, layer.name); }
  void resize(ConvTranspose& work, const Layer& layer) const { work.batch = scaled(work.batch, layer.name); }
  void resize(Pool& work, const Layer& layer) const { work.batch = scaled(work.batch, layer.name); }
  void resize(Recurrent& work, const Layer& layer) const { work.batch = scaled(work.batch, layer.name); }
  void resize(Attention& work, const Layer& layer) const {
    work.batch = scaled(work.batch, layer.name);
    if (!operand_batched(layer, 1)) fail(layer.name);
  }
  void resize(RowWise& work, const Layer& layer) const { work.rows = scaled(work.rows, layer.name); }
  void resize(Reduce& work, const Layer& layer) const { work.kept = scaled(work.kept, layer.name); }
  void resize(Movement& work, const Layer& layer) const { work.elements = scaled(work.elements, layer.name); }
  void resize(Collective& work, const Layer& layer) const { work.elements = scaled(work.elements, layer.name); }
  void resize(Resize& work, const Layer& layer) const {
    work.in_elements = scaled(work.in_elements, layer.name);
    work.out_elements = scaled(work.out_elements, layer.name);
  }
  void resize(Unmodelled& work, const Layer& layer) const {
    work.elements_in = scaled(work.elements_in, layer.name);
    work.elements_out = scaled(work.elements_out, layer.name);
  }
  void resize(Gather& work, const Layer& layer) const {
    work.lookups = scaled(work.lookups, layer.name);
    if (operand_batched(layer, 0)) work.table = scaled(work.table, layer.name);
  }

  void resize(MatMul& work, const Layer& layer) const {
    const bool a = operand_batched(layer, 0), b = operand_batched(layer, 1);
    for (BatchAxis& axis : work.batch) {
      if (!(a ? axis.in_a : axis.in_b) || axis.bound % old_.batch != 0) continue;
      const bool own = axis.bound == old_.batch;  // nothing but the batch: each operand has it or not
      if (!own && a && b && !(axis.in_a && axis.in_b)) continue;
      axis.bound = scaled(axis.bound, layer.name);
      if (own) {
        axis.in_a = a;
        axis.in_b = b;
      }
      return;
    }
    if (!a || b) fail(layer.name);
    work.m = scaled(work.m, layer.name);
  }

  void resize(Einsum& work, const Layer& layer) const {
    const std::vector<std::string>& letters = operand_batched(layer, 0) ? work.a : work.b;
    const TensorId carrier = layer.inputs[operand_batched(layer, 0) ? 0 : 1];
    const std::size_t place = at(carrier_[at(carrier)].axis);
    if (place >= letters.size()) fail(layer.name);
    const std::string& letter = letters[place];
    const auto has = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), letter) != list.end();
    };
    if (!has(work.result) || has(work.a) != operand_batched(layer, 0) || has(work.b) != operand_batched(layer, 1)) {
      fail(layer.name);
    }
    for (auto& [name, bound] : work.bounds) {
      if (name == letter) bound = scaled(bound, layer.name);
    }
  }

  void resize(Elementwise& work, const Layer& layer) const {
    int axis = unbatched;
    for (const TensorId id : layer.inputs) {
      if (!batched(id)) continue;
      const int shift = static_cast<int>(work.shape.size()) - static_cast<int>(tensor(id).shape.size());
      const int found = carrier_[at(id)].axis + shift;
      if (found < 0 || (axis != unbatched && axis != found)) fail(layer.name);
      axis = found;
    }
    const bool own = work.shape[at(axis)] == old_.batch;
    work.shape[at(axis)] = scaled(work.shape[at(axis)], layer.name);
    if (!own) return;
    for (std::size_t i = 0; i < std::min(work.operand_axes.size(), layer.inputs.size()); ++i) {
      work.operand_axes[i][at(axis)] = batched(layer.inputs[i]);
    }
  }

  const WorkloadGraph& old_;
  WorkloadGraph new_;
  std::int64_t batch_;
  std::vector<Carrier> carrier_;  // per tensor
  std::vector<std::vector<TensorId>> views_;
  std::set<TensorId> excluded_;  // inputs that only look like carrying the batch
};

}  // namespace

WorkloadGraph set_batch(const WorkloadGraph& graph, std::int64_t batch) {
  if (batch < 1) throw InputError({graph.source, 0, 0, "batch"}, fmt::format("batch {} is not positive", batch));
  if (batch == graph.batch) return graph;
  try {
    WorkloadGraph result = Rebatch(graph, batch).run();
    (void)total_macs(result);
    (void)peak_activation_bytes(result);
    return result;
  } catch (const OverflowError& error) {
    throw InputError({graph.source, 0, 0, "batch"}, fmt::format("batch {} is too large: {}", batch, error.what()));
  }
}

}  // namespace tilewright
