#include "core/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tilewright {
namespace {

std::string located(const Place& place, std::string_view message) {
  std::string text = place.file;
  if (!text.empty() && place.line > 0) text += fmt::format(":{}", place.line);
  if (!text.empty()) text += ": ";
  if (!place.key.empty()) text += place.key + ": ";
  text += message;
  return text;
}

/// Levenshtein distance: insertions, deletions and substitutions of one character each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

InputError::InputError(Place place, std::string_view message)
    : std::runtime_error(located(place, message)), place_(std::move(place)) {}

OverflowError::OverflowError(std::string_view message) : InputError(Place{}, message) {}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.size() >= longest) {
      // Do not end inside a UTF-8 sequence: drop its leading byte and what followed it.
      if ((byte & 0xC0U) == 0x80U) {
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
        if (!out.empty()) out.pop_back();
      }
      return out + "...";
    }
    if (byte < 0x20U || byte == 0x7FU) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string nearest(std::string_view got, std::span<const std::string> known) {
  const std::size_t limit = std::max<std::size_t>(2, got.size() / 3);
  std::string best;
  std::size_t best_distance = limit + 1;
  for (const std::string& word : known) {
    const std::size_t gap = word.size() > got.size() ? word.size() - got.size() : got.size() - word.size();
    if (gap >= best_distance) continue;
    const std::size_t distance = edit_distance(got, word);
    if (distance < best_distance) {
      best = word;
      best_distance = distance;
    }
  }
  if (!best.empty() || got.size() < 2) return best;
  const auto longer =
      std::find_if(known.begin(), known.end(), [&](const std::string& word) { return word.starts_with(got); });
  return longer == known.end() ? "" : *longer;
}

std::string unknown_message(std::string_view what, std::string_view got, std::span<const std::string> known) {
  std::string text = fmt::format("unknown {} '{}'", what, shown(got));
  if (!known.empty()) text += fmt::format("; known: {}", fmt::join(known, ", "));
  const std::string near = nearest(got, known);
  if (!near.empty()) text += fmt::format(". Did you mean '{}'?", near);
  return text;
}

}  // namespace tilewright
