// Through the tabs that play, simulate and edit.
#pragma once

#include <QObject>

namespace tilewright::gui {

class TabsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase();
  void tiles_are_stepped_played_and_followed_down_to_the_array();
  void the_schedule_is_simulated_zoomed_selected_and_exported();
  void a_simulation_is_cancelled();
  void a_figure_of_the_chip_is_checked_edited_undone_and_saved();
  void all_keys_stand_on_the_sheet_and_do_what_it_says();
};

}  // namespace tilewright::gui
