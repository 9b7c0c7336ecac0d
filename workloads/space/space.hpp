// Search spaces of networks: choices, and how a choice of each becomes a workload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/document.hpp"

namespace tilewright {

/// One decision. It is open where its controller, an earlier choice, has one of the values `when`; where it is not, it has no value and its
/// text is `otherwise`.
struct Choice {
  std::string name;
  std::vector<std::string> values;
  std::optional<std::size_t> controller;
  std::vector<bool> when;  // by value of the controller
  std::string otherwise;
};

/// A position for each choice; 0 where it is not open.
using Architecture = std::vector<std::size_t>;

struct SearchSpace {
  std::string name, summary, source, path;
  std::string text;  // of the file
  std::vector<Choice> choices;
  /// Templates: {NAME} is the text of a choice, [ ... ] is left out where a choice in it is not open.
  std::string workload, code;
};

/// A name of the library (workloads/spaces) or a path to a .yaml file. Keys: space summary source choices workload code. A choice is a list, or
/// {values: [...], when: {NAME: [...]}, otherwise: TEXT}. InputError: unknown keys, a choice that a template does not know or that none uses,
/// a controller that stands later, in the file or in the code.
SearchSpace load_space(const std::string& name);
std::vector<std::string> space_names();

/// Number of different architectures; -1: more than 2^62.
std::int64_t space_size(const SearchSpace& space);
/// The architectures in order: the first choice slowest. Precondition: 0 <= index < space_size.
Architecture architecture_at(const SearchSpace& space, std::int64_t index);

/// False where the choice's controller, or that one's, rules it out.
bool is_open(const SearchSpace& space, const Architecture& architecture, std::size_t choice);
/// The same with 0 wherever a choice is not open.
Architecture canonical(const SearchSpace& space, Architecture architecture);
/// What a generator builds: "nasbench_macro:arch=01210002".
std::string workload_of(const SearchSpace& space, const Architecture& architecture);
/// Names the architecture in tables; different architectures may have equal workloads (dropout), never equal codes.
std::string code_of(const SearchSpace& space, const Architecture& architecture);

/// The architecture of a code; none: no architecture of the space has it.
std::optional<Architecture> architecture_of(const SearchSpace& space, const std::string& code);

/// `count` different architectures, or fewer where the space seems to hold no more: each open choice is drawn with equal chances. The same for the same arguments.
std::vector<Architecture> drawn_architectures(const SearchSpace& space, std::int64_t count, std::uint64_t seed);

/// Number of choices that differ; a choice open in one of the two alone differs.
std::size_t distance(const SearchSpace& space, const Architecture& a, const Architecture& b);

}  // namespace tilewright
