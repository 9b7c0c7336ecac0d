#include "workloads/scalesim/topology.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_file_bytes = std::int64_t{64} << 20;
constexpr std::int64_t most_size = std::int64_t{1} << 31;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t comma = line.find(',');
    cells.emplace_back(trim(line.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  while (!cells.empty() && cells.back().empty()) cells.pop_back();
  return cells;
}

/// Rows may be longer than the header (a stride of its own for the second axis), which ordinary tables may not.
CsvTable read_table(const std::string& path) {
  CsvTable table{path, {}, {}};
  const std::string text = read_file(path, most_file_bytes);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    std::vector<std::string> cells = cells_of(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (cells.empty()) continue;
    if (table.header.empty()) {
      table.header = std::move(cells);
    } else {
      table.rows.push_back({line, std::move(cells)});
    }
  }
  if (table.header.empty())
    throw InputError(Place{path, 0, 0, ""}, "the file is empty; a topology starts with a header line");
  return table;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

enum class Variant { convolution, product };

Variant variant_of(const CsvTable& table) {
  const std::vector<std::string>& h = table.header;
  if (h.size() >= 4 && same_word(h[1], "M") && same_word(h[2], "N") && same_word(h[3], "K")) return Variant::product;
  if (h.size() >= 8) return Variant::convolution;
  throw InputError(Place{table.file, 1, 0, ""},
                   fmt::format("a header of {} columns is not a SCALE-Sim topology; known: \"Layer, M, N, K\" and "
                               "\"Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, "
                               "Num Filter, Strides\"",
                               h.size()));
}

/// "2:4" (2 of 4 weights are not zero) as a fraction; nothing if the cell has no colon.
std::optional<double> density(const CsvTable& table, const CsvRow& row, std::size_t column) {
  const std::string& cell = table.text(row, column);
  const std::size_t colon = cell.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto number = [](std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
  };
  const int kept = number(trim(std::string_view(cell).substr(0, colon)));
  const int of = number(trim(std::string_view(cell).substr(colon + 1)));
  if (kept < 1 || of < kept) {
    throw InputError(Place{table.file, row.line, 0, column < table.header.size() ? table.header[column] : "Sparsity"},
                     fmt::format("'{}' is no sparsity ratio; write kept:of, such as 2:4", shown(cell)));
  }
  return static_cast<double>(kept) / of;
}

struct Row {
  Operator work;
  std::string op;
  std::vector<std::int64_t> input, weights, output;
  double density = 1.0;
};

/// Positions of the window; the last one may hang over the edge: ceil((ifmap - filter) / stride) + 1.
Window window(const CsvTable& table, const CsvRow& row, std::size_t ifmap, std::size_t filter, std::size_t stride) {
  Window w;
  w.in = table.integer(row, ifmap, 1, most_size);
  w.kernel = table.integer(row, filter, 1, most_size);
  w.stride = table.integer(row, stride, 1, most_size);
  if (w.kernel > w.in) {
    throw InputError(
        Place{table.file, row.line, 0, table.header[filter]},
        fmt::format("a filter of {} does not fit into an ifmap of {}; pad the ifmap in the file", w.kernel, w.in));
  }
  w.out = ceil_div(w.in - w.kernel, w.stride) + 1;
  return w;
}

Row convolution(const CsvTable& table, const CsvRow& row, std::int64_t batch) {
  Row result;
  std::size_t second_stride = 7;
  for (std::size_t column = 8; column < row.cells.size(); ++column) {
    if (const auto ratio = density(table, row, column)) {
      result.density = *ratio;
    } else {
      second_stride = column;
    }
  }
  Conv conv{batch,
            1,
            table.integer(row, 5, 1, most_size),
            table.integer(row, 6, 1, most_size),
            {window(table, row, 1, 3, 7), window(table, row, 2, 4, second_stride)}};
  result.op = "Conv";
  result.input = {batch, conv.in_channels, conv.axes[0].in, conv.axes[1].in};
  result.weights = {conv.out_channels, conv.in_channels, conv.axes[0].kernel, conv.axes[1].kernel};
  result.output = {batch, conv.out_channels, conv.axes[0].out, conv.axes[1].out};
  result.work = std::move(conv);
  return result;
}

Row matrix_product(const CsvTable& table, const CsvRow& row, std::int64_t batch) {
  Row result;
  MatMul work;
  work.m = table.integer(row, 1, 1, most_size);
  work.n = table.integer(row, 2, 1, most_size);
  work.k = table.integer(row, 3, 1, most_size);
  if (batch > 1) work.batch.push_back({batch, true, false});
  if (row.cells.size() > 4) result.density = density(table, row, 4).value_or(1.0);
  result.op = "MatMul";
  result.input = {batch, work.m, work.k};
  result.weights = {work.k, work.n};
  result.output = {batch, work.m, work.n};
  result.work = std::move(work);
  return result;
}

std::string unique_name(const std::string& name, std::unordered_set<std::string>& taken) {
  std::string result = name;
  for (int copy = 2; !taken.insert(result).second; ++copy) result = fmt::format("{}#{}", name, copy);
  return result;
}

WorkloadGraph graph_of(const std::string& path, const CsvTable& table, std::int64_t batch) {
  const Variant variant = variant_of(table);
  const std::size_t least_cells = variant == Variant::convolution ? 8 : 4;

  WorkloadGraph graph;
  const std::size_t slash = path.find_last_of('/');
  graph.name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (graph.name.ends_with(".csv")) graph.name.resize(graph.name.size() - 4);
  graph.source = path;
  graph.batch = batch;

  const auto add = [&](std::string name, std::vector<std::int64_t> shape, TensorKind kind) {
    Tensor tensor;
    tensor.name = std::move(name);
    tensor.shape = std::move(shape);
    tensor.type = DataType::int8;
    tensor.kind = kind;
    graph.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph.tensors.size()) - 1;
  };
  std::unordered_set<std::string> names;
  TensorId previous = -1;
  for (const CsvRow& row : table.rows) {
    if (row.cells.size() < least_cells) {
      throw InputError(Place{path, row.line, 0, table.header[row.cells.size()]},
                       fmt::format("the row has {} cells; it needs {}", row.cells.size(), least_cells));
    }
    Row parsed = variant == Variant::convolution ? convolution(table, row, batch) : matrix_product(table, row, batch);
    Layer layer;
    layer.name = unique_name(row.cells[0], names);
    layer.op = parsed.op;
    layer.work = std::move(parsed.work);
    const TensorId input =
        add(layer.name + ".ifmap", std::move(parsed.input), previous < 0 ? TensorKind::input : TensorKind::activation);
    if (previous < 0) graph.inputs.push_back(input);
    graph.tensors.back().alias_of = previous;
    const TensorId weights = add(layer.name + ".filter", std::move(parsed.weights), TensorKind::weight);
    graph.tensors.back().density = parsed.density;
    graph.weight_elements = checked_add(graph.weight_elements, graph.tensors.back().elements());
    previous = add(layer.name + ".ofmap", std::move(parsed.output), TensorKind::activation);
    layer.inputs = {input, weights};
    layer.outputs = {previous};
    graph.layers.push_back(std::move(layer));
  }
  if (graph.layers.empty()) throw InputError(Place{path, 0, 0, ""}, "the topology has a header but no layer");
  graph.outputs = {previous};
  finish(graph);
  (void)total_macs(graph);  // overflow is found here
  (void)peak_activation_bytes(graph);
  return graph;
}

}  // namespace

WorkloadGraph import_topology(const std::string& path, std::int64_t batch) {
  try {
    return graph_of(path, read_table(path), std::max<std::int64_t>(batch, 1));
  } catch (const OverflowError& error) { throw InputError(Place{path, 0, 0, ""}, error.what()); }
}

}  // namespace tilewright
