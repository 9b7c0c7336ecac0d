// Answers projects off the GUI thread; of several requests that wait only the latest is answered.
#pragma once

#include <QObject>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

class Analyst : public QObject {
  Q_OBJECT

 public:
  explicit Analyst(QObject* parent = nullptr);
  ~Analyst() override;

  /// Returns at once. One of `answered` and `refused` follows unless a later request takes its place.
  void ask(const Project& project);

 Q_SIGNALS:
  void asked();
  void answered(tilewright::gui::AnalysisPtr analysis, double seconds);
  void refused(tilewright::gui::Project project, QString reason);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Project> waiting_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace tilewright::gui
