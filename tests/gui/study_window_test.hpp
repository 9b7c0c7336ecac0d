// Studies through the window, and the keys of its plots.
#pragma once

#include <QObject>

namespace tilewright::gui {

class StudyWindowTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase();
  void cleanupTestCase();
  void a_study_is_swept_cancelled_and_gone_on_with();
  void networks_and_chips_are_designed_together_paused_brushed_and_exported();
  void a_study_is_put_together_in_a_dialog_and_runs();
  void a_point_of_the_table_is_marked_and_shown_in_all_views();
  void a_study_that_cannot_be_read_says_where();
  void every_panel_copies_its_own_command_line();
  void the_keys_of_plots_do_what_the_sheet_says();
};

}  // namespace tilewright::gui
