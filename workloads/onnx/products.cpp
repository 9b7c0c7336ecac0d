// Convolutions, matrix products, contractions and recurrent layers: the operators whose MACs are counted.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/onnx/rules.hpp"
#include "workloads/onnx/windows.hpp"

namespace tilewright::importer {
namespace {

// ---- convolution -------------------------------------------------------------------------------------------------------

std::int64_t groups_of(const Node& node) {
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1) node.fail(fmt::format("group = {}; at least 1 is needed", groups));
  return groups;
}

void require_kernel_shape(const Node& node, const std::vector<std::int64_t>& kernel) {
  const auto given = node.integers("kernel_shape");
  if (given && !given->empty() && *given != kernel) {
    node.fail(fmt::format("kernel_shape {} differs from the weights' {}", text(*given), text(kernel)));
  }
}

void require_image(const Node& node, const Shape& x, const Shape& w) {
  if (x.size() < 3 || x.size() > 5 || w.size() != x.size()) {
    node.fail(fmt::format("input {} and weights {} need the same rank, 3 to 5", text(x), text(w)));
  }
}

/// Weights are [out_channels, in_channels / group, kernel ...].
Conv conv(const Node& node, const Shape& x, const Shape& w) {
  require_image(node, x, w);
  const std::int64_t groups = groups_of(node);
  if (checked_mul(w[1], groups) != x[1]) {
    node.fail(fmt::format("input {} has {} channels, weights {} with group {} need {}", text(x), x[1], text(w), groups,
                          w[1] * groups));
  }
  if (w[0] % groups != 0) node.fail(fmt::format("{} output channels do not divide into {} groups", w[0], groups));
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  require_kernel_shape(node, kernel);
  return {x[0], groups, x[1], w[0], windows(node, x, kernel)};
}

Shape conv_result(const Conv& conv) {
  Shape out{conv.batch, conv.out_channels};
  for (const Window& w : conv.axes) out.push_back(w.out);
  return out;
}

ConvTranspose conv_transpose(const Node& node) {
  const Shape& x = node.shape(0);
  const Shape& w = node.shape(1);
  require_image(node, x, w);
  const std::int64_t groups = groups_of(node);
  if (w[0] != x[1] || w[0] % groups != 0) {
    node.fail(
        fmt::format("input {} has {} channels, weights {} need {} in {} groups", text(x), x[1], text(w), w[0], groups));
  }
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  require_kernel_shape(node, kernel);
  const std::size_t axes = kernel.size();
  const auto strides = per_axis(node, "strides", axes, 1, 1);
  const auto dilations = per_axis(node, "dilations", axes, 1, 1);
  const auto pads = per_axis(node, "pads", 2 * axes, 0, 0);
  const auto extra = per_axis(node, "output_padding", axes, 0, 0);
  const auto sizes = node.integers("output_shape");
  if (sizes && sizes->size() != axes && sizes->size() != axes + 2) {
    node.fail(fmt::format("output_shape has {} values, expected {}", sizes->size(), axes));
  }
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  ConvTranspose result{x[0], groups, x[1], checked_mul(w[1], groups), {}};
  for (std::size_t i = 0; i < axes; ++i) {
    Window a{x[i + 2], 1, kernel[i], strides[i], dilations[i]};
    if (sizes) {
      a.out = (*sizes)[sizes->size() - axes + i];
    } else if (auto_pad.starts_with("SAME")) {
      a.out = checked_mul(a.in, a.stride);
    } else {
      const std::int64_t pad = auto_pad == "VALID" ? 0 : checked_add(pads[i], pads[i + axes]);
      const std::int64_t reach = checked_add(checked_mul(a.dilation, a.kernel - 1), 1);
      a.out = checked_add(checked_add(checked_add(checked_mul(a.stride, a.in - 1), extra[i]), reach), -pad);
    }
    if (a.out < 1) node.fail(fmt::format("spatial axis {} of the result has size {}", i, a.out));
    result.axes.push_back(a);
  }
  return result;
}

// ---- matrix product ----------------------------------------------------------------------------------------------------

/// Product of two operands by numpy.matmul's rules: 1-D operands are a row (left) or a column (right), dropped from the result.
struct Product {
  MatMul work;
  Shape result;
};

Product product_of(const Node& node, Shape a, Shape b) {
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (a.empty() || b.empty()) node.fail("a scalar operand; at least one axis is needed");
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const std::size_t ra = a.size();
  const std::size_t rb = b.size();
  if (a[ra - 1] != b[rb - 2]) {
    node.fail(fmt::format("shapes {} and {}: inner sizes {} and {} differ", text(a), text(b), a[ra - 1], b[rb - 2]));
  }
  const Shape batch_a(a.begin(), a.end() - 2);
  const Shape batch_b(b.begin(), b.end() - 2);
  Product p;
  p.result = broadcast(node, batch_a, batch_b);
  for (std::size_t i = 0; i < p.result.size(); ++i) {
    const std::int64_t bound = p.result[i];
    const auto carries = [&](const Shape& batch) {
      const std::size_t missing = p.result.size() - batch.size();
      return i >= missing && batch[i - missing] == bound;
    };
    p.work.batch.push_back({bound, carries(batch_a), carries(batch_b)});
  }
  p.work.m = a[ra - 2];
  p.work.k = a[ra - 1];
  p.work.n = b[rb - 1];
  if (!row) p.result.push_back(p.work.m);
  if (!column) p.result.push_back(p.work.n);
  return p;
}

Shape swapped(const Node& node, std::size_t i, std::string_view flag) {
  Shape s = node.shape(i);
  if (node.integer(flag, 0) == 0) return s;
  if (s.size() < 2) node.fail(fmt::format("{} with an operand of rank {}", flag, s.size()));
  std::swap(s[s.size() - 1], s[s.size() - 2]);
  return s;
}

/// MatMul, and the transA/transB of FusedMatMul.
Product matmul(const Node& node) { return product_of(node, swapped(node, 0, "transA"), swapped(node, 1, "transB")); }

// ---- einsum ------------------------------------------------------------------------------------------------------------

struct Contraction {
  std::vector<std::vector<std::string>> operands;
  std::vector<std::string> result;
  std::map<std::string, std::int64_t> bounds;
};

/// Letters of one term; an ellipsis becomes letters "0", "1" ... counted from the last axis that it covers.
std::vector<std::string> letters(const Node& node, std::string_view term, std::size_t ellipsis_rank) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ') continue;
    if (term.substr(i, 3) == "...") {
      for (std::size_t e = ellipsis_rank; e-- > 0;) result.push_back(fmt::format("{}", e));
      i += 2;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      result.emplace_back(1, c);
    } else {
      node.fail("its equation holds a character that is no letter, comma, space, arrow or ellipsis");
    }
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (std::find(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(i), result[i]) !=
        result.begin() + static_cast<std::ptrdiff_t>(i)) {
      node.fail(fmt::format("letter '{}' occurs twice in one term: diagonals are not modelled", result[i]));
    }
  }
  return result;
}

