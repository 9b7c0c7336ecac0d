#include "workloads/space/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "core/checked.hpp"
#include "core/data_folder.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_architectures = std::int64_t{1} << 62;

std::string library() { return data_folder(TILEWRIGHT_WORKLOADS_FOLDER, "workloads", "spaces"); }

std::vector<std::string> names_of(const std::vector<Choice>& choices) {
  std::vector<std::string> names;
  for (const Choice& choice : choices) names.push_back(choice.name);
  return names;
}

std::size_t position_of(const std::vector<Choice>& choices, const std::string& name, const Value& where) {
  const auto found = std::ranges::find(choices, name, &Choice::name);
  if (found == choices.end()) where.fail(unknown_message("choice", name, names_of(choices)));
  return static_cast<std::size_t>(found - choices.begin());
}

std::vector<std::string> values_of(const Value& list) {
  std::vector<std::string> values;
  for (const Value& item : list.items()) {
    values.push_back(item.as_string());
    if (std::ranges::count(values, values.back()) > 1)
      item.fail(fmt::format("'{}' stands here twice", shown(values.back())));
  }
  if (values.empty()) list.fail("the list is empty");
  return values;
}

Choice choice_of(const std::string& name, const Value& value, const std::vector<Choice>& before) {
  Choice choice{name, {}, {}, {}, {}};
  if (value.is_list()) {
    choice.values = values_of(value);
    return choice;
  }
  choice.values = values_of(value.at("values"));
  const Value when = value.at("when");
  const std::vector<std::string> keys = when.keys();
  if (keys.size() != 1) when.fail("names one earlier choice and its values, such as {layers: [2, 4]}");
  choice.controller = position_of(before, keys.front(), when);
  const Choice& controller = before[*choice.controller];
  choice.when.assign(controller.values.size(), false);
  for (const Value& item : when.at(keys.front()).items()) {
    const std::string word = item.as_choice("value of " + controller.name, controller.values);
    choice.when[static_cast<std::size_t>(std::ranges::find(controller.values, word) - controller.values.begin())] =
        true;
  }
  if (const auto otherwise = value.find("otherwise")) choice.otherwise = otherwise->as_string();
  return choice;
}

/// Text of a template. `used`: the choices that it names.
std::string filled(const SearchSpace& space, const std::string& pattern, const Architecture& architecture,
                   std::set<std::size_t>* used, const Value* where) {
  std::string text, part;
  bool optional = false, shown_part = true;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    std::string& target = optional ? part : text;
    const char c = pattern[at];
    if (c == '[' || c == ']') {
      if (where != nullptr && optional == (c == '[')) where->fail("[ and ] come in pairs, not one in the other");
      if (c == ']' && shown_part) text += part;
      part.clear();
      optional = c == '[';
      shown_part = true;
    } else if (c == '{') {
      const std::size_t end = pattern.find('}', at);
      if (where != nullptr && end == std::string::npos) where->fail("a { has no }");
      const std::string name = pattern.substr(at + 1, end == std::string::npos ? end : end - at - 1);
      const std::size_t choice =
          where != nullptr
              ? position_of(space.choices, name, *where)
              : static_cast<std::size_t>(std::ranges::find(space.choices, name, &Choice::name) - space.choices.begin());
      if (used != nullptr) used->insert(choice);
      const bool open = is_open(space, architecture, choice);
      shown_part &= open;
      target += open ? space.choices[choice].values[architecture[choice]] : space.choices[choice].otherwise;
      at = end;
    } else {
      target += c;
    }
  }
  if (where != nullptr && optional) where->fail("[ and ] come in pairs, not one in the other");
  return text;
}

std::size_t choice_at(const SearchSpace& space, const std::string& pattern, std::size_t at) {
  const std::string name = pattern.substr(at + 1, pattern.find('}', at) - at - 1);
  return static_cast<std::size_t>(std::ranges::find(space.choices, name, &Choice::name) - space.choices.begin());
}

