#include "core/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_yaml_bytes = std::int64_t{16} << 20;
constexpr std::size_t most_nodes = 200'000;  // after aliases are expanded
constexpr int most_depth = 64;

enum class Kind { null, scalar, list, map };

}  // namespace

/// A node lives in its Tree. A Value shares ownership of the whole tree, so plain pointers between nodes stay valid and
/// taking a tree down never recurses.
struct Value::Node {
  struct Entry {
    std::string key;
    int line, column;
    Node* value;
    bool read;
  };

  const std::string* file = nullptr;
  Kind kind = Kind::null;
  int line = 0, column = 0;
  const Node* parent = nullptr;
  std::string step;  // "capacity" or "[1]": what leads here from the parent
  std::string text;
  std::vector<Node*> items;
  std::vector<Entry> entries;
  std::map<std::string, std::size_t, std::less<>> index;  // key -> position in entries
  std::vector<std::string> asked;                         // keys that at/find asked for, in the order of asking
};

namespace {

using Node = Value::Node;

struct Tree {
  std::string file;
  std::deque<Node> nodes;
  std::deque<std::string> others;  // files that overrides were written in
};

std::string path_to(const Node& node) {
  std::vector<const std::string*> steps;
  for (const Node* at = &node; at->parent != nullptr; at = at->parent) steps.push_back(&at->step);
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!path.empty() && (*step)->front() != '[') path += '.';
    path += **step;
  }
  return path;
}

std::string path_to(const Node& node, std::string_view key) {
  const std::string path = path_to(node);
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

/// A key as a step of a path: never empty and never with control characters.
std::string key_step(std::string_view key) { return key.empty() ? "''" : shown(key); }

std::string describe(const Node& node) {
  switch (node.kind) {
    case Kind::null: return "nothing";
    case Kind::scalar: return fmt::format("'{}'", shown(node.text));
    case Kind::list: return "a list";
    case Kind::map: return "a map";
  }
  return "nothing";
}

/// Builds the tree from the parser's events: positions are at hand there, and limits act before memory is spent.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Tree& tree) : tree_(tree) {}

  Node* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(mark, anchor, Kind::null, ""); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& text) override {
    leaf(mark, anchor, Kind::scalar, text);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "this alias names no anchor");
    if (std::find(open_.begin(), open_.end(), found->second) != open_.end()) fail(mark, "this alias contains itself");
    if (wants_key()) {
      take_key(mark, *found->second);
    } else {
      attach(copy(*found->second, mark, static_cast<int>(open_.size())));
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, anchor, Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, anchor, Kind::map);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapEnd() override { open_.pop_back(); }

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view message) const {
    throw InputError({tree_.file, mark.line + 1, mark.column + 1, open_.empty() ? "" : path_to(*open_.back())},
                     message);
  }

 private:
  bool wants_key() const { return !open_.empty() && open_.back()->kind == Kind::map && !key_; }

  Node& add(const YAML::Mark& mark, Kind kind) {
    if (tree_.nodes.size() >= most_nodes) {
      fail(mark, fmt::format("more than {} values, aliases expanded; split the file", most_nodes));
    }
    Node& node = tree_.nodes.emplace_back();
    node.file = &tree_.file;
    node.kind = kind;
    node.line = std::max(mark.line, 0) + 1;
    node.column = std::max(mark.column, 0) + 1;
    return node;
  }

  void leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind, const std::string& text) {
    if (wants_key()) {
      Node key;
      key.kind = kind;
      key.text = text;
      take_key(mark, key);
      if (anchor != YAML::NullAnchor) {
        Node& kept = add(mark, kind);
        kept.text = text;
        anchors_[anchor] = &kept;
      }
      return;
    }
    Node& node = add(mark, kind);
    node.text = text;
    if (kind == Kind::null &&
        key_) {  // the parser places a missing value at the next token; the key is the better place
      node.line = key_->line;
      node.column = key_->column;
    }
    attach(&node);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
  }

  void take_key(const YAML::Mark& mark, const Node& key) {
    if (key.kind != Kind::scalar) fail(mark, "a key must be a word");
    Node& map = *open_.back();
    if (const auto first = map.index.find(key.text); first != map.index.end()) {
      fail(mark,
           fmt::format("duplicate key '{}'; it is first in line {}", shown(key.text), map.entries[first->second].line));
    }
    key_ = Node::Entry{key.text, mark.line + 1, mark.column + 1, nullptr, false};
  }

  void attach(Node* node) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Node& parent = *open_.back();
    node->parent = &parent;
    if (parent.kind == Kind::list) {
      node->step = fmt::format("[{}]", parent.items.size());
      parent.items.push_back(node);
    } else {
      node->step = key_step(key_->key);
      key_->value = node;
      parent.index.emplace(key_->key, parent.entries.size());
      parent.entries.push_back(std::move(*key_));
      key_.reset();
    }
  }

  void begin(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind) {
    if (wants_key()) fail(mark, "a key must be a word, not a list or a map");
    if (open_.size() >= most_depth) fail(mark, fmt::format("nested deeper than {} levels", most_depth));
    Node& node = add(mark, kind);
    attach(&node);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    open_.push_back(&node);
  }

  /// An alias is a copy: paths and read marks are those of the place where it stands. Recursion ends at most_depth.
  Node* copy(const Node& from, const YAML::Mark& mark, int depth) {
    if (depth > most_depth) fail(mark, fmt::format("nested deeper than {} levels, aliases expanded", most_depth));
    Node& to = add(mark, from.kind);
    to.line = from.line;
    to.column = from.column;
    to.text = from.text;
    to.index = from.index;
    for (const Node* item : from.items) {
      Node* child = copy(*item, mark, depth + 1);
      child->parent = &to;
      child->step = item->step;
      to.items.push_back(child);
    }
    for (const Node::Entry& entry : from.entries) {
      Node* child = copy(*entry.value, mark, depth + 1);
      child->parent = &to;
      child->step = entry.value->step;
      to.entries.push_back({entry.key, entry.line, entry.column, child, false});
    }
    return &to;
  }

  Tree& tree_;
  Node* root_ = nullptr;
  std::vector<Node*> open_;
  std::optional<Node::Entry> key_;  // read, its value still to come
  std::map<YAML::anchor_t, Node*> anchors_;
};

