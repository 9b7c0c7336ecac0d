// Errors that say where, what, and the way out.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// A place in an input. `line` and `column` count from 1; 0 means "not known" (binary files, command line).
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  std::string key;  // dotted path such as "levels[1].capacity"; empty when there is none
};

/// Bad input: exit code 2. what() is "file:line: key: message".
class InputError : public std::runtime_error {
 public:
  InputError(Place place, std::string_view message);
  const Place& place() const noexcept { return place_; }

 private:
  Place place_;
};

/// A size that leaves 64-bit integers; reported like an InputError.
class OverflowError : public InputError {
 public:
  explicit OverflowError(std::string_view message);
};

/// Input text made fit for a one-line message: control characters escaped, cut after 80 bytes with "...".
std::string shown(std::string_view text);

/// The known word closest to `got` by edit distance (ties: first in order); where none is near (distance above
/// max(2, length / 3)) the first that begins with all of `got`, two letters or more; else "".
std::string nearest(std::string_view got, std::span<const std::string> known);

/// "unknown WHAT 'GOT'; known: a, b, c. Did you mean 'b'?"
std::string unknown_message(std::string_view what, std::string_view got, std::span<const std::string> known);

}  // namespace tilewright
