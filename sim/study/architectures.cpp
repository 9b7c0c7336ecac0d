#include "sim/study/architectures.hpp"

#include <fmt/format.h>

namespace tilewright {
namespace {

constexpr std::int64_t most_listed = 1'000'000;

void add(ArchitectureList& list, Architecture architecture, const Value* where) {
  std::string code = code_of(list.space, architecture);
  if (!list.position.emplace(code, list.codes.size()).second) {
    if (where != nullptr) where->fail(fmt::format("'{}' stands here twice", shown(code)));
    return;
  }
  list.codes.push_back(std::move(code));
  list.architectures.push_back(std::move(architecture));
}

}  // namespace

ArchitectureList list_architectures(SearchSpace space, const Value& root, const AccuracySource* accuracy,
                                    std::uint64_t seed) {
  ArchitectureList list{std::move(space), {}, {}, {}};
  const auto which = root.find("architectures");
  if (which && which->is_list()) {
    for (const Value& item : which->items()) {
      const auto architecture = architecture_of(list.space, item.as_string());
      if (!architecture)
        item.fail(fmt::format("'{}' is no code of {}; one is {}", shown(item.as_string()), list.space.name,
                              code_of(list.space, Architecture(list.space.choices.size(), 0))));
      add(list, *architecture, &item);
    }
    return list;
  }
  if (which && which->is_map()) {
    for (Architecture& architecture : drawn_architectures(list.space, which->at("sample").as_int(1, most_listed), seed))
      add(list, std::move(architecture), nullptr);
    return list;
  }
  const std::vector<std::string> scored = accuracy == nullptr ? std::vector<std::string>{} : accuracy->scored();
  const std::string word = which            ? which->as_choice("architectures", {"all", "scored"})
                           : scored.empty() ? "all"
                                            : "scored";
  if (word == "scored") {
    if (scored.empty()) which->fail("no table of `accuracy` has a code of this space");
    for (const std::string& code : scored) add(list, *architecture_of(list.space, code), nullptr);
    return list;
  }
  const std::int64_t size = space_size(list.space);
  if (size < 0 || size > most_listed)
    (which ? *which : root.at("space"))
        .fail(fmt::format("{} has {} architectures; a study lists a million at most: architectures: {{sample: 10000}}",
                          list.space.name, size < 0 ? "more than 2^62" : fmt::format("{}", size)));
  for (std::int64_t i = 0; i < size; ++i) add(list, architecture_at(list.space, i), nullptr);
  return list;
}

std::vector<std::size_t> choice_sizes(const SearchSpace& space) {
  std::vector<std::size_t> sizes;
  for (const Choice& choice : space.choices) sizes.push_back(choice.values.size());
  return sizes;
}

std::size_t nearest(const ArchitectureList& list, const Architecture& wanted,
                    const std::function<bool(std::size_t)>& open) {
  const auto found = list.position.find(code_of(list.space, wanted));
  if (found != list.position.end() && (!open || open(found->second))) return found->second;
  std::size_t best = list.architectures.size(), least = wanted.size() + 1;
  for (std::size_t i = 0; i < list.architectures.size(); ++i) {
    const std::size_t differing = distance(list.space, wanted, list.architectures[i]);
    if (differing < least && (!open || open(i))) best = i, least = differing;
  }
  return best < list.architectures.size() ? best : nearest(list, wanted);
}

}  // namespace tilewright