/// Position of the first byte that is no UTF-8 text (a control character counts as none); npos when all is text.
std::size_t first_binary_byte(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80U) {
      if ((byte < 0x20U && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7FU) return i;
      ++i;
      continue;
    }
    std::size_t length = 0;  // of the sequence that this byte leads
    if (byte >= 0xC2U && byte < 0xE0U) length = 2;
    if (byte >= 0xE0U && byte < 0xF0U) length = 3;
    if (byte >= 0xF0U && byte < 0xF5U) length = 4;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80U) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

/// The text of line `line` (from 0).
std::string_view line_of(std::string_view text, int line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

bool indented_by_tab(std::string_view line) {
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

/// The parser takes the end of the file for the end of an open quote; it does not so take a document end marker.
std::string with_end_marker(const std::string& text) {
  std::string marked = text;
  if (!marked.empty() && marked.back() != '\n') marked += '\n';
  if (!marked.ends_with("\n...\n")) marked += "...\n";
  return marked;
}

struct Unit {
  std::string_view name;
  double factor;  // to the base unit
};

/// Parses "12.8 GB/s" by a list of units. Finite, not negative, unit required.
double quantity(const Value& value, std::string_view what, std::span<const Unit> units) {
  const auto names = [&] {
    std::vector<std::string> all;
    for (const Unit& unit : units) all.emplace_back(unit.name);
    return all;
  };
  const std::string text = value.as_string();
  const auto expects = [&] {
    return fmt::format("{} needs a number and a unit such as '1 {}'", what, units.front().name);
  };

  double number = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, number);
  if (error == std::errc::invalid_argument) value.fail(fmt::format("{}, got '{}'", expects(), shown(text)));
  if (error == std::errc::result_out_of_range)
    value.fail(fmt::format("'{}' is beyond what a number can hold", shown(text)));
  if (!std::isfinite(number)) value.fail(fmt::format("{} must be finite, got '{}'", what, shown(text)));
  std::string_view word(rest, static_cast<std::size_t>(end - rest));
  word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
  if (word.empty()) {
    value.fail(fmt::format("'{}' has no unit; write one of {}", shown(text), fmt::join(names(), ", ")));
  }
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == word; });
  if (unit == units.end()) value.fail(unknown_message("unit", word, names()));
  if (number < 0) value.fail(fmt::format("{} must not be negative, got '{}'", what, shown(text)));
  const double scaled = number * unit->factor;
  if (!std::isfinite(scaled)) value.fail(fmt::format("'{}' is beyond what a number can hold", shown(text)));
  return scaled;
}

