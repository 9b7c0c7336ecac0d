// Through the window as a user goes: open, select, edit, undo, pin, export, save, restore.
#pragma once

#include <QObject>

namespace tilewright::gui {

class WindowTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase();
  void a_slider_moves_the_answer_and_undo_brings_it_back();
  void a_moving_slider_is_followed_at_once_and_searched_when_it_rests();
  void a_bad_file_is_refused_with_its_place_and_the_answer_stays();
  void a_saved_project_opens_with_the_same_figures();
  void every_view_is_drawn_and_exported_in_light_and_dark();
  void the_pinned_baseline_gives_differences();
  void every_control_has_a_name_and_takes_the_focus();
};

}  // namespace tilewright::gui
