// An application without widgets, for tests that wait for signals.
#pragma once

#include <QCoreApplication>
#include <string>

namespace tilewright::gui {

/// QSignalSpy waits in an event loop.
struct EventLoop {
  int arguments = 1;
  std::string program = "test";
  char* words[2] = {program.data(), nullptr};
  QCoreApplication application{arguments, words};
};

}  // namespace tilewright::gui
