// Clicks, keys, drops and edits at random: the window must neither crash, nor stand still, nor grow.
//   test_random_input [--seed N] [--events N | --seconds S] [--log FILE]
#include <malloc.h>
#include <sys/stat.h>

#include <QAction>
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QSlider>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QUrl>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <thread>

#include "gui/views/main_window.hpp"
#include "gui/views/study_view.hpp"
#include "sim/search/solved.hpp"
#if defined(__SANITIZE_ADDRESS__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace tilewright::gui {
namespace {

constexpr int patience = 150'000;  // ms, on a loaded machine

std::size_t allocated_bytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

class RandomUser {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t events = 0;  // 0: until the seconds are over
    double seconds = 0;
    QString log;
  };

  RandomUser(const Options& options, const QString& folder)
      : options_(options), random_(options.seed), folder_(folder), log_(options.log) {
    if (!options.log.isEmpty() && !log_.open(QIODevice::WriteOnly)) std::printf("no log is written\n");
    QDir::setCurrent(folder);  // whatever a dialog saves lands here
    make_files();
  }

  int run() {
    window_.show();
    window_.set_project({"mobilenet_v2", "edge-systolic-16x16", {}});
    clock_.start();
    std::thread watchdog([this] { watch(); });
    schedule(0);
    QApplication::exec();
    over_ = true;
    watchdog.join();
    return report();
  }

 private:
  struct Size {
    std::int64_t events;
    std::size_t bytes, objects;
  };

  int below(int limit) { return limit <= 0 ? 0 : static_cast<int>(random_() % static_cast<std::uint64_t>(limit)); }
  bool once_in(int times) { return below(times) == 0; }
  template <class List>
  auto any_of(const List& list) {
    return list[static_cast<typename List::size_type>(below(static_cast<int>(list.size())))];
  }

  void say(const QString& what) {
    if (!log_.isOpen()) return;
    log_.write((QString::number(events_) + ' ' + what + '\n').toUtf8());
    log_.flush();
  }

  double done() const {
    return options_.events > 0 ? static_cast<double>(events_) / static_cast<double>(options_.events)
                               : static_cast<double>(clock_.elapsed()) / 1000 / options_.seconds;
  }

  /// Each event asks for the next before it acts, since a dialog that it opens runs a loop of its own.
  void schedule(int ms) {
    QTimer::singleShot(ms, &window_, [this] { tick(); });
  }

  void tick() {
    ++events_;
    if (QApplication::activeModalWidget() != nullptr) {
      schedule(0);
      return in_dialog();
    }
    if (done() >= 1) return finish();
    const double every = 1.0 / static_cast<double>(3 * third_);
    if (done() >= every * static_cast<double>(sizes_.size() + 1)) {
      measure();
      return schedule(0);
    }
    schedule(once_in(50) ? below(200) : 0);
    act();
  }

  /// A dialog gets a few keys and clicks, then it is closed.
  void in_dialog() {
    QWidget* dialog = QApplication::activeModalWidget();
    say(QString("dialog ") + dialog->metaObject()->className());
    if (once_in(2)) return key(*dialog);
    if (once_in(3)) return click(*any_widget(*dialog));
    QTest::keyClick(dialog, Qt::Key_Escape);
    if (dialog == QApplication::activeModalWidget() && once_in(4)) dialog->close();
  }

  void act() {
    if (!window_.isVisible()) window_.show();  // it may have been closed
    QWidget* popup = QApplication::activePopupWidget();
    if (popup != nullptr) {
      say(QString("popup ") + popup->metaObject()->className());
      if (once_in(3)) return popup->close(), void();
      return once_in(2) ? key(*popup) : click(*popup);
    }
    switch (below(16)) {
      case 0:
      case 1:
      case 2: return click(*any_widget(window_));
      case 3: return drag(*any_widget(window_));
      case 4: return wheel(*any_widget(window_));
      case 5:
      case 6: return key(QApplication::focusWidget() != nullptr ? *QApplication::focusWidget() : window_);
      case 7: return shortcut();
      case 8: return drop();
      case 9:
      case 10: return slide();
      case 11: return once_in(2) ? window_.undo_stack().undo() : window_.undo_stack().redo();
      case 12: return study();
      case 13: return look();
      case 14: return select();
      default: return menu();
    }
  }

