// Through the window as a user goes: open, select, edit, undo, pin, sweep, cancel, export, save, restore.
#pragma once

#include <QObject>

namespace tilewright::gui {

class WindowTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase();
  void cleanupTestCase();
  void a_slider_moves_the_answer_and_undo_brings_it_back();
  void a_moving_slider_is_followed_at_once_and_searched_when_it_rests();
  void a_bad_file_is_refused_with_its_place_and_the_answer_stays();
  void a_saved_project_opens_with_the_same_figures();
  void every_view_is_drawn_and_exported_in_light_and_dark();
  void the_pinned_baseline_gives_differences();
  void every_control_has_a_name_and_takes_the_focus();
  void dropped_files_are_opened_and_clicks_select_in_all_views();
  void a_saved_session_gives_the_figures_of_a_sweep();
  void a_view_is_exported_by_its_key();
  void what_a_window_that_crashed_left_is_restored_once();
  void a_picture_is_taken_without_a_display();
};

}  // namespace tilewright::gui
