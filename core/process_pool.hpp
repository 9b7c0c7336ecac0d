// Work in forked copies of this process: for what may run once per process only, or may crash.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace tilewright {

/// A pool of workers, each a copy of the process as it was when the pool was made. A worker keeps what it has learned from one request
/// to the next; one that dies is replaced, and its request fails.
class ProcessPool {
 public:
  using Work = std::function<std::string(const std::string& request)>;

  /// Forks at once: call it while no other thread runs and nothing is open that must not be shared (a database). std::system_error when
  /// the system gives no more processes.
  ProcessPool(int workers, Work work);
  /// Waits until the workers have gone.
  ~ProcessPool();
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  /// The answer of the next free worker; may be asked from several threads, and waits. The error says what `work` threw, or how the
  /// worker died.
  std::expected<std::string, std::string> ask(const std::string& request);

 private:
  struct Worker {
    int channel = -1;
    std::int64_t process = 0;
  };
  std::vector<Worker> workers_;
  std::vector<std::size_t> free_;
  std::mutex mutex_;
  std::condition_variable freed_;
};

}  // namespace tilewright