  QWidget* any_widget(QWidget& in) {
    QList<QWidget*> seen;
    for (QWidget* each : in.findChildren<QWidget*>()) {
      if (each->isVisible() && !each->isWindow()) seen << each;
    }
    return seen.isEmpty() ? &in : any_of(seen);
  }

  QPoint place_in(const QWidget& widget) { return {below(widget.width()), below(widget.height())}; }

  Qt::KeyboardModifiers modifiers() {
    static const QList<Qt::KeyboardModifiers> some{Qt::NoModifier, Qt::NoModifier, Qt::NoModifier, Qt::ShiftModifier,
                                                   Qt::ControlModifier};
    return any_of(some);
  }

  void click(QWidget& on) {
    say(QString("click ") + on.metaObject()->className() + ' ' + on.objectName());
    const QPoint at = place_in(on);
    const QPointer<QWidget> alive(&on);
    const Qt::MouseButton button = once_in(8) ? Qt::RightButton : Qt::LeftButton;
    const Qt::KeyboardModifiers keys = modifiers();
    QTest::mouseClick(&on, button, keys, at);
    if (once_in(6) && alive) QTest::mouseDClick(&on, button, keys, at);
  }

  void drag(QWidget& on) {
    say(QString("drag ") + on.metaObject()->className() + ' ' + on.objectName());
    const Qt::KeyboardModifiers keys = modifiers();
    const QPointer<QWidget> alive(&on);
    QTest::mousePress(&on, Qt::LeftButton, keys, place_in(on));
    for (int i = below(4); i >= 0 && alive; --i) {
      const QPoint to = place_in(on);
      QMouseEvent moved(QEvent::MouseMove, to, on.mapToGlobal(to), Qt::NoButton, Qt::LeftButton, keys);
      QApplication::sendEvent(&on, &moved);
    }
    if (alive) QTest::mouseRelease(&on, Qt::LeftButton, keys, place_in(on));
  }

  void wheel(QWidget& on) {
    say(QString("wheel ") + on.metaObject()->className());
    const QPoint at = place_in(on);
    QWheelEvent turned(at, on.mapToGlobal(at), {}, {below(3) * 120 - 120, below(9) * 120 - 480}, Qt::NoButton,
                       modifiers(), Qt::NoScrollPhase, false);
    QApplication::sendEvent(&on, &turned);
  }

  void key(QWidget& on) {
    static const QList<Qt::Key> keys{Qt::Key_0,    Qt::Key_1,        Qt::Key_9,         Qt::Key_E,      Qt::Key_Minus,
                                     Qt::Key_Plus, Qt::Key_Period,   Qt::Key_G,         Qt::Key_Space,  Qt::Key_Tab,
                                     Qt::Key_Up,   Qt::Key_Down,     Qt::Key_Left,      Qt::Key_Right,  Qt::Key_Home,
                                     Qt::Key_End,  Qt::Key_PageDown, Qt::Key_Backspace, Qt::Key_Delete, Qt::Key_Return,
                                     Qt::Key_F2,   Qt::Key_Escape,   Qt::Key_Enter,     Qt::Key_Menu};
    const Qt::Key pressed = any_of(keys);
    say(QString("key %1 to %2 %3").arg(pressed).arg(on.metaObject()->className(), on.objectName()));
    QTest::keyClick(&on, pressed, modifiers());
  }

  void shortcut() {
    QList<QAction*> actions;
    for (QAction* each : window_.findChildren<QAction*>()) {
      if (!each->shortcut().isEmpty()) actions << each;
    }
    const QKeySequence keys = any_of(actions)->shortcut();
    say("shortcut " + keys.toString());
    QTest::keySequence(&window_, keys);
  }

  void menu() {
    QList<QMenu*> menus = window_.findChildren<QMenu*>();
    QMenu* shown = any_of(menus);
    say("menu " + shown->title());
    shown->popup(window_.mapToGlobal(place_in(window_)));
  }

