#include <algorithm>

#include "sim/study/metrics.hpp"
#include "sim/study/surrogate.hpp"

namespace tilewright {
namespace {

bool of_the_chip(const std::string& key) { return key == "chip" || key.starts_with("chip."); }

/// Whether a coordinate may change a figure.
bool decides(const StudyRequest& request, std::string_view metric, const std::string& key) {
  if (metric == "area" || metric == "price") return of_the_chip(key);
  if (metric != "accuracy" || !request.accuracy) return true;
  const std::vector<std::string> read = request.accuracy->reads();
  return std::find(read.begin(), read.end(), key) != read.end();
}

}  // namespace

Position on_surrogate_axes(const StudyRequest& request, const Position& position) {
  if (!request.architectures) return position;
  constexpr std::ptrdiff_t arch = 2;  // behind workload and chip
  const Architecture& choices = request.architectures->architectures[position[arch]];
  Position seen(position.begin(), position.begin() + arch);
  seen.insert(seen.end(), choices.begin(), choices.end());
  seen.insert(seen.end(), position.begin() + arch + 1, position.end());
  return seen;
}

SurrogateOptions surrogate_axes(const StudyRequest& request) {
  struct SeenAxis {
    std::vector<std::string> keys;
    std::size_t size = 0;
    bool ordered = false;
  };
  std::vector<SeenAxis> axes{{{"workload"}, request.workloads.size()}, {{"chip"}, request.chips.size()}};
  for (const auto& group : request.axes) {
    SeenAxis axis{{}, group.front().values.size(), true};
    for (const StudyAxis& each : group) axis.keys.push_back(each.key);
    if (axis.keys.front() != "arch") {
      axes.push_back(std::move(axis));
      continue;
    }
    for (const std::size_t size : choice_sizes(request.architectures->space)) axes.push_back({{"arch"}, size, false});
  }
  SurrogateOptions options;
  options.proposals = request.proposals;
  for (const SeenAxis& axis : axes) options.spans.push_back(axis.ordered ? static_cast<double>(axis.size) - 1 : 0);
  for (const StudyGoal& goal : request.goals) {
    options.reads.emplace_back();
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const auto changes = [&](const std::string& key) {
        return decides(request, study_metrics()[goal.metric].name, key);
      };
      if (axes[a].size > 1 && std::any_of(axes[a].keys.begin(), axes[a].keys.end(), changes))
        options.reads.back().push_back(a);
    }
  }
  options.code = [architectures = request.architectures](const Position& position) {
    std::vector<int> code(position.begin(), position.end());
    if (!architectures) return code;
    const SearchSpace& space = architectures->space;
    constexpr std::size_t first = 2;  // behind workload and chip
    const Architecture choices(position.begin() + first,
                               position.begin() + first + static_cast<std::ptrdiff_t>(space.choices.size()));
    for (std::size_t c = 0; c < choices.size(); ++c) {
      if (!is_open(space, choices, c)) code[first + c] = -1;
    }
    return code;
  };
  return options;
}

}  // namespace tilewright
