// Progress on stderr for work over a second; silent when it is not a terminal or the work is quick.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tilewright {

/// Prints "mapping 12/440 (Xeon Platinum 8380) 3.1/s" with \r, at most ten times a second, after one second.
class Progress {
 public:
  Progress(std::string_view activity, std::int64_t total);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::string_view what);

 private:
  std::string activity_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  bool shown_ = false;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace tilewright
