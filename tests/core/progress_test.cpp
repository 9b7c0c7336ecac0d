#include "core/progress.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

using namespace tilewright;

namespace {

/// What goes to file descriptor 2 while this lives goes to `target`.
class StderrTo {
 public:
  explicit StderrTo(int target) : saved_(::dup(STDERR_FILENO)) { ::dup2(target, STDERR_FILENO); }
  ~StderrTo() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int saved_;
};

std::string read_some(int file) {
  char text[4096];
  const ssize_t size = ::read(file, text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

void work_for_over_a_second() {
  Progress progress("mapping", 440);
  progress.advance("early");  // before the first second: not shown
  std::this_thread::sleep_for(std::chrono::milliseconds(1050));
  progress.advance("Xeon");
  progress.advance("too soon");  // within a tenth of a second of the line before
}

}  // namespace

TEST_CASE("progress is silent when stderr is no terminal") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
  {
    const StderrTo redirected(ends[1]);
    work_for_over_a_second();
  }
  REQUIRE(read_some(ends[0]).empty());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("progress on a terminal shows one line after a second and clears it at the end") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (terminal < 0) {
    WARN("no pseudo-terminal on this machine (/dev/pts is not mounted): not tested");
    return;
  }
  REQUIRE(::grantpt(terminal) == 0);
  REQUIRE(::unlockpt(terminal) == 0);
  const int inner = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE(inner >= 0);
  {
    const StderrTo redirected(inner);
    work_for_over_a_second();
  }
  const std::string text = read_some(terminal);
  REQUIRE_THAT(text, Catch::StartsWith("\r\033[Kmapping 2/440 (Xeon) ") && Catch::EndsWith("/s\r\033[K"));
  ::close(inner);
  ::close(terminal);
}