  void slide() {
    QList<QAbstractSlider*> sliders;
    for (auto* each : window_.findChildren<QAbstractSlider*>()) {
      if (each->isEnabled()) sliders << each;
    }
    QAbstractSlider* slider = any_of(sliders);
    say("slider " + slider->objectName());
    const QPointer<QAbstractSlider> alive(slider);
    if (once_in(2)) slider->setSliderDown(true);
    for (int i = below(4); i >= 0 && alive; --i)
      slider->setValue(slider->minimum() + below(slider->maximum() - slider->minimum() + 1));
    if (alive) slider->setSliderDown(false);
  }

  void drop() {
    if (once_in(3)) files_ << spoilt();
    const QString path = any_of(files_);
    say("drop " + path);
    QMimeData data;
    QList<QUrl> urls{QUrl::fromLocalFile(path)};
    if (once_in(5)) urls << QUrl::fromLocalFile(any_of(files_)) << QUrl("https://example.org/net.onnx");
    data.setUrls(urls);
    if (once_in(10)) data.setText("not a file");
    QDragEnterEvent enter(place_in(window_), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window_, &enter);
    QDropEvent dropped(place_in(window_), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window_, &dropped);
  }

  void study() {
    auto* view = window_.findChild<StudyView*>();
    switch (below(5)) {
      case 0:
        say("study runs");
        view->set_study(any_of(files_));
        return window_.run_study(folder_ + "/results-" + QString::number(below(4)));
      case 1: say("study pauses"); return view->pause();
      case 2:
        say("study file");
        window_.open(folder_ + "/study.yaml");
        return window_.run_study(folder_ + "/results");
      case 3:
        say("networks and chips");
        view->set_study(folder_ + "/joint.yaml");
        return window_.run_study(folder_ + "/joint");
      default: window_.show_view("study"); return;
    }
  }

  void look() {
    say("look");
    switch (below(4)) {
      case 0: return window_.set_dark(once_in(2));
      case 1: return window_.set_language(once_in(2) ? "ru" : "en");
      case 2: return window_.resize(200 + below(1800), 150 + below(1200));
      default: window_.show_view(any_of(window_.view_names())); return;
    }
  }

  void select() {
    say("select");
    if (once_in(8)) window_.resize(1280, 800);
    if (window_.analysis())
      window_.selection().select(below(static_cast<int>(window_.analysis()->result.layers.size())) - 1);
  }

