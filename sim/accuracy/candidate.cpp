#include "sim/accuracy/candidate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

using Clock = std::chrono::steady_clock;

/// A child with its own process group; killed with it unless it has ended.
struct Child {
  pid_t pid = -1;
  int output = -1;
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (output >= 0) close(output);
    if (pid < 0) return;
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
};

void start(const std::vector<std::string>& command, const Place& where, Child& child) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw InputError(where, std::strerror(errno));
  child.output = ends[0];
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments.front(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  if (error != 0)
    throw InputError(where, fmt::format("'{}' cannot be started: {}", command.front(), std::strerror(error)));
  child.pid = pid;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  text.erase(0, text.find_last_of('\n') + 1);
  text.erase(0, text.find_first_not_of(" \t\r"));
  return text;
}

}  // namespace

double run_candidate(const std::vector<std::string>& command, Seconds limit) {
  const Place where{command.front(), 0, 0, "accuracy.command"};
  Child child;
  start(command, where, child);
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit.value));
  const auto left = [&] { return std::chrono::duration<double>(end - Clock::now()).count(); };
  const auto too_long = [&] {
    throw InputError(where, fmt::format("took longer than {:g} s and was killed", limit.value));
  };

  constexpr std::size_t most_text = 1 << 20;  // only the last line counts
  std::string text;
  for (;;) {
    pollfd ready{child.output, POLLIN, 0};
    if (left() <= 0) too_long();
    if (poll(&ready, 1, static_cast<int>(std::ceil(1000 * std::min(left(), 1e5)))) <= 0) continue;
    char part[4096];
    const ssize_t size = read(child.output, part, sizeof part);
    if (size <= 0) break;
    text.append(part, static_cast<std::size_t>(size));
    if (text.size() > 2 * most_text) text.erase(0, text.size() - most_text);
  }
  int status = 0;
  while (waitpid(child.pid, &status, WNOHANG) == 0) {
    if (left() <= 0) too_long();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  child.pid = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw InputError(where, WIFEXITED(status) ? fmt::format("ended with code {}", WEXITSTATUS(status))
                                              : fmt::format("was ended by signal {}", WTERMSIG(status)));
  const std::string line = last_line(std::move(text));
  double value = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || stop != line.data() + line.size() || !std::isfinite(value))
    throw InputError(where, fmt::format("its last line '{}' is not a number", shown(line)));
  return value;
}

}  // namespace tilewright
