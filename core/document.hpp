// YAML input whose values know their place and which keys were read. The only room that sees yaml-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/diagnostics.hpp"
#include "core/units.hpp"

namespace tilewright {

struct Override;

/// One YAML node with its place. Cheap to copy (shared ownership of the parsed tree).
/// Every accessor throws InputError with file, line and key when the value is missing or of another kind.
class Value {
 public:
  Place place() const;
  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;

  // maps
  Value at(std::string_view key) const;                   // required; marks the key as read
  std::optional<Value> find(std::string_view key) const;  // optional; marks the key as read
  std::vector<std::string> keys() const;                  // in file order
  /// Throws for the first key that no at/find asked for; names the nearest of the keys that were asked for.
  void reject_unread_keys() const;  // recursive: over all maps below this one that were opened

  // lists
  std::vector<Value> items() const;

  // scalars
  std::string as_string() const;
  bool as_bool() const;
  std::int64_t as_int(std::int64_t least, std::int64_t most) const;
  double as_number(double least, double most) const;  // finite, in [least, most]
  /// A word of a closed set, else "unknown WHAT ... Did you mean".
  std::string as_choice(std::string_view what, const std::vector<std::string>& known) const;

  // quantities: "256 KiB", "12.8 GB/s", "64 B/cycle", "500 MHz", "0.2 W", "4 mm2", "20 USD", "3.5 ns", "1300 pJ".
  // A bare number is an error that names the units that are accepted. Negative, NaN and infinite are errors.
  Bytes as_bytes() const;                          // B KB MB GB TB KiB MiB GiB TiB, and "bit"
  BytesPerSecond as_bandwidth(Hertz clock) const;  // B/s KB/s MB/s GB/s TB/s PB/s (also GiB/s ...) or B/cycle x clock
  Hertz as_frequency() const;
  Watts as_power() const;    // W mW uW kW
  Joules as_energy() const;  // J mJ uJ nJ pJ fJ
  Seconds as_time() const;   // s ms us ns
  Dollars as_price() const;
  SquareMillimetres as_area() const;

  [[noreturn]] void fail(std::string_view message) const;  // InputError at this place

  struct Node;  // internal
  explicit Value(std::shared_ptr<Node> node) : node_(std::move(node)) {}

 private:
  friend Value with_overrides(const Value& root, const std::vector<Override>& overrides);
  std::shared_ptr<Node> node_;
};

/// A scalar to put into a document: `path` as in messages, where an item of a list is named by its position or by its
/// `name` ("compute.rows", "levels.Buffer.capacity", "levels[1].capacity"). `from`: where the scalar was written.
struct Override {
  std::string path;
  std::string text;
  Place from;
};
/// A copy of a whole document with scalars replaced or, in a map, added; nothing of it is marked as read. InputError at the place
/// of the override when the path leads nowhere (the nearest key is named) or to something that is not a single value.
Value with_overrides(const Value& root, const std::vector<Override>& overrides);

/// A scalar with another text at the place of `where`, for values that are a part of a longer text.
Value scalar_at(const Value& where, std::string text);

/// Parse a file. Errors: missing file, a directory, over 16 MiB, not UTF-8 text, YAML syntax, duplicate key, alias bombs.
Value load_yaml(const std::string& path);
/// Parse text; `name` stands for the file in messages.
Value parse_yaml(const std::string& text, const std::string& name);

}  // namespace tilewright
