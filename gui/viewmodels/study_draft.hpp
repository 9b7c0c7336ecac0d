// A study that is put together in the window, as the text of its file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gui/viewmodels/knobs.hpp"

namespace tilewright::gui {

/// Networks that a study can choose among: a search space with scores that come with the project.
struct ScoredSpace {
  std::string title;     // "NAS-Bench-Macro, CIFAR-10"
  std::string space;     // its name
  std::string accuracy;  // value of the key `accuracy` of a study
};
const std::vector<ScoredSpace>& scored_spaces();

struct DraftGoal {
  std::string metric;
  bool maximize = false;
};
/// What a draft can aim at, the usual ones first.
const std::vector<DraftGoal>& draft_goals();

struct StudyDraft {
  Project project;                                        // its changes; its network where no space is chosen
  const ScoredSpace* space = nullptr;                     // null: the project's network alone
  std::string chips;                                      // as typed: "l4, tpu-v4i"
  std::vector<std::pair<std::string, std::string>> axes;  // key and its values as typed: "8, 16, 32"
  std::vector<DraftGoal> goals;
  Strategy strategy = Strategy::grid;
  std::int64_t budget = 0;  // of strategies other than the grid
};

/// As an axis is typed: all of a few values, such as number formats; else half of the file's value, itself and twice it, fewer where the slider ends.
std::string usual_values(const Knob& knob);

/// Not checked: parse_study says what is wrong with it. Accuracy is no goal without a space.
std::string draft_text(const StudyDraft& draft);

}  // namespace tilewright::gui
