#include "core/process_pool.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace tilewright {
namespace {

constexpr char answered = 'a', failed = 'f';  // first byte of an answer

bool send_bytes(int channel, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(channel, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_bytes(int channel, char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(channel, data, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_message(int channel, const std::string& message) {
  const std::uint64_t size = message.size();
  char head[sizeof size];
  std::memcpy(head, &size, sizeof size);
  return send_bytes(channel, head, sizeof head) && send_bytes(channel, message.data(), message.size());
}

/// nullopt: the other side has gone.
std::optional<std::string> receive_message(int channel) {
  std::uint64_t size = 0;
  char head[sizeof size];
  if (!receive_bytes(channel, head, sizeof head)) return std::nullopt;
  std::memcpy(&size, head, sizeof size);
  std::string message(static_cast<std::size_t>(size), '\0');
  if (!receive_bytes(channel, message.data(), message.size())) return std::nullopt;
  return message;
}

std::pair<int, int> channel_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "a channel to a worker process");
  return {ends[0], ends[1]};
}

std::string death(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
  if (WIFSIGNALED(status))
    return fmt::format("its process was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("its process ended with exit code {}", WEXITSTATUS(status));
}

[[noreturn]] void serve(int channel, const ProcessPool::Work& work) {
  while (const auto request = receive_message(channel)) {
    std::string answer;
    try {
      answer = answered + work(*request);
    } catch (const std::exception& error) { answer = failed + std::string(error.what()); }
    if (!send_message(channel, answer)) break;
  }
  _exit(0);  // what the parent has buffered or registered for its end is the parent's
}

/// Passes requests on to a copy of its own and replaces it when it dies: this process has one thread, so it may fork at any time.
[[noreturn]] void supervise(int channel, const ProcessPool::Work& work) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, SIG_IGN);  // the parent decides when to stop
  int inner = -1;
  pid_t process = 0;
  while (const auto request = receive_message(channel)) {
    if (inner < 0) {
      const auto [ours, theirs] = channel_pair();
      process = fork();
      if (process < 0) _exit(1);
      if (process == 0) {
        close(ours);
        close(channel);
        serve(theirs, work);
      }
      close(theirs);
      inner = ours;
    }
    std::optional<std::string> answer;
    if (send_message(inner, *request)) answer = receive_message(inner);
    if (!answer) {
      close(std::exchange(inner, -1));
      answer = failed + death(process);
    }
    if (!send_message(channel, *answer)) break;
  }
  if (inner >= 0) {
    close(inner);
    death(process);
  }
  _exit(0);
}

}  // namespace

ProcessPool::ProcessPool(int workers, Work work) {
  for (int w = 0; w < workers; ++w) {
    const auto [ours, theirs] = channel_pair();
    const pid_t process = fork();
    if (process < 0) throw std::system_error(errno, std::generic_category(), "a worker process");
    if (process == 0) {
      close(ours);
      for (const Worker& other : workers_) close(other.channel);  // or it would not see its end
      try {
        supervise(theirs, work);
      } catch (...) { _exit(1); }
    }
    close(theirs);
    free_.push_back(workers_.size());
    workers_.push_back({ours, process});
  }
}

ProcessPool::~ProcessPool() {
  for (const Worker& worker : workers_) close(worker.channel);
  for (const Worker& worker : workers_) death(static_cast<pid_t>(worker.process));
}

std::expected<std::string, std::string> ProcessPool::ask(const std::string& request) {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return !free_.empty(); });
  const std::size_t w = free_.back();
  free_.pop_back();
  lock.unlock();
  std::optional<std::string> answer;
  if (send_message(workers_[w].channel, request)) answer = receive_message(workers_[w].channel);
  lock.lock();
  free_.push_back(w);
  freed_.notify_one();
  lock.unlock();
  if (!answer || answer->empty()) return std::unexpected("its worker process has gone");
  if (answer->front() == failed) return std::unexpected(answer->substr(1));
  return answer->substr(1);
}

}  // namespace tilewright
