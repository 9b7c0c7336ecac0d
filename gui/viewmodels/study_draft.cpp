#include "gui/viewmodels/study_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "gui/viewmodels/project.hpp"

namespace tilewright::gui {

const std::vector<ScoredSpace>& scored_spaces() {
  static const std::vector<ScoredSpace> spaces = [] {
    std::vector<ScoredSpace> list{{"NAS-Bench-Macro, CIFAR-10", "nasbench-macro",
                                   "{table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}"}};
    for (const char* data : {"ABank", "AGE", "RBchurn", "VBank"})
      list.push_back({fmt::format("SeqNAS, {}", data), "seqnas",
                      fmt::format("{{table: seqnas.csv, score: score, where: {{dataset: {}}}}}", data)});
    return list;
  }();
  return spaces;
}

const std::vector<DraftGoal>& draft_goals() {
  static const std::vector<DraftGoal> goals{{"latency", false}, {"energy", false}, {"accuracy", true},  {"area", false},
                                            {"price", false},   {"power", false},  {"throughput", true}};
  return goals;
}

std::string usual_values(const Knob& knob) {
  constexpr int few = 4, twice = 2;  // values; positions of the slider
  const int size = static_cast<int>(knob.values.size());
  std::string text;
  for (int at = 0; at < size; ++at) {
    const bool usual = size <= few || at == knob.own || std::abs(at - knob.own) == twice;
    if (usual) text += (text.empty() ? "" : ", ") + knob.values[static_cast<std::size_t>(at)];
  }
  return text;
}

std::string draft_text(const StudyDraft& draft) {
  std::string text = "study: from the window\n";
  if (draft.space != nullptr) {
    text += fmt::format("space: {}\narchitectures: scored\naccuracy: {}\n", draft.space->space, draft.space->accuracy);
  } else {
    text += fmt::format("workloads: [{}]\n", quoted(draft.project.workload));
  }
  text += fmt::format("chips: [{}]\n", draft.chips);
  std::vector<std::pair<std::string, std::string>> axes = draft.axes;
  for (const auto& [key, value] : draft.project.changes) {  // what is turned but not varied stays as it is
    const bool varied = std::ranges::find(axes, key, &std::pair<std::string, std::string>::first) != axes.end();
    if (!varied && (draft.space == nullptr || key.starts_with("chip."))) axes.emplace_back(key, quoted(value));
  }
  if (!axes.empty()) text += "vary:\n";
  for (const auto& [key, values] : axes) text += fmt::format("  {}: [{}]\n", quoted(key), values);
  text += "objectives:\n";
  for (const bool maximize : {false, true}) {
    std::string words;
    for (const DraftGoal& goal : draft.goals) {
      if (goal.maximize == maximize && (draft.space != nullptr || goal.metric != "accuracy"))
        words += (words.empty() ? "" : ", ") + goal.metric;
    }
    if (!words.empty()) text += fmt::format("  {}: [{}]\n", maximize ? "maximize" : "minimize", words);
  }
  if (draft.strategy != Strategy::grid)
    text += fmt::format("search: {{strategy: {}, budget: {}}}\n", name(draft.strategy), draft.budget);
  return text + evaluation_text(draft.project);
}

}  // namespace tilewright::gui
