// Broken reports: the message says where and what to do.
#include <catch2/catch.hpp>
#include <random>

#include "core/diagnostics.hpp"
#include "tests/validation/import/reports.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

std::string message(const std::string& name, const std::string& text, const std::string& device = "L4") {
  ImportRequest request;
  request.device = device;
  try {
    import_text(name, text, request);
  } catch (const InputError& error) { return error.what(); }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

std::string trace_of(const std::string& events) { return "{\"traceEvents\": [\n" + events + "\n]}"; }

}  // namespace

TEST_CASE("a trace that is cut off says the line, and one without kernels what to record") {
  // cut inside the seventh line, the second product
  REQUIRE(says(message("t.json", trace_text.substr(0, 700)), "t.json:7: the JSON is broken or cut off at column"));
  REQUIRE(says(message("t.json", trace_text.substr(0, 700)), "export the trace again"));
  REQUIRE(says(message("t.json", trace_of("")), "no GPU kernels"));
  REQUIRE(says(message("t.json", "{\"a\": 1}"), "no traceEvents"));
}

TEST_CASE("a field of the wrong type names its event") {
  REQUIRE(says(message("t.json", trace_of(R"({"cat": "kernel", "name": "k", "dur": "fast"})")), "traceEvents[0].dur"));
  REQUIRE(says(message("t.json", trace_of(R"({"cat": "x"}, {"cat": "kernel", "dur": 1})")), "traceEvents[1].name"));
  REQUIRE(says(message("t.json", trace_of(R"({"cat": "kernel", "name": "k", "dur": -1})")), "not below 0"));
  REQUIRE(says(message("t.json", trace_of(R"({"cat": "kernel", "name": "k", "dur": 1, "args": {"External id": "a"}})")),
               "External id"));
  REQUIRE(
      says(message("t.json",
                   trace_of(R"({"cat": "cpu_op", "name": "aten::mm", "args": {"External id": 1, "Input Dims": 3}})")),
           "args.Input Dims"));
  REQUIRE(
      says(message("t.json", trace_of(R"({"cat": "cpu_op", "name": "aten::mm", "args": 3})")), "traceEvents[0].args"));
}

TEST_CASE("a device that no table has is named with the way out") {
  REQUIRE(says(message("t.json", trace_text, "A1000"), "Did you mean"));
  std::string other = trace_text;
  other.replace(other.find("NVIDIA A100-SXM4-80GB"), 21, "NVIDIA Unknown 5");
  REQUIRE(says(message("t.json", other, ""), "--devices"));
  REQUIRE(says(message("n.csv", ncu_details, ""), "--device NAME"));
}

TEST_CASE("files of another kind are refused") {
  REQUIRE(says(message("a.csv", ""), "empty"));
  REQUIRE(says(message("a.csv", "\x1f\x8b\x08garbage"), "gzip -d"));
  REQUIRE(says(message("a.csv", "a,b\n1,2\n"), "known: a Chrome trace"));
  ImportRequest missing;
  missing.files = {"/nonexistent/trace.json"};
  missing.devices = TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/devices.csv";
  REQUIRE_THROWS_AS(import_measurements(missing), InputError);
}

TEST_CASE("a broken row of a report names line and column") {
  std::string text = ncu_details;
  text.replace(text.find("1,234.50"), 8, "1,2x4.50");
  REQUIRE(says(message("n.csv", text), "n.csv:4: Metric Value: '1,2x4.50' is not a number"));
  text = ncu_details;
  text.replace(text.find("\"us\""), 4, "\"fortnight\"");
  REQUIRE(says(message("n.csv", text), "known: ns, us, ms, s"));
  REQUIRE(says(message("n.csv", ncu_details + "\"2\",\"7\"\n"), "n.csv:7: the row has 2 cells, its header has 12"));
  REQUIRE(says(message("n.csv", ncu_details + "\"2,7\n"), "n.csv:7: a quoted cell that opens here is never closed"));
  REQUIRE(says(message("s.csv", "Total Time (ns),Instances,Name\n10,0,k\n"),
               "s.csv:2: Instances: a kernel ran at least once"));
  REQUIRE(says(message("r.csv", "Kernel Name,gpu__time_duration.sum\nk,5\n"), "row of units"));
}

TEST_CASE("damaged reports are read or refused, never more") {
  std::mt19937 random(7);
  for (const std::string& good : {trace_text, ncu_details}) {
    for (int i = 0; i < 400; ++i) {
      std::string bad = good;
      for (int hits = 0; hits < 3; ++hits) bad[random() % bad.size()] = static_cast<char>(random() % 256);
      if (i % 4 == 0) bad.resize(random() % bad.size());
      const std::string said = message("bad", bad);
      REQUIRE((said.empty() || said.size() > 10));
    }
  }
}
