#include "validation/cuda/shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "core/csv.hpp"

namespace tilewright::cuda {
namespace {

constexpr std::int64_t longest_side = 1 << 24;
constexpr std::int64_t longest_cols = std::int64_t{1} << 32;

/// Tensor cores want 16-bit channels last.
std::string usual_layout(const Shape& shape) {
  return shape.word("dtype") == "fp16" || shape.word("dtype") == "bf16" ? "NHWC" : "NCHW";
}

struct Word {
  std::string column;
  std::vector<std::string> measured;                   // what the bench has
  std::vector<std::string> others;                     // what the table may hold besides: such rows are skipped
  std::string (*usual)(const Shape& shape) = nullptr;  // of a table without the column, from the words before it
};
struct Side {
  std::string column;
  std::int64_t least = 1, most = longest_side;
};
struct Keys {
  std::string table;
  std::vector<Word> words;
  std::vector<Side> sides;
};

const Keys& keys_of(std::string_view table) {
  static const std::vector<Keys> all{
      {"gemm",
       {{"dtype", {"fp32", "tf32", "bf16", "fp16", "fp8", "int8"}, {"fp16_fp32math", "w8a16", "w4a16"}},
        {"op", {"linear", "bmm"}, {}},
        {"layout", {"NN", "NT", "TN", "TT"}, {}},
        {"epilogue", {"none", "bias"}, {}}},
       {{"batch"}, {"m"}, {"n"}, {"k"}}},
      {"conv",
       {{"dtype", {"fp32", "tf32", "bf16", "fp16"}, {"fp16_fp32math", "int8", "tf32_or_fp32"}},
        {"phase", {"fwd", "bwd_data", "bwd_filter"}, {}},
        {"layout", {"NCHW", "NHWC"}, {}, usual_layout}},
       {{"n"},
        {"c"},
        {"h"},
        {"w"},
        {"k"},
        {"r"},
        {"s"},
        {"pad_h", 0},
        {"pad_w", 0},
        {"stride_h"},
        {"stride_w"},
        {"groups"}}},
      {"vector",
       {{"dtype", {"fp32", "bf16", "fp16"}, {}},
        {"op", {"add", "relu", "gelu", "softmax", "layernorm"}, {"pow", "tanh", "avg_pool"}}},
       {{"rows"}, {"cols", 1, longest_cols}, {"n_inputs", 1, 2}}},
      {"attention",
       {{"dtype", {"bf16", "fp16"}, {"fp32", "fp8"}}, {"phase", {"prefill", "decode"}, {}}},
       {{"batch"}, {"q_len"}, {"kv_len"}, {"heads"}, {"kv_heads"}, {"head_dim", 1, 256}, {"causal", 0, 1}}},
  };
  const auto found = std::ranges::find(all, table, &Keys::table);
  if (found == all.end()) throw std::logic_error(fmt::format("table '{}' has no shapes", table));
  return *found;
}

Shape gemm(std::string dtype, std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch = 1) {
  const bool bmm = batch > 1;
  return {{{"dtype", std::move(dtype)},
           {"op", bmm ? "bmm" : "linear"},
           {"layout", bmm ? "NN" : "TN"},
           {"epilogue", "none"}},
          {{"batch", batch}, {"m", m}, {"n", n}, {"k", k}}};
}

std::vector<Shape> gemm_shapes() {
  std::vector<Shape> shapes;
  for (const std::string dtype : {"fp32", "tf32", "bf16", "fp16", "fp8", "int8"}) {
    for (const std::int64_t m : {1, 16, 64, 256, 1024, 4096}) {  // hidden 4096, its feed-forward, and a small model
      for (const auto& [n, k] : std::array<std::array<std::int64_t, 2>, 5>{
               {{4096, 4096}, {14336, 4096}, {4096, 14336}, {1024, 1024}, {3072, 768}}})
        shapes.push_back(gemm(dtype, m, n, k));
    }
    for (const std::int64_t side : {512, 2048, 8192}) shapes.push_back(gemm(dtype, side, side, side));
    for (const std::int64_t k : {1024, 16384, 131072})
      shapes.push_back(gemm(dtype, 128, 128, k));  // few tiles: split-K
    if (dtype == "fp8" || dtype == "int8") continue;
    for (const std::int64_t length : {128, 512, 2048}) {  // scores and their product with the values, 32 heads of 128
      shapes.push_back(gemm(dtype, length, length, 128, 32));
      if (length != 128) shapes.push_back(gemm(dtype, length, 128, length, 32));
    }
    shapes.push_back(gemm(dtype, 1000, 1000, 1000));  // no multiple of a tile
  }
  return shapes;
}

std::vector<Shape> conv_shapes() {
  struct Layer {
    std::int64_t c, h, k, r, pad, stride, groups;
  };
  // Layers of ResNet-50, one of each kind, and a depthwise one.
  static constexpr std::array layers{
      Layer{3, 224, 64, 7, 3, 2, 1},   Layer{64, 56, 64, 1, 0, 1, 1},   Layer{64, 56, 64, 3, 1, 1, 1},
      Layer{64, 56, 256, 1, 0, 1, 1},  Layer{128, 56, 128, 3, 1, 2, 1}, Layer{128, 28, 128, 3, 1, 1, 1},
      Layer{512, 28, 128, 1, 0, 1, 1}, Layer{256, 14, 256, 3, 1, 1, 1}, Layer{1024, 14, 256, 1, 0, 1, 1},
      Layer{512, 7, 512, 3, 1, 1, 1},  Layer{512, 7, 2048, 1, 0, 1, 1}, Layer{96, 56, 96, 3, 1, 1, 96}};
  std::vector<Shape> shapes;
  for (const std::string dtype : {"fp32", "tf32", "bf16", "fp16"}) {
    for (const std::string phase : {"fwd", "bwd_data", "bwd_filter"}) {
      for (const std::int64_t n : {1, 32}) {
        for (const Layer& l : layers) {
          if (l.c == 3 && phase == "bwd_data") continue;  // nobody needs the gradient of the image
          Shape& shape = shapes.emplace_back(Shape{{{"dtype", dtype}, {"phase", phase}},
                                                   {{"n", n},
                                                    {"c", l.c},
                                                    {"h", l.h},
                                                    {"w", l.h},
                                                    {"k", l.k},
                                                    {"r", l.r},
                                                    {"s", l.r},
                                                    {"pad_h", l.pad},
                                                    {"pad_w", l.pad},
                                                    {"stride_h", l.stride},
                                                    {"stride_w", l.stride},
                                                    {"groups", l.groups}}});
          shape.words["layout"] = usual_layout(shape);
        }
      }
    }
  }
  return shapes;
}

std::vector<Shape> vector_shapes() {
  std::vector<Shape> shapes;
  for (const std::string dtype : {"fp32", "fp16"}) {
    for (const std::string op : {"add", "relu", "gelu", "softmax", "layernorm"}) {
      for (const std::int64_t rows : {16, 512, 8192, 65536}) {
        for (const std::int64_t cols : {128, 768, 1000, 4096})
          shapes.push_back(
              {{{"dtype", dtype}, {"op", op}}, {{"rows", rows}, {"cols", cols}, {"n_inputs", op == "add" ? 2 : 1}}});
      }
    }
  }
  return shapes;
}

std::vector<Shape> attention_shapes() {
  std::vector<Shape> shapes;
  const auto add = [&](const std::string& phase, std::int64_t batch, std::int64_t queries, std::int64_t keys,
                       std::int64_t kv_heads) {
    shapes.push_back({{{"dtype", "bf16"}, {"phase", phase}},
                      {{"batch", batch},
                       {"q_len", queries},
                       {"kv_len", keys},
                       {"heads", 32},
                       {"kv_heads", kv_heads},
                       {"head_dim", 128},
                       {"causal", phase == "prefill"}}});
  };
  for (const std::int64_t kv_heads : {32, 8}) {
    for (const std::int64_t batch : {1, 8}) {
      for (const std::int64_t length : {128, 512, 2048, 8192}) add("prefill", batch, length, length, kv_heads);
    }
    for (const std::int64_t batch : {1, 16, 64}) {
      for (const std::int64_t length : {128, 1024, 8192}) add("decode", batch, 1, length, kv_heads);
    }
  }
  return shapes;
}

/// Extents that no operator has, with the column to blame.
void check(std::string_view table, const Shape& shape, const CsvTable& file, const CsvRow& row) {
  const auto fail = [&](const std::string& column, const std::string& message) {
    throw InputError({file.file, row.line, 0, column}, message);
  };
  if (table == "gemm" && shape.word("op") == "linear" && shape.side("batch") != 1)
    fail("batch", "a linear layer has batch 1");
  if (table == "conv") {
    if (shape.side("c") % shape.side("groups") != 0 || shape.side("k") % shape.side("groups") != 0)
      fail("groups", "c and k must be multiples of the groups");
    if (shape.side("h") + 2 * shape.side("pad_h") < shape.side("r"))
      fail("r", "the filter is higher than the padded input");
    if (shape.side("w") + 2 * shape.side("pad_w") < shape.side("s"))
      fail("s", "the filter is wider than the padded input");
  }
  if (table == "vector" && (shape.word("op") == "add") != (shape.side("n_inputs") == 2))
    fail("n_inputs", "add has two inputs, the other operators one");
  if (table == "attention") {
    if (shape.side("heads") % shape.side("kv_heads") != 0) fail("kv_heads", "heads must be a multiple of kv_heads");
    if (shape.word("phase") == "decode" ? shape.side("q_len") != 1 : shape.side("q_len") != shape.side("kv_len"))
      fail("q_len", "decode has one query, prefill as many as keys");
  }
}

double output_side(const Shape& shape, const char* input, const char* pad, const char* filter, const char* stride) {
  const std::int64_t steps = (shape.side(input) + 2 * shape.side(pad) - shape.side(filter)) / shape.side(stride);
  return static_cast<double>(1 + steps);
}

}  // namespace

std::map<std::string, std::string> Shape::cells() const {
  std::map<std::string, std::string> all = words;
  for (const auto& [column, value] : sides) all[column] = std::to_string(value);
  return all;
}

std::string Shape::text() const {
  std::string text;
  for (const auto& [column, word] : words) text += fmt::format("{}{}={}", text.empty() ? "" : " ", column, word);
  for (const auto& [column, side] : sides) text += fmt::format(" {}={}", column, side);
  return text;
}

std::vector<std::string> measured_tables() { return {"gemm", "conv", "vector", "attention", "microbench"}; }

std::vector<Shape> default_shapes(std::string_view table) {
  if (table == "gemm") return gemm_shapes();
  if (table == "conv") return conv_shapes();
  if (table == "vector") return vector_shapes();
  if (table == "attention") return attention_shapes();
  throw std::logic_error(fmt::format("table '{}' has no shapes", table));
}

ShapeList read_shapes(const std::string& path, std::string_view table) {
  const Keys& keys = keys_of(table);
  const CsvTable file = read_csv(path);
  ShapeList list;
  std::set<Shape> seen;
  for (const CsvRow& row : file.rows) {
    Shape shape;
    bool skipped = false;
    for (const Word& word : keys.words) {
      const bool absent = word.usual != nullptr && !file.has(word.column);
      const std::string cell = absent ? word.usual(shape) : file.text(row, file.column(word.column));
      if (std::ranges::find(word.others, cell) != word.others.end()) skipped = true;
      if (!skipped && std::ranges::find(word.measured, cell) == word.measured.end())
        throw InputError({path, row.line, 0, word.column}, unknown_message("word", cell, word.measured));
      shape.words[word.column] = cell;
    }
    if (skipped) {
      ++list.skipped;
      continue;
    }
    for (const Side& side : keys.sides)
      shape.sides[side.column] = file.integer(row, file.column(side.column), side.least, side.most);
    check(table, shape, file, row);
    if (seen.insert(shape).second) list.shapes.push_back(std::move(shape));
  }
  return list;
}

std::int64_t element_size(std::string_view dtype) {
  if (dtype == "fp32" || dtype == "tf32") return 4;
  return dtype == "fp8" || dtype == "int8" ? 1 : 2;
}

double bytes_of(std::string_view table, const Shape& shape) {
  const auto side = [&](const char* column) { return static_cast<double>(shape.side(column)); };
  const std::string& dtype = shape.word("dtype");
  const auto size = static_cast<double>(element_size(dtype));
  if (table == "gemm") {
    const double result = dtype == "int8" ? 4 : dtype == "fp8" ? 2 : size;
    return side("batch") * ((side("m") * side("k") + side("k") * side("n")) * size + side("m") * side("n") * result);
  }
  if (table == "conv") {
    const double out_h = output_side(shape, "h", "pad_h", "r", "stride_h"),
                 out_w = output_side(shape, "w", "pad_w", "s", "stride_w");
    return size *
           (side("n") * side("c") * side("h") * side("w") +
            side("k") * side("c") / side("groups") * side("r") * side("s") + side("n") * side("k") * out_h * out_w);
  }
  if (table == "vector") return size * side("rows") * side("cols") * (side("n_inputs") + 1);
  return size * side("batch") * side("head_dim") * 2 *
         (side("q_len") * side("heads") + side("kv_len") * side("kv_heads"));
}

double operations_of(std::string_view table, const Shape& shape) {
  const auto side = [&](const char* column) { return static_cast<double>(shape.side(column)); };
  if (table == "gemm") return 2 * side("batch") * side("m") * side("n") * side("k");
  if (table == "conv") {
    const double out_h = output_side(shape, "h", "pad_h", "r", "stride_h"),
                 out_w = output_side(shape, "w", "pad_w", "s", "stride_w");
    return 2 * side("n") * side("k") * out_h * out_w * side("c") / side("groups") * side("r") * side("s");
  }
  if (table == "vector") return side("rows") * side("cols");
  const double pairs = side("q_len") * side("kv_len");
  return 4 * side("batch") * side("heads") * side("head_dim") *
         (shape.side("causal") == 1 && shape.side("q_len") > 1 ? pairs / 2 : pairs);
}

}  // namespace tilewright::cuda
