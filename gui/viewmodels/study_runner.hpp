// Runs a study off the GUI thread.
#pragma once

#include <QObject>
#include <atomic>
#include <thread>

#include "gui/viewmodels/study_results.hpp"

namespace tilewright::gui {

class StudyRunner : public QObject {
  Q_OBJECT

 public:
  explicit StudyRunner(QObject* parent = nullptr);
  ~StudyRunner() override;

  /// Runs what the folder does not hold yet. Precondition: not running.
  void start(const QString& study_file, const QString& folder, int jobs);
  /// Points that are finished stay stored, those at work give up; the same study goes on from there.
  void stop() { stop_ = true; }
  bool running() const { return running_; }

 Q_SIGNALS:
  void progressed(qint64 stored, qint64 points, double points_per_s);
  /// `complete`: nothing is left to run.
  void finished(bool complete, std::shared_ptr<const tilewright::gui::StudyResults> results);
  void refused(const QString& reason);

 private:
  void run(const std::string& study_file, const std::string& folder, int jobs);

  std::atomic<bool> stop_{false}, running_{false};
  std::thread thread_;
};

}  // namespace tilewright::gui