/// Reads a code against its pattern from `at` and `from` on; a choice may have values of which one begins like another.
bool matches(const SearchSpace& space, std::string_view code, std::size_t at, std::size_t from,
             Architecture& architecture) {
  const std::string& pattern = space.code;
  if (at == pattern.size()) return from == code.size();
  if (pattern[at] == '[') {
    const std::size_t end = pattern.find(']', at);
    bool open = true;
    for (std::size_t c = pattern.find('{', at); c < end; c = pattern.find('{', c + 1))
      open &= is_open(space, architecture, choice_at(space, pattern, c));
    return matches(space, code, open ? at + 1 : end + 1, from, architecture);
  }
  if (pattern[at] == ']') return matches(space, code, at + 1, from, architecture);
  if (pattern[at] != '{')
    return from < code.size() && code[from] == pattern[at] && matches(space, code, at + 1, from + 1, architecture);
  const std::size_t c = choice_at(space, pattern, at), next = pattern.find('}', at) + 1;
  const Choice& choice = space.choices[c];
  if (!is_open(space, architecture, c))
    return code.substr(from).starts_with(choice.otherwise) &&
           matches(space, code, next, from + choice.otherwise.size(), architecture);
  for (std::size_t value = 0; value < choice.values.size(); ++value) {
    architecture[c] = value;
    if (code.substr(from).starts_with(choice.values[value]) &&
        matches(space, code, next, from + choice.values[value].size(), architecture))
      return true;
  }
  architecture[c] = 0;
  return false;
}

std::int64_t count(const SearchSpace& space, std::size_t choice);

/// Architectures of what hangs on the choice when it has this value.
std::int64_t count_below(const SearchSpace& space, std::size_t choice, std::size_t value) {
  std::int64_t product = 1;
  for (std::size_t c = choice + 1; c < space.choices.size(); ++c) {
    if (space.choices[c].controller == choice && space.choices[c].when[value])
      product = checked_mul(product, count(space, c));
  }
  return product;
}

std::int64_t count(const SearchSpace& space, std::size_t choice) {
  std::int64_t sum = 0;
  for (std::size_t value = 0; value < space.choices[choice].values.size(); ++value)
    sum = checked_add(sum, count_below(space, choice, value));
  return sum;
}

/// Choices that hang on `parent` at `value`; without a parent those that are always open.
std::vector<std::size_t> open_children(const SearchSpace& space, std::optional<std::size_t> parent, std::size_t value) {
  std::vector<std::size_t> children;
  for (std::size_t c = 0; c < space.choices.size(); ++c) {
    const Choice& choice = space.choices[c];
    if (choice.controller == parent && (!parent || choice.when[value])) children.push_back(c);
  }
  return children;
}

void unrank(const SearchSpace& space, const std::vector<std::size_t>& siblings, std::int64_t index,
            Architecture& architecture) {
  for (auto choice = siblings.rbegin(); choice != siblings.rend(); ++choice) {
    const std::int64_t size = count(space, *choice);
    std::int64_t rest = index % size;
    index /= size;
    std::size_t value = 0;
    for (std::int64_t below = count_below(space, *choice, value); rest >= below;
         below = count_below(space, *choice, value)) {
      rest -= below;
      ++value;
    }
    architecture[*choice] = value;
    unrank(space, open_children(space, *choice, value), rest, architecture);
  }
}

}  // namespace

std::vector<std::string> space_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(library())) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