constexpr double kibi = 1024.0;
constexpr double mebi = 1024.0 * kibi;
constexpr double gibi = 1024.0 * mebi;
constexpr double tebi = 1024.0 * gibi;

}  // namespace

Place Value::place() const { return {*node_->file, node_->line, node_->column, path_to(*node_)}; }
bool Value::is_map() const { return node_->kind == Kind::map; }
bool Value::is_list() const { return node_->kind == Kind::list; }
bool Value::is_scalar() const { return node_->kind == Kind::scalar; }

void Value::fail(std::string_view message) const { throw InputError(place(), message); }

std::optional<Value> Value::find(std::string_view key) const {
  Node& node = *node_;
  if (node.kind != Kind::map) fail(fmt::format("expected a map with the key '{}', got {}", key, describe(node)));
  if (std::find(node.asked.begin(), node.asked.end(), key) == node.asked.end()) node.asked.emplace_back(key);
  const auto found = node.index.find(key);
  if (found == node.index.end()) return std::nullopt;
  Node::Entry& entry = node.entries[found->second];
  entry.read = true;
  return Value(std::shared_ptr<Node>(node_, entry.value));
}

Value Value::at(std::string_view key) const {
  if (std::optional<Value> value = find(key)) return *value;
  std::vector<std::string> unread;
  for (const Node::Entry& entry : node_->entries) {
    if (!entry.read) unread.push_back(entry.key);
  }
  const std::string near = nearest(key, unread);
  throw InputError({*node_->file, node_->line, node_->column, path_to(*node_, key)},
                   near.empty() ? fmt::format("the key '{}' is missing", key)
                                : fmt::format("the key '{}' is missing. Is it meant by '{}'?", key, near));
}

std::vector<std::string> Value::keys() const {
  if (!is_map()) fail(fmt::format("expected a map, got {}", describe(*node_)));
  std::vector<std::string> names;
  for (const Node::Entry& entry : node_->entries) names.push_back(entry.key);
  return names;
}

void Value::reject_unread_keys() const {
  if (is_list()) {
    for (const Value& item : items()) item.reject_unread_keys();
    return;
  }
  if (!is_map() || node_->asked.empty()) return;  // a map that nobody opened
  for (const Node::Entry& entry : node_->entries) {
    if (!entry.read) {
      throw InputError({*node_->file, entry.line, entry.column, path_to(*node_, key_step(entry.key))},
                       unknown_message("key", entry.key, node_->asked));
    }
    Value(std::shared_ptr<Node>(node_, entry.value)).reject_unread_keys();
  }
}

std::vector<Value> Value::items() const {
  if (!is_list()) fail(fmt::format("expected a list, got {}", describe(*node_)));
  std::vector<Value> values;
  for (Node* item : node_->items) values.emplace_back(std::shared_ptr<Node>(node_, item));
  return values;
}

std::string Value::as_string() const {
  if (!is_scalar()) fail(fmt::format("expected a single value, got {}", describe(*node_)));
  return node_->text;
}

bool Value::as_bool() const {
  const std::string text = as_string();
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  fail(fmt::format("expected true or false, got '{}'", shown(text)));
}

std::int64_t Value::as_int(std::int64_t least, std::int64_t most) const {
  const std::string text = as_string();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    fail(fmt::format("expected an integer, got '{}'", shown(text)));
  }
  if (error == std::errc::result_out_of_range || value < least || value > most) {
    fail(fmt::format("expected an integer from {} to {}, got '{}'", least, most, shown(text)));
  }
  return value;
}

