// tilewright-gui [FILE] [--chip NAME] [--screenshot VIEW FILE]
#include <QApplication>
#include <QCommandLineParser>
#include <QTemporaryDir>
#include <QTimer>
#include <cstdio>
#include <utility>

#include "core/version.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/theme.hpp"

namespace {

using namespace tilewright::gui;

/// A screenshot needs no display: without one Qt would end the program.
void need_no_display(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (QByteArray(argv[i]) == "--screenshot" && !qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
      qputenv("QT_QPA_PLATFORM", "offscreen");
  }
}

int say(const QString& message, int code) {
  std::fprintf(stderr, "tilewright-gui: %s\n", qUtf8Printable(message));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  need_no_display(argc, argv);
  const QApplication application(argc, argv);
  QApplication::setApplicationName("tilewright-gui");
  QApplication::setOrganizationName("tilewright");
  QApplication::setApplicationVersion(QString::fromStdString(std::string(tilewright::version)));
  QApplication::setStyle("fusion");

  QCommandLineParser options;
  options.addHelpOption();
  options.addVersionOption();
  options.addPositionalArgument("FILE",
                                "an .onnx file, a SCALE-Sim topology, a generator such as resnet50, or a project");
  const QCommandLineOption chip("chip", "library name or chip file", "CHIP"),
      picture("screenshot", "save VIEW as a picture and quit", "VIEW FILE"),
      dark("dark", "light letters on a dark ground"), row("layer", "select the layer in this row of the report", "ROW"),
      language("language", "en or ru", "CODE");
  for (const QCommandLineOption& option : {chip, picture, dark, row, language}) options.addOption(option);
  // The file of a picture follows its view, wherever the two stand; Qt's options take one value.
  QStringList arguments = QApplication::arguments();
  const qsizetype shot = arguments.indexOf("--screenshot"), file = shot + 2;
  const bool named = shot >= 0 && file < arguments.size() && !arguments[file].startsWith("--");
  const QString target = named ? arguments.takeAt(file) : QString();
  options.process(arguments);

  MainWindow window;
  window.set_dark(options.isSet(dark));
  if (options.isSet(language)) window.set_language(options.value(language));
  const QStringList files = options.positionalArguments();
  const bool shoot = options.isSet(picture);
  if (shoot && !window.view_names().contains(options.value(picture)))
    return say(QString("unknown view '%1'; known: %2").arg(options.value(picture), window.view_names().join(", ")), 2);
  if (shoot && target.isEmpty()) return say("--screenshot needs a view and a file", 2);
  tilewright::gui::Project project{"resnet50", "edge-systolic-16x16", {}};
  if (options.isSet(chip)) project.chip = options.value(chip).toStdString();
  if (!files.isEmpty() && files.front().endsWith(".yaml")) {
    window.open(files.front());
  } else {
    if (!files.isEmpty()) project.workload = files.front().toStdString();
    if (!files.isEmpty() || shoot || !window.recover()) window.set_project(project);
  }
  window.show();
  if (!shoot) return QApplication::exec();

  int code = 0;
  const QTemporaryDir results;  // of the study that is to be seen
  bool asked = false;
  QTimer painted;
  painted.setInterval(200);
  QObject::connect(&window, &MainWindow::refused, [&](const QString& reason) { QApplication::exit(say(reason, 2)); });
  QObject::connect(&window, &MainWindow::answered, [&] {
    window.show_view(options.value(picture));
    if (options.isSet(row)) window.selection().select(options.value(row).toInt());
    if (options.value(picture) == "study" && !files.isEmpty() && !std::exchange(asked, true))
      window.run_study(results.filePath("results"));
    painted.start();
  });
  QObject::connect(&painted, &QTimer::timeout, [&] {
    if (!window.ready()) return;
    if (!window.grab().save(target)) code = say("cannot write " + target, 2);
    QApplication::exit(code);
  });
  return QApplication::exec();
}