Contraction contraction(const Node& node) {
  const std::string equation = node.text("equation", "");
  const std::size_t arrow = equation.find("->");
  std::vector<std::string> terms(1);
  for (const char c : equation.substr(0, arrow)) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back().push_back(c);
  }
  if (equation.empty() || terms.size() != node.in.size()) {
    node.fail(fmt::format("its equation names {} operands, the node has {}", equation.empty() ? 0 : terms.size(),
                          node.in.size()));
  }
  if (terms.size() > 2) node.fail("an equation of more than two operands is not modelled; split it into pairs");
  Contraction c;
  std::map<std::string, int> uses;
  std::size_t widest = 0;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const Shape& shape = node.shape(t);
    std::size_t named = 0;
    for (const char l : terms[t]) named += l != ' ' && l != '.';
    const bool ellipsis = terms[t].find("...") != std::string::npos;
    if (ellipsis ? named > shape.size() : named != shape.size()) {
      node.fail(fmt::format("term '{}' names {} axes of a tensor of shape {}", shown(terms[t]), named, text(shape)));
    }
    const std::size_t covered = ellipsis ? shape.size() - named : 0;
    widest = std::max(widest, covered);
    c.operands.push_back(letters(node, terms[t], covered));
    if (c.operands.back().size() != shape.size())
      node.fail(fmt::format("term '{}' holds a broken ellipsis", shown(terms[t])));
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::string& letter = c.operands[t][i];
      ++uses[letter];
      std::int64_t& bound = c.bounds.try_emplace(letter, 1).first->second;
      if (bound != shape[i] && bound != 1 && shape[i] != 1) {
        node.fail(fmt::format("letter '{}' has sizes {} and {}", letter, bound, shape[i]));
      }
      bound = std::max(bound, shape[i]);
    }
  }
  if (arrow != std::string::npos) {
    c.result = letters(node, equation.substr(arrow + 2), widest);
  } else {  // implicit form: the ellipsis, then the letters used once, in alphabetical order
    for (std::size_t e = widest; e-- > 0;) c.result.push_back(fmt::format("{}", e));
    for (const auto& [letter, count] : uses) {
      if (count == 1 && letter[0] > '9') c.result.push_back(letter);
    }
  }
  for (const std::string& letter : c.result) {
    if (!c.bounds.contains(letter)) node.fail(fmt::format("letter '{}' of the result is in no operand", letter));
  }
  return c;
}

// ---- recurrent ---------------------------------------------------------------------------------------------------------

