// A picture of every view, the shortcut sheet and the empty window at 1280 x 800, light and dark, in English and Russian, and whether all of it can be read.
//   test_pictures [--scale 2] [--keep FOLDER]
#include <QAction>
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QImage>
#include <QSet>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>

#include "core/text_file.hpp"
#include "gui/views/compare_view.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/shortcut_sheet.hpp"
#include "gui/views/study_dialog.hpp"
#include "gui/views/study_view.hpp"
#include "tests/gui/layout_faults.hpp"

namespace tilewright::gui {
namespace {

constexpr int patience = 250'000;  // ms, on a loaded machine
constexpr QSize size(1280, 800);

class Pictures {
 public:
  Pictures(const QString& folder, double scale) : folder_(folder), scale_(scale) {}

  int take() {
    const std::string study_file = (folder_ + "/study.yaml").toStdString();
    write_file(study_file,
               "study: rows and bandwidth\nworkloads: [mobilenet_v2]\nchips: [edge-systolic-16x16]\n"
               "vary:\n  chip.compute.rows: [4, 8, 16, 32]\n  chip.levels.DRAM.bandwidth: [1 GB/s, 4 GB/s, 16 GB/s]\n"
               "objectives: {minimize: [latency, energy]}\n");
    window_.show();
    window_.set_project({"gemm:m=64,n=64,k=64", "a100-sxm4-80gb", {}});
    wait();
    window_.show_view("compare");
    window_.findChild<CompareView*>()->keep();
    window_.open(QString::fromStdString(study_file));
    wait();
    window_.run_study(folder_ + "/results");
    const QString joint = folder_ + "/joint.yaml";
    write_file(joint.toStdString(),
               "study: networks and chips\nspace: nasbench-macro\narchitectures: {sample: 30}\n"
               "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
               "chips: [" TILEWRIGHT_SOURCE_DIR
               "/docs/examples/edge_by_parts.yaml]\n"
               "vary:\n  chip.compute.rows: [8, 16, 32]\n  chip.levels.Scratchpad.capacity: [64 KiB, 256 KiB]\n"
               "objectives: {maximize: [accuracy], minimize: [latency, energy, area, price]}\n");
    window_.selection().select(3);
    for (const bool russian : {false, true}) {
      window_.set_language(russian ? "ru" : "en");
      for (const bool dark : {false, true}) {
        window_.set_dark(dark);
        for (const QString& view : window_.view_names()) picture(view, name_of(view, dark, russian));
        study(folder_ + "/joint.yaml", folder_ + "/joint");
        picture("study", name_of("codesign", dark, russian));
        study(QString::fromStdString(study_file), folder_ + "/results");
        sheet(name_of("keys", dark, russian));
        StudyDialog draft(window_.project(), knobs(*window_.analysis()), &window_);
        draft.show();
        shot(draft, name_of("draft", dark, russian));
        start(name_of("start", dark, russian));
      }
      (russian ? russian_ : english_) = words_of(window_);
    }
    untranslated();
    std::printf("%d pictures in %s, %d faults\n", pictures_, qUtf8Printable(folder_), faults_);
    return faults_ == 0 ? 0 : 1;
  }

 private:
  void wait() {
    const auto before = window_.analysis();
    if (!QTest::qWaitFor([&] { return window_.analysis() != before; }, patience)) fault("the window", "no answer");
  }

  void fault(const QString& where, const QString& what) {
    ++faults_;
    std::printf("%s: %s\n", qUtf8Printable(where), qUtf8Printable(what));
  }

  static QString name_of(const QString& view, bool dark, bool russian) {
    return QString("%1-%2-%3").arg(view, dark ? "dark" : "light", russian ? "ru" : "en");
  }

  void picture(const QString& view, const QString& name) {
    window_.show_view(view);
    shot(window_, name);
  }

  /// Runs a study, or reads what its folder holds.
  void study(const QString& file, const QString& results) {
    window_.findChild<StudyView*>()->set_study(file);
    window_.run_study(results);
  }

