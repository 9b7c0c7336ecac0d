#include "validation/tables/device_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace tilewright {
namespace {

bool is_brand(std::string_view word) { return word == "NVIDIA" || word == "TESLA" || word == "GEFORCE"; }

std::string upper(std::string_view text) {
  std::string word(text);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return word;
}

/// Words of letters and digits as they stand, brands left out.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  std::erase_if(words, [](const std::string& word) { return word.empty() || is_brand(upper(word)); });
  return words;
}

std::vector<std::string> sorted_words(std::string_view name) {
  std::vector<std::string> words = words_of(name);
  for (std::string& word : words) word = upper(word);
  std::ranges::sort(words);
  return words;
}

std::string joined(std::string_view name) {
  std::string text;
  for (const std::string& word : words_of(name)) text += upper(word);
  return text;
}

/// Names whose words do not say the board: the driver leaves the form factor out, or the table names it otherwise.
constexpr std::array<std::array<std::string_view, 2>, 4> aliases{{{"H100 80GB HBM3", "H100-SXM5-80GB"},
                                                                  {"A100-SXM-80GB", "A100-SXM4-80GB"},
                                                                  {"A100-SXM-40GB", "A100-SXM4-40GB"},
                                                                  {"Quadro GV100", "V100-QuadroGV100"}}};

}  // namespace

std::optional<std::string> device_key(std::string_view driver_name, std::span<const std::string> known) {
  std::vector<std::string> words = sorted_words(driver_name);
  for (const auto& [name, key] : aliases) {
    if (words == sorted_words(name)) words = sorted_words(key);
  }
  if (words.empty()) return std::nullopt;
  std::vector<std::string> holding;
  for (const std::string& key : known) {
    const std::vector<std::string> key_words = sorted_words(key);
    if (key_words == words || joined(key) == joined(driver_name)) return key;
    if (std::ranges::includes(key_words, words)) holding.push_back(key);
  }
  return holding.size() == 1 ? std::optional(holding.front()) : std::nullopt;
}

std::string new_device_key(std::string_view driver_name) {
  std::string key;
  for (const std::string& word : words_of(driver_name)) key += (key.empty() ? "" : "-") + word;
  return key.empty() ? "unnamed" : key;
}

}  // namespace tilewright
