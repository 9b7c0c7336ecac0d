#include "core/process_pool.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <stdexcept>
#include <thread>

namespace tilewright {
namespace {

/// Counts the requests of its process; "throw" and "die" do what they say.
std::string work(const std::string& request) {
  static int requests = 0;
  ++requests;
  if (request == "throw") throw std::runtime_error("thrown there");
  if (request == "die") raise(SIGKILL);
  if (request == "leave") _exit(7);
  return request + " by " + std::to_string(getpid()) + " as " + std::to_string(requests);
}

}  // namespace

TEST_CASE("a pool answers every thread's requests, and its workers keep what they know") {
  std::set<std::string> processes;
  {
    ProcessPool pool(3, work);
    std::vector<std::vector<std::string>> answers(8);
    {
      std::vector<std::jthread> threads;
      for (std::size_t t = 0; t < answers.size(); ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 50; ++i)
            answers[t].push_back(pool.ask(std::to_string(t) + "/" + std::to_string(i)).value());
        });
      }
    }
    std::set<std::string> seen;  // no request was answered twice: each worker's count and process are another
    for (std::size_t t = 0; t < answers.size(); ++t) {
      for (int i = 0; i < 50; ++i) {
        const std::string& answer = answers[t][static_cast<std::size_t>(i)];
        const std::string head = std::to_string(t) + "/" + std::to_string(i) + " by ";
        REQUIRE(answer.starts_with(head));
        seen.insert(answer.substr(head.size()));
        processes.insert(answer.substr(head.size(), answer.find(" as ") - head.size()));
      }
    }
    CHECK(seen.size() == 400);
  }
  CHECK(processes.size() <= 3);
  for (const std::string& process : processes) CHECK(kill(static_cast<pid_t>(std::stol(process)), 0) != 0);  // all gone
}

TEST_CASE("a worker that throws, dies or leaves fails its request alone") {
  ProcessPool pool(1, work);
  CHECK(pool.ask("one").value().ends_with(" as 1"));
  CHECK(pool.ask("throw").error() == "thrown there");
  CHECK(pool.ask("two").value().ends_with(" as 3"));
  CHECK(pool.ask("die").error() == "its process was ended by signal 9 (Killed)");
  CHECK(pool.ask("three").value().ends_with(" as 1"));  // a new one
  CHECK(pool.ask("leave").error() == "its process ended with exit code 7");
  CHECK(pool.ask(std::string(1 << 20, 'x')).value().size() > 1 << 20);
  CHECK(pool.ask("").value().starts_with(" by "));
}

}  // namespace tilewright