SearchSpace load_space(const std::string& name) {
  const bool is_path = name.ends_with(".yaml") || name.find('/') != std::string::npos;
  const std::vector<std::string> known = space_names();
  if (!is_path && std::ranges::find(known, name) == known.end())
    throw InputError({shown(name), 0, 0, {}}, unknown_message("search space (nor a .yaml file)", name, known));
  SearchSpace space;
  space.path = is_path ? name : library() + "/" + name + ".yaml";
  constexpr std::int64_t most_bytes = std::int64_t{16} << 20;
  space.text = read_file(space.path, most_bytes);
  const Value root = parse_yaml(space.text, space.path);
  space.name = root.at("space").as_string();
  if (const auto summary = root.find("summary")) space.summary = summary->as_string();
  if (const auto source = root.find("source")) space.source = source->as_string();
  const Value choices = root.at("choices");
  for (const std::string& key : choices.keys()) space.choices.push_back(choice_of(key, choices.at(key), space.choices));
  if (space.choices.empty()) choices.fail("names no choice");
  const Value workload = root.at("workload");
  space.workload = workload.as_string();
  const auto code = root.find("code");
  space.code = code ? code->as_string() : space.workload;
  const Architecture first(space.choices.size(), 0);
  filled(space, space.workload, first, nullptr, &workload);
  std::set<std::size_t> used;
  const Value where = code ? *code : workload;
  filled(space, space.code, first, &used, &where);
  for (std::size_t c = 0; c < space.choices.size(); ++c) {
    if (!used.contains(c))
      where.fail(fmt::format("does not name the choice '{}': architectures that differ in it would be one",
                             space.choices[c].name));
  }
  for (std::size_t c = 0; c < space.choices.size(); ++c) {
    const auto place = [&](std::size_t choice) { return space.code.find("{" + space.choices[choice].name + "}"); };
    if (space.choices[c].controller && place(*space.choices[c].controller) > place(c))
      where.fail(fmt::format("names '{}' before '{}', which decides about it", space.choices[c].name,
                             space.choices[*space.choices[c].controller].name));
  }
  root.reject_unread_keys();
  return space;
}

std::int64_t space_size(const SearchSpace& space) {
  try {
    std::int64_t size = 1;
    for (const std::size_t root : open_children(space, std::nullopt, 0)) size = checked_mul(size, count(space, root));
    return size <= most_architectures ? size : -1;
  } catch (const OverflowError&) { return -1; }
}

Architecture architecture_at(const SearchSpace& space, std::int64_t index) {
  Architecture architecture(space.choices.size(), 0);
  unrank(space, open_children(space, std::nullopt, 0), index, architecture);
  return architecture;
}

bool is_open(const SearchSpace& space, const Architecture& architecture, std::size_t choice) {
  for (std::optional<std::size_t> c = choice; space.choices[*c].controller; c = space.choices[*c].controller) {
    if (!space.choices[*c].when[architecture[*space.choices[*c].controller]]) return false;
  }
  return true;
}

Architecture canonical(const SearchSpace& space, Architecture architecture) {
  for (std::size_t c = 0; c < architecture.size(); ++c) {
    if (!is_open(space, architecture, c)) architecture[c] = 0;
  }
  return architecture;
}

std::string workload_of(const SearchSpace& space, const Architecture& architecture) {
  return filled(space, space.workload, architecture, nullptr, nullptr);
}

std::string code_of(const SearchSpace& space, const Architecture& architecture) {
  return filled(space, space.code, architecture, nullptr, nullptr);
}

std::optional<Architecture> architecture_of(const SearchSpace& space, const std::string& code) {
  Architecture architecture(space.choices.size(), 0);
  if (!matches(space, code, 0, 0, architecture)) return std::nullopt;
  return canonical(space, std::move(architecture));
}

std::vector<Architecture> drawn_architectures(const SearchSpace& space, std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Architecture> drawn;
  std::set<Architecture> seen;
  constexpr int most_repeats = 1000;  // one after the other
  for (int repeats = 0; static_cast<std::int64_t>(drawn.size()) < count && repeats < most_repeats;) {
    Architecture architecture(space.choices.size(), 0);
    for (std::size_t c = 0; c < architecture.size(); ++c) architecture[c] = random() % space.choices[c].values.size();
    architecture = canonical(space, std::move(architecture));
    if (seen.insert(architecture).second) {
      drawn.push_back(std::move(architecture));
      repeats = 0;
    } else {
      ++repeats;
    }
  }
  return drawn;
}

std::size_t distance(const SearchSpace& space, const Architecture& a, const Architecture& b) {
  std::size_t differing = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    const bool open = is_open(space, a, c);
    differing += open != is_open(space, b, c) || (open && a[c] != b[c]);
  }
  return differing;
}

}  // namespace tilewright