  void sheet(const QString& name) {
    for (QAction* action : window_.findChildren<QAction*>()) {
      if (action->shortcut() == QKeySequence(Qt::Key_F1)) action->trigger();
    }
    auto* opened = window_.findChild<ShortcutSheet*>();
    if (opened == nullptr) return fault(name, "no shortcut sheet");
    shot(*opened, name);
    opened->close();
    QTest::qWait(0);  // it deletes itself
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
  }

  void start(const QString& name) {
    MainWindow empty;
    empty.show();
    shot(empty, name);
  }

  void shot(QWidget& of, const QString& name) {
    for (int i = 0; i < 3; ++i) QApplication::processEvents();
    if (!QTest::qWaitFor([&] { return window_.ready(); }, patience)) fault(name, "is never ready");
    for (int i = 0; i < 3; ++i) QApplication::processEvents();
    for (const QString& each : layout_faults(of)) {
      if (!seen_.contains(each)) fault(name, each);
      seen_.insert(each);
    }
    const QString path = QString("%1/%2-%3x.png").arg(folder_, name).arg(scale_);
    constexpr int fast = 80;  // hardly packed
    if (!of.grab().save(path, "PNG", fast)) return fault(name, "cannot be written");
    const QImage read(path);
    if (read.width() > size.width() * scale_ || read.height() > size.height() * scale_)
      fault(name, "is larger than the screen");
    if (qobject_cast<MainWindow*>(&of) != nullptr && read.size() != size * scale_)
      fault(name, QString("is %1 x %2 pixels").arg(read.width()).arg(read.height()));
    QSet<QRgb> colours;
    for (int y = 0; y < read.height(); y += 2) {
      for (int x = 0; x < read.width(); x += 2) colours.insert(read.pixel(x, y));
    }
    constexpr int least = 100;  // letters alone have as many shades
    if (colours.size() < least) fault(name, QString("has %1 colours").arg(colours.size()));
    ++pictures_;
  }

  /// A text that is the same in both languages has not been translated, but for what is not the window's to say: keys, names and
  /// sources from files, figures with their units, and what Qt says once when it makes a widget.
  void untranslated() {
    static const QRegularExpression names(
        "qt_dockwidget_|Scroll(Left|Right)Button|chip.fields/|StudyView/Q(ComboBox|Splitter)|ValidationView/"
        "QComboBox|project/QWidget/QComboBox");
    static const QRegularExpression figure("^[0-9.]+ ?[A-Za-z/]+$");
    static const QStringList own{"Roofline", "roofline", "English", "Русский"};
    for (auto at = english_.begin(); at != english_.end(); ++at) {
      const QString& text = at.value();
      if (russian_.value(at.key()) != text || !text.contains(QRegularExpression("[A-Za-z]{3}"))) continue;
      if (names.match(at.key()).hasMatch() || figure.match(text).hasMatch() || text.startsWith('/') ||
          own.contains(text))
        continue;
      fault(at.key(), "'" + text + "' in both languages");
    }
  }

  QString folder_;
  double scale_;
  MainWindow window_;
  QSet<QString> seen_;
  QMap<QString, QString> english_, russian_;
  int pictures_ = 0, faults_ = 0;
};

}  // namespace
}  // namespace tilewright::gui

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (QByteArray(argv[i]) == "--scale") qputenv("QT_SCALE_FACTOR", argv[i + 1]);
  }
  QStandardPaths::setTestModeEnabled(true);
  const QApplication application(argc, argv);
  QApplication::setStyle("fusion");
  QCommandLineParser options;
  const QCommandLineOption scale("scale", "pixels of the picture for one of the window", "FACTOR", "1"),
      keep("keep", "where the pictures stay", "FOLDER");
  options.addOptions({scale, keep});
  options.process(application);
  const QTemporaryDir folder;
  if (options.isSet(keep)) QDir().mkpath(options.value(keep));
  return tilewright::gui::Pictures(options.isSet(keep) ? options.value(keep) : folder.path(),
                                   options.value(scale).toDouble())
      .take();
}