double Value::as_number(double least, double most) const {
  const std::string text = as_string();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) fail(fmt::format("'{}' is beyond what a number can hold", shown(text)));
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    fail(fmt::format("expected a finite number, got '{}'", shown(text)));
  }
  if (value < least || value > most) {
    fail(fmt::format("expected a number from {} to {}, got '{}'", least, most, shown(text)));
  }
  return value;
}

std::string Value::as_choice(std::string_view what, const std::vector<std::string>& known) const {
  std::string text = as_string();
  if (std::find(known.begin(), known.end(), text) == known.end()) fail(unknown_message(what, text, known));
  return text;
}

Bytes Value::as_bytes() const {
  static constexpr Unit units[] = {{"B", 1},      {"KB", 1e3},   {"MB", 1e6},   {"GB", 1e9},   {"TB", 1e12},
                                   {"KiB", kibi}, {"MiB", mebi}, {"GiB", gibi}, {"TiB", tebi}, {"bit", 0.125}};
  return {quantity(*this, "a size", units)};
}

BytesPerSecond Value::as_bandwidth(Hertz clock) const {
  const Unit units[] = {{"B/s", 1},      {"KB/s", 1e3},   {"MB/s", 1e6},           {"GB/s", 1e9},
                        {"TB/s", 1e12},  {"PB/s", 1e15},  {"KiB/s", kibi},         {"MiB/s", mebi},
                        {"GiB/s", gibi}, {"TiB/s", tebi}, {"B/cycle", clock.value}};
  return {quantity(*this, "a bandwidth", units)};
}

Hertz Value::as_frequency() const {
  static constexpr Unit units[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}};
  return {quantity(*this, "a frequency", units)};
}

Watts Value::as_power() const {
  static constexpr Unit units[] = {{"W", 1}, {"uW", 1e-6}, {"mW", 1e-3}, {"kW", 1e3}};
  return {quantity(*this, "a power", units)};
}

Joules Value::as_energy() const {
  static constexpr Unit units[] = {{"J", 1}, {"mJ", 1e-3}, {"uJ", 1e-6}, {"nJ", 1e-9}, {"pJ", 1e-12}, {"fJ", 1e-15}};
  return {quantity(*this, "an energy", units)};
}