Recurrent recurrent(const Node& node, Cell cell) {
  const std::int64_t gates = cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
  const Shape& x = node.shape(0);
  const Shape& w = node.shape(1);
  const Shape& r = node.shape(2);
  if (x.size() != 3 || w.size() != 3 || r.size() != 3) {
    node.fail(fmt::format("input {}, weights {} and recurrence {} need rank 3", text(x), text(w), text(r)));
  }
  const std::string direction = node.text("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    node.fail(fmt::format("unknown direction '{}'; known: forward, reverse, bidirectional", shown(direction)));
  }
  const bool batch_first = node.integer("layout", 0) == 1;
  const Recurrent result{
      cell, x[batch_first ? 1 : 0], x[batch_first ? 0 : 1], x[2], r[2], direction == "bidirectional" ? 2 : 1};
  const std::int64_t rows = checked_mul(gates, result.hidden);
  if (w != Shape{result.directions, rows, result.input} || r != Shape{result.directions, rows, result.hidden}) {
    node.fail(fmt::format("weights {} and recurrence {} do not fit input {} with {} gates and {} directions", text(w),
                          text(r), text(x), gates, result.directions));
  }
  if (node.integer("hidden_size", result.hidden) != result.hidden) {
    node.fail(fmt::format("hidden_size differs from the {} of its weights", result.hidden));
  }
  return result;
}

}  // namespace

void conv_shape(Node& node) {
  node.result(0, conv_result(conv(node, node.shape(0), node.shape(1))), node.input(0).type);
}
void conv_integer_shape(Node& node) {
  node.result(0, conv_result(conv(node, node.shape(0), node.shape(1))), element::int32);
}
void qlinear_conv_shape(Node& node) {
  node.result(0, conv_result(conv(node, node.shape(0), node.shape(3))), node.input(7).type);
}
Operator conv_work(const Node& node) { return conv(node, node.shape(0), node.shape(1)); }
Operator qlinear_conv_work(const Node& node) { return conv(node, node.shape(0), node.shape(3)); }

void conv_transpose_shape(Node& node) {
  const ConvTranspose t = conv_transpose(node);
  Shape out{t.batch, t.out_channels};
  for (const Window& w : t.axes) out.push_back(w.out);
  node.result(0, out, node.input(0).type);
}
Operator conv_transpose_work(const Node& node) { return conv_transpose(node); }

void gemm_shape(Node& node) {
  if (node.shape(0).size() != 2 || node.shape(1).size() != 2) {
    node.fail(fmt::format("operands {} and {} need rank 2", text(node.shape(0)), text(node.shape(1))));
  }
  const Shape out = matmul(node).result;
  if (node.has(2) && broadcast(node, out, node.shape(2)) != out) {
    node.fail(fmt::format("C of shape {} does not broadcast to {}", text(node.shape(2)), text(out)));
  }
  node.result(0, out, node.input(0).type);
}
Operator gemm_work(const Node& node) { return matmul(node).work; }
void matmul_shape(Node& node) { node.result(0, matmul(node).result, node.input(0).type); }
void matmul_integer_shape(Node& node) { node.result(0, matmul(node).result, element::int32); }
void qlinear_matmul_shape(Node& node) {
  node.result(0, product_of(node, node.shape(0), node.shape(3)).result, node.input(7).type);
}
Operator matmul_work(const Node& node) { return matmul(node).work; }
Operator qlinear_matmul_work(const Node& node) { return product_of(node, node.shape(0), node.shape(3)).work; }

void einsum_shape(Node& node) {
  const Contraction c = contraction(node);
  Shape out;
  for (const std::string& letter : c.result) out.push_back(c.bounds.at(letter));
  node.result(0, out, node.input(0).type);
}

/// One operand: a sum over the letters that vanish, or a permutation.
Operator einsum_work(const Node& node) {
  const Contraction c = contraction(node);
  if (c.operands.size() == 1) {
    const std::int64_t all = elements(node.shape(0));
    std::int64_t kept = 1;
    for (const std::string& letter : c.result) kept = checked_mul(kept, c.bounds.at(letter));
    if (kept == all) return Movement{all};
    return Reduce{kept, all / kept, 1};
  }
  Einsum work{{c.bounds.begin(), c.bounds.end()}, {}, {}, c.result};
  const auto carried = [&](std::size_t t) {  // a letter broadcast from size 1 does not index its operand
    std::vector<std::string> result;
    for (std::size_t i = 0; i < c.operands[t].size(); ++i) {
      if (node.shape(t)[i] == c.bounds.at(c.operands[t][i])) result.push_back(c.operands[t][i]);
    }
    return result;
  };
  work.a = carried(0);
  work.b = carried(1);
  return work;
}

/// Results Y [steps, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; batch first with layout 1.
void recurrent_shape(Node& node) {
  const std::string& type = node.record->type;
  const Recurrent r = recurrent(node, type == "LSTM" ? Cell::lstm : type == "GRU" ? Cell::gru : Cell::rnn);
  const bool batch_first = node.integer("layout", 0) == 1;
  const int element_type = node.input(0).type;
  const Shape state = batch_first ? Shape{r.batch, r.directions, r.hidden} : Shape{r.directions, r.batch, r.hidden};
  node.result(
      0,
      batch_first ? Shape{r.batch, r.steps, r.directions, r.hidden} : Shape{r.steps, r.directions, r.batch, r.hidden},
      element_type);
  node.result(1, state, element_type);
  node.result(2, state, element_type);
}
Operator lstm_work(const Node& node) { return recurrent(node, Cell::lstm); }
Operator gru_work(const Node& node) { return recurrent(node, Cell::gru); }
Operator rnn_work(const Node& node) { return recurrent(node, Cell::rnn); }

}  // namespace tilewright::importer