  void write(const QString& name, const QByteArray& bytes) {
    QFile file(folder_ + '/' + name);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) std::printf("cannot write a file\n");
    files_ << file.fileName();
  }

  static QByteArray contents(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }

  void make_files() {
    const QString source = TILEWRIGHT_SOURCE_DIR;
    for (const char* model : {"mobilenet_v2", "resnet18", "mlperf_tiny_kws_dscnn", "squeezenet1_1", "lstm_lm_t35_b20"})
      files_ << source + "/workloads/models/" + model + ".onnx";
    for (const char* chip : {"gemmini-16x16", "a100-sxm4-80gb", "loihi-2", "zcu102-dpu", "xeon-8380"})
      files_ << source + "/arch_models/chips/" + chip + ".yaml";
    whole_ = files_;
    const QByteArray head = "study: s\nworkloads: [mobilenet_v2]\nchips: [edge-systolic-16x16]\n";
    write("study.yaml", head + "vary:\n  chip.compute.rows: [4, 8, 16]\n  chip.clock: [100 MHz, 1 GHz]\n");
    write("long.yaml", head +
                           "vary:\n  chip.compute.rows: [4, 8, 16, 32]\n  chip.compute.cols: [4, 8, 16, 32]\n"
                           "  model.batch: [1, 2, 4, 8, 16, 32]\n  chip.clock: [100 MHz, 200 MHz, 400 MHz, 1 GHz]\n");
    write("joint.yaml", QByteArray("study: j\nspace: nasbench-macro\narchitectures: {sample: 20}\n"
                                   "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
                                   "chips: [" TILEWRIGHT_SOURCE_DIR "/docs/examples/edge_by_parts.yaml]\n"
                                   "vary: {chip.compute.rows: [8, 16, 32]}\n"
                                   "objectives: {maximize: [accuracy], minimize: [latency, area, price]}\n"));
    write("project.yaml", head + "vary:\n  \"chip.compute.rows\": [\"8\"]\nobjective: energy\nengine: roofline\n");
    write("topology.csv", "Layer, IFMAP H, IFMAP W, FH, FW, C, N, S,\nc1, 30, 30, 3, 3, 16, 32, 1,\n");
    whole_ << files_.last();
    write("empty.onnx", "");
    write("empty.yaml", "");
    write("text.onnx", "not a network");
    write("open.yaml", "study: [s\nworkloads: {");
    write("tab.yaml", "\tstudy: s\n");
    write("huge.yaml", head + "vary: {chip.compute.rows: [99999999999999999999, 1e308, -1, 0, nan]}\n");
    write("large.yaml", head + "vary: {chip.compute.rows: [2000000], chip.clock: [1e300 GHz]}\n");
    write("deep.yaml", QByteArray(20'000, '[') + QByteArray(20'000, ']'));
    write("aliases.yaml",
          "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
          "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nstudy: [*d,*d,*d,*d,*d,*d,*d,*d]\n");
    write("huge.csv", "Layer, H, W, FH, FW, C, N, S,\nc, 99999999999, 9223372036854775807, 3, 3, 1, 1, 1,\n");
    write("many.csv", "Layer, H, W, FH, FW, C, N, S,\n" + QByteArray("c, 30, 30, 3, 3, 16, 32, 1,\n").repeated(2000));
    write("lines.yaml", QByteArray("x: 1\n").repeated(150'000));
    write("unicode \xd1\x8f \xf0\x9f\x98\x80.onnx", "\xff\xfe");
    for (const char* name : {"folder.onnx", "folder.yaml"}) {
      QDir().mkpath(folder_ + '/' + name);
      files_ << folder_ + '/' + name;
    }
    ::mkfifo(QFile::encodeName(folder_ + "/pipe.yaml").constData(), 0600);
    ::mkfifo(QFile::encodeName(folder_ + "/pipe.onnx").constData(), 0600);
    files_ << folder_ + "/pipe.yaml" << folder_ + "/pipe.onnx" << folder_ + "/missing.onnx" << folder_ + "/missing.yaml"
           << "/dev/zero"
           << "";
  }

  /// A file that was whole, cut short or with bytes changed.
  QString spoilt() {
    const QString from = any_of(whole_);
    QByteArray bytes = contents(from);
    if (once_in(2)) bytes.truncate(below(static_cast<int>(bytes.size())));
    for (int i = below(20); i > 0 && !bytes.isEmpty(); --i)
      bytes[below(static_cast<int>(bytes.size()))] = static_cast<char>(below(256));
    const QString name = QString("spoilt-%1.%2").arg(below(20)).arg(QFileInfo(from).suffix());
    write(name, bytes);
    files_.removeLast();
    return folder_ + '/' + name;
  }

  /// What the window holds when it shows the same as at the start.
  void measure() {
    say("measure");
    for (QWidget* popup = QApplication::activePopupWidget(); popup != nullptr;
         popup = QApplication::activePopupWidget())
      popup->close();
    if (!window_.isVisible()) window_.show();
    window_.findChild<StudyView*>()->cancel();
    window_.set_language("en");
    window_.resize(1280, 800);
    window_.show_view("graph");
    window_.findChild<QPushButton*>("forget")->click();
    for (QAction* action : window_.findChildren<QAction*>()) {
      if (action->isCheckable() && action->isChecked()) action->trigger();  // the pinned answer
    }
    window_.set_project({"resnet18", "edge-systolic-16x16", {}});
    window_.set_project({"mobilenet_v2", "edge-systolic-16x16", {}});
    settled_ = settled_ && QTest::qWaitFor(
                               [&] {
                                 ++events_;
                                 return window_.analysis() && window_.analysis()->project == window_.project() &&
                                        window_.ready();
                               },
                               patience);
    if (!settled_) {
      std::printf("no rest: %s\n",
                  window_.ready() ? "the answer to the last project is missing" : "a view is still busy");
      return QApplication::quit();
    }
    // Every view shows this project: one that stayed behind another tab would still hold the fields of some other chip.
    for (const QString& view : window_.view_names()) {
      if (view == "timeline") continue;  // it would simulate
      window_.show_view(view);
      QApplication::processEvents();
    }
    window_.show_view("graph");
    QApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    window_.undo_stack().clear();
    forget_solved();  // a few thousand answers, which a run of ten minutes has just collected
    sizes_.push_back({events_, allocated_bytes(), static_cast<std::size_t>(window_.findChildren<QObject*>().size())});
  }

  void finish() {
    measure();
    QApplication::setQuitOnLastWindowClosed(true);
    QApplication::quit();
  }

  /// Ends the process when the window has not taken an event for long.
  void watch() {
    constexpr int most_s = 90;
    std::int64_t before = -1;
    for (int still = 0; !over_; ++still) {
      if (events_ != before) still = 0;
      before = events_;
      if (still > most_s) {
        std::fprintf(stderr, "seed %llu: the window stands still after %lld events\n",
                     static_cast<unsigned long long>(options_.seed), static_cast<long long>(events_));
        std::abort();
      }
      for (int i = 0; i < 10 && !over_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  int report() {
    std::printf("seed %llu: %lld events in %.0f s\n", static_cast<unsigned long long>(options_.seed),
                static_cast<long long>(events_), static_cast<double>(clock_.elapsed()) / 1000);
    for (const Size& size : sizes_)
      std::printf("  after %7lld events %7.1f MB, %zu objects\n", static_cast<long long>(size.events),
                  1e-6 * static_cast<double>(size.bytes), size.objects);
    // What the first third fills (fonts, caches, dialogs) stays. A leak grows on: then even the least of the last third is more than the
    // least of the middle.
    const auto least = [&](std::size_t from, std::size_t to, auto what) {
      double result = std::numeric_limits<double>::infinity();
      for (std::size_t i = from; i < std::min(to, sizes_.size()); ++i)
        result = std::min(result, static_cast<double>(sizes_[i].*what));
      return result;
    };
    constexpr std::int64_t warm =
        5000;  // events; a shorter run still fills its caches and opens views for the first time
    constexpr double allowed_bytes = 16e6, allowed_objects = 40;
    const double bytes = least(2 * third_, 3 * third_, &Size::bytes) - least(third_, 2 * third_, &Size::bytes),
                 objects = least(2 * third_, 3 * third_, &Size::objects) - least(third_, 2 * third_, &Size::objects);
    std::printf("grown by %.1f MB and %.0f objects\n", 1e-6 * bytes, objects);
    const bool grown = events_ >= warm && (bytes > allowed_bytes || objects > allowed_objects);
    return settled_ && !grown ? 0 : 1;
  }

  Options options_;
  std::mt19937_64 random_;
  QString folder_;
  QFile log_;
  MainWindow window_;
  QStringList files_, whole_;
  QElapsedTimer clock_;
  std::vector<Size> sizes_;
  const std::size_t third_ =
      options_.seconds > 0 ? 10 : 3;  // of the times that the window is weighed; a run by the clock is a long one
  bool settled_ = true;
  std::atomic<std::int64_t> events_{0};
  std::atomic<bool> over_{false};
};

}  // namespace
}  // namespace tilewright::gui

int main(int argc, char** argv) {
  QStandardPaths::setTestModeEnabled(true);
  QApplication application(argc, argv);
  QApplication::setApplicationName(QString("tilewright-random-%1").arg(QCoreApplication::applicationPid()));
  QApplication::setStyle("fusion");
  QApplication::setQuitOnLastWindowClosed(false);
  QApplication::setDoubleClickInterval(50);
  QCommandLineParser options;
  const QCommandLineOption seed("seed", "of the random numbers", "N", "1"), events("events", "how many", "N", "0"),
      seconds("seconds", "how long, where no number of events is given", "S", "10"),
      log("log", "where each event is noted before it happens", "FILE");
  options.addOptions({seed, events, seconds, log});
  options.process(application);
  const QTemporaryDir folder;
  return tilewright::gui::RandomUser({options.value(seed).toULongLong(), options.value(events).toLongLong(),
                                      options.value(seconds).toDouble(), options.value(log)},
                                     folder.path())
      .run();
}