Seconds Value::as_time() const {
  static constexpr Unit units[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
  return {quantity(*this, "a time", units)};
}

Dollars Value::as_price() const {
  static constexpr Unit units[] = {{"USD", 1}};
  return {quantity(*this, "a price", units)};
}

SquareMillimetres Value::as_area() const {
  static constexpr Unit units[] = {{"mm2", 1}, {"um2", 1e-6}, {"cm2", 1e2}};
  return {quantity(*this, "an area", units)};
}

namespace {

/// A copy with fresh read marks. Recursion ends at most_depth, as the parser does.
Node* copy_into(Tree& tree, const Node& from) {
  Node& to = tree.nodes.emplace_back();
  to.file = &tree.file;
  to.kind = from.kind;
  to.line = from.line;
  to.column = from.column;
  to.step = from.step;
  to.text = from.text;
  to.index = from.index;
  to.items.reserve(from.items.size());
  for (const Node* item : from.items) {
    to.items.push_back(copy_into(tree, *item));
    to.items.back()->parent = &to;
  }
  to.entries.reserve(from.entries.size());
  to.asked.reserve(from.entries.size());
  for (const Node::Entry& entry : from.entries) {
    to.entries.push_back({entry.key, entry.line, entry.column, copy_into(tree, *entry.value), false});
    to.entries.back().value->parent = &to;
  }
  return &to;
}

/// "levels[1].capacity" -> levels, [1], capacity
std::vector<std::string> steps_of(std::string_view path) {
  std::vector<std::string> steps(1);
  for (const char c : path) {
    if (c == '.' || c == '[') steps.emplace_back();
    if (c != '.') steps.back() += c;
  }
  return steps;
}

/// What an item of a list is called: its `name`, else its position.
std::string item_name(const Node& item, std::size_t position) {
  const auto name = item.index.find("name");
  return name == item.index.end() ? fmt::format("[{}]", position) : item.entries[name->second].value->text;
}

Node* child_of(Node& node, const std::string& step, const Override& override) {
  std::vector<std::string> known;
  for (const Node::Entry& entry : node.entries) {
    if (entry.key == step) return entry.value;
    known.push_back(entry.key);
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (item_name(*node.items[i], i) == step || fmt::format("[{}]", i) == step) return node.items[i];
    known.push_back(item_name(*node.items[i], i));
  }
  if (known.empty())
    throw InputError(override.from, fmt::format("{} is a single value, it has no '{}'", path_to(node), step));
  throw InputError(override.from, unknown_message("key", step, known));
}

}  // namespace

Value with_overrides(const Value& root, const std::vector<Override>& overrides) {
  const auto tree = std::make_shared<Tree>();
  tree->file = root.place().file;
  Node* top = copy_into(*tree, *root.node_);
  for (const Override& override : overrides) {
    const std::vector<std::string> steps = steps_of(override.path);
    Node* node = top;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool added = i + 1 == steps.size() && node->kind == Kind::map && !node->index.contains(steps[i]);
      if (!added) {
        node = child_of(*node, steps[i], override);
        continue;
      }
      Node& fresh = tree->nodes.emplace_back();
      fresh.kind = Kind::scalar;
      fresh.parent = node;
      fresh.step = key_step(steps[i]);
      node->index.emplace(steps[i], node->entries.size());
      node->entries.push_back({steps[i], override.from.line, override.from.column, &fresh, false});
      node = &fresh;
    }
    if (node->kind != Kind::scalar)
      throw InputError(override.from, fmt::format("'{}' is {}, not a single value", override.path, describe(*node)));
    node->file = &tree->others.emplace_back(override.from.file);
    node->line = override.from.line;
    node->column = override.from.column;
    node->text = override.text;
  }
  return Value(std::shared_ptr<Node>(tree, top));
}

Value scalar_at(const Value& where, std::string text) {
  const Place place = where.place();
  const auto tree = std::make_shared<Tree>();
  tree->file = place.file;
  Node& node = tree->nodes.emplace_back();
  node.file = &tree->file;
  node.kind = Kind::scalar;
  node.line = place.line;
  node.column = place.column;
  node.step = place.key;
  node.text = std::move(text);
  Node& above = tree->nodes.emplace_back();  // a step counts below a parent only
  node.parent = &above;
  return Value(std::shared_ptr<Node>(tree, &node));
}

Value parse_yaml(const std::string& text, const std::string& name) {
  if (const std::size_t at = first_binary_byte(text); at != std::string::npos) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    throw InputError({name, static_cast<int>(line), 0, ""},
                     fmt::format("not a YAML text file: byte {} (0x{:02x}) is no UTF-8 text", at,
                                 static_cast<unsigned char>(text[at])));
  }
  const auto tree = std::make_shared<Tree>();
  tree->file = name;
  Builder builder(*tree);
  try {
    std::istringstream in(with_end_marker(text));
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder) || builder.root() == nullptr || builder.root()->kind == Kind::null) {
      throw InputError({name, 0, 0, ""}, "the file is empty");
    }
    Node* root = builder.root();
    Builder extra(*tree);
    if (parser.HandleNextDocument(extra)) {
      throw InputError({name, extra.root() != nullptr ? extra.root()->line : 0, 0, ""},
                       "a second document begins here; put it into a file of its own");
    }
    return Value(std::shared_ptr<Node>(tree, root));
  } catch (const YAML::ParserException& error) {
    if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) builder.fail(error.mark, "a quote opened above is never closed");
    if (indented_by_tab(line_of(text, error.mark.line))) {
      builder.fail(error.mark, "a tab in the indentation; use spaces");
    }
    builder.fail(error.mark, fmt::format("not valid YAML: {}", error.msg));
  } catch (const YAML::Exception& error) { builder.fail(error.mark, fmt::format("not valid YAML: {}", error.msg)); }
}

Value load_yaml(const std::string& path) { return parse_yaml(read_file(path, most_yaml_bytes), path); }

}  // namespace tilewright
