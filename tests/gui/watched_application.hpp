// How long the GUI thread was kept by one event, in its own CPU time: what else runs on the machine does not count.
#pragma once

#include <QApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QMetaEnum>
#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

namespace tilewright::gui {

struct GuiCall {
  std::string during, what;  // the step of the script; receiver and event
  double ms = 0;
};

class WatchedApplication : public QApplication {
 public:
  using QApplication::QApplication;

  /// The step that the next calls belong to.
  void begin(std::string step) { step_ = std::move(step); }
  /// A call of the window's own functions, as a menu would make it.
  template <class Does>
  void call(const std::string& what, const Does& does) {
    const Guard guard(*this, what);
    does();
  }
  bool notify(QObject* receiver, QEvent* event) override {
    if (depth_ > 0) return QApplication::notify(receiver, event);
    const Guard guard(*this, std::string(receiver->metaObject()->className()) + ' ' +
                                 QMetaEnum::fromType<QEvent::Type>().valueToKey(event->type()));
    return QApplication::notify(receiver, event);
  }
  /// The longest calls, the worst first.
  std::vector<GuiCall> worst(std::size_t most) const {
    std::vector<GuiCall> calls = calls_;
    std::sort(calls.begin(), calls.end(), [](const GuiCall& a, const GuiCall& b) { return a.ms > b.ms; });
    calls.resize(std::min(most, calls.size()));
    return calls;
  }
  std::size_t count() const { return count_; }

 private:
  /// Only the outermost delivery is timed: what it sends on is part of it.
  class Guard {
   public:
    Guard(WatchedApplication& application, std::string what)
        : application_(application), what_(std::move(what)), start_(cpu_ms()) {
      ++application_.depth_;
    }
    ~Guard() {
      if (--application_.depth_ > 0) return;
      ++application_.count_;
      const double ms = cpu_ms() - start_;
      constexpr double worth_keeping = 1;
      if (ms >= worth_keeping) application_.calls_.push_back({application_.step_, std::move(what_), ms});
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    WatchedApplication& application_;
    std::string what_;
    double start_;
  };

  static double cpu_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
  }

  std::string step_;
  std::vector<GuiCall> calls_;
  std::size_t count_ = 0;
  int depth_ = 0;
};

}  // namespace tilewright::gui
