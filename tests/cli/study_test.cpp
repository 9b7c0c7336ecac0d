// Studies as a user runs them: killed, stopped, on a full or read-only disk, twice at a time, over a broken store.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/cli/program.hpp"

namespace {

using tilewright::test::Outcome;
using tilewright::test::Scratch;
using tilewright::test::slurp;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

Outcome tool(const std::string& arguments) { return tilewright::test::tilewright(arguments); }

/// 48 points a bandwidth of some tenths of a millisecond, some of which fail or violate a limit.
std::string with_bandwidths(int count) {
  return fmt::format(R"(study: killed
workloads: ["gemm:m=64,n=32,k=16", "gemm:m=96,n=48,k=24"]
chips: [edge-systolic-16x16]
vary:
  chip.compute.rows: [0, 4, 6, 8, 12, 16]
  chip.compute.cols: [4, 6, 8, 12]
  chip.levels.DRAM.bandwidth: {{log_range: [1 GB/s, 16 GB/s], points: {}}}
constraints: ["latency <= 2 us"]
)",
                     count);
}

// A study runs for some tenths of a second or more, so that something can happen to it. The sanitizers slow a point down many times.
#ifdef __SANITIZE_ADDRESS__
constexpr int bandwidths = 5, few_bandwidths = 2;
#else
constexpr int bandwidths = 20, few_bandwidths = 6;
#endif
constexpr int points = 48 * bandwidths;
const std::string study = with_bandwidths(bandwidths);

/// The program in the background; its output goes to a file.
class Running {
 public:
  explicit Running(const std::vector<std::string>& arguments, const std::string& output) {
    child_ = ::fork();
    if (child_ != 0) return;
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    std::vector<char*> argv{const_cast<char*>(TILEWRIGHT_PROGRAM)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(TILEWRIGHT_PROGRAM, argv.data());
    ::_exit(127);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (child_ > 0) end(SIGKILL);
  }

  /// Sends the signal (0: none) and waits; the exit code, or 128 + the signal that ended it.
  int end(int signal) {
    if (signal != 0) ::kill(child_, signal);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t child_ = -1;
};

std::string exported(const std::string& folder, const std::string& format = "csv") {
  const Outcome table = tool(fmt::format("export '{}' --format {}", folder, format));
  REQUIRE(table.code == 0);
  return table.out;
}

void wait_ms(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Until the store holds something.
void wait_for_points(const std::string& folder) {
  for (int i = 0; i < 600; ++i) {
    const Outcome table = tool("export '" + folder + "'");
    if (std::count(table.out.begin(), table.out.end(), '\n') > 1) return;
    wait_ms(20);
  }
  FAIL("nothing was stored");
}

/// Runs a shell script in a mount namespace of its own; none where that is not allowed.
std::optional<Outcome> with_mounts(const Scratch& scratch, const std::string& script) {
  if (std::system("unshare -m true 2>/dev/null") != 0) {
    WARN("skipped: no mount namespaces here (needs root)");
    return std::nullopt;
  }
  const std::string file = scratch.file("script.sh", "set -eu\nprogram='" TILEWRIGHT_PROGRAM "'\n" + script);
  const std::string out = scratch.path("script.out");
  const int status = std::system(fmt::format("unshare -m sh '{}' >'{}' 2>&1", file, out).c_str());
  return Outcome{WEXITSTATUS(status), slurp(out), ""};
}

}  // namespace

TEST_CASE("a study killed at fifty random moments gives the table of an undisturbed run", "[repeated]") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const std::string plain = scratch.path("plain"), killed = scratch.path("killed");
  CHECK(tool("sweep " + file + " -o " + plain + " --jobs 1 --progress none").code == 1);  // some points fail
  const std::string expected = exported(plain);
  REQUIRE(std::count(expected.begin(), expected.end(), '\n') == 1 + points);

  std::mt19937 random(7);
  int finished = 0;
  for (int kill = 0; kill < 50; ++kill) {
    Running program({"sweep", file, "-o", killed, "--jobs", kill % 2 == 0 ? "1" : "2", "--progress", "none"},
                    scratch.path("out"));
    wait_ms(std::uniform_int_distribution<int>(0, 220)(random));
    const int code = program.end(SIGKILL);
    INFO(slurp(scratch.path("out")));
    CHECK((code == 128 + SIGKILL || code == 1));
    finished += code == 1;
  }
  CHECK(finished < 50);
  CHECK(tool("sweep " + file + " -o " + killed + " --progress none").code == 1);
  CHECK(exported(killed) == expected);
  CHECK(exported(killed, "jsonl") == exported(plain, "jsonl"));
  CHECK(tool("compare " + plain + " " + killed).code == 0);
}

TEST_CASE("an adaptive study killed again and again gives the table of an undisturbed run", "[repeated]") {
  const Scratch scratch;
  const std::string search =
      GENERATE(as<std::string>{}, "budget: 900, population: 40",
               "budget: 120, population: 20, surrogate: {model: gaussian_process, proposals: 100}");
  INFO(search);
  const std::string file = scratch.file("study.yaml", study + "search: {strategy: nsga2, " + search + "}\nseed: 4\n");
  const std::string plain = scratch.path("plain"), killed = scratch.path("killed");
  CHECK(tool("sweep " + file + " -o " + plain + " --jobs 1 --progress none").code <= 1);
  std::mt19937 random(8);
  for (int kill = 0; kill < 10; ++kill) {
    Running program({"sweep", file, "-o", killed, "--jobs", "2", "--progress", "none"}, scratch.path("out"));
    wait_ms(std::uniform_int_distribution<int>(50, 300)(random));
    program.end(SIGKILL);
  }
  CHECK(tool("sweep " + file + " -o " + killed + " --progress none").code <= 1);
  CHECK(exported(killed) == exported(plain));
  CHECK(tool("sweep " + file + " -o " + scratch.path("shards") + " --shard 1/2").code == 2);
}

TEST_CASE("one, two and seven shards on one and two threads give the same table") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", with_bandwidths(few_bandwidths));
  std::string expected;
  for (const int shards : {1, 2, 7}) {
    for (const int jobs : {1, 2}) {
      const std::string folder = scratch.path(fmt::format("s{}j{}", shards, jobs));
      for (int part = shards; part >= 1; --part) {
        const Outcome run = tool(
            fmt::format("sweep {} -o {} --jobs {} --progress none --shard {}/{}", file, folder, jobs, part, shards));
        CHECK(run.code == 1);
      }
      if (shards > 1) CHECK(tool("merge " + folder).code == 0);
      const std::string table = exported(folder);
      if (expected.empty()) expected = table;
      CHECK(table == expected);
    }
  }
}

TEST_CASE("signals let the running points finish, are answered with code 3, and the same command goes on") {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const Scratch scratch;
    const std::string file = scratch.file("study.yaml", study);
    const std::string folder = scratch.path("results");
    Running program({"sweep", file, "-o", folder, "--jobs", "1", "--progress", "none"}, scratch.path("out"));
    wait_for_points(folder);
    CHECK(program.end(signal) == 3);
    CHECK_THAT(slurp(scratch.path("out")), Contains("the same command goes on"));
    const std::string part = exported(folder);
    const auto rows = std::count(part.begin(), part.end(), '\n') - 1;
    CHECK((rows > 0 && rows < points));
    const Outcome rest = tool(fmt::format("sweep {} -o {} --progress json", file, folder));
    CHECK(rest.code == 1);
    CHECK_THAT(rest.out, Contains(fmt::format("{0} of {0} points stored in {1}/points.sqlite, {2} from before", points,
                                              folder, rows)));
    const std::string last = rest.err.substr(rest.err.rfind('{'));
    const nlohmann::json line = nlohmann::json::parse(last);
    CHECK(line.at("stored") == points);
    CHECK(line.at("resumed") == rows);
    CHECK(line.at("left_s") == 0);
    CHECK(line.at("best_latency_s").get<double>() > 0);
  }
}

TEST_CASE("a second process on a store is turned away while the first one goes on") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const std::string folder = scratch.path("results");
  Running first({"sweep", file, "-o", folder, "--jobs", "1", "--progress", "none"}, scratch.path("out"));
  wait_for_points(folder);
  const Outcome second = tool("sweep " + file + " -o " + folder);
  CHECK(second.code == 3);
  CHECK_THAT(second.err, Contains("another process is running this study"));
  CHECK(first.end(0) == 1);
  CHECK_THAT(slurp(scratch.path("out")), Contains(fmt::format("{0} of {0}", points)));
}

TEST_CASE("a store that is deleted under a running study is missed, and the study can be run again") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const std::string folder = scratch.path("results");
  Running program({"sweep", file, "-o", folder, "--jobs", "1", "--progress", "none"}, scratch.path("out"));
  wait_for_points(folder);
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(folder + "/points.sqlite" + end);
  CHECK(program.end(0) == 3);
  CHECK_THAT(slurp(scratch.path("out")), Contains("points.sqlite: was deleted or replaced while the study ran"));
  CHECK(tool("sweep " + file + " -o " + folder + " --progress none").code == 1);
}

TEST_CASE("a damaged store is said to be damaged and stays as it is") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const std::string folder = scratch.path("results"), store = folder + "/points.sqlite";
  REQUIRE(tool("sweep " + file + " -o " + folder + " --progress none").code == 1);
  const std::string bytes = slurp(store);
  const auto damaged = [&](const std::string& with) {
    std::ofstream(store, std::ios::binary) << with;
    const Outcome again = tool("sweep " + file + " -o " + folder);
    CHECK(again.code == 3);
    CHECK(slurp(store) == with);
    const Outcome table = tool("export " + folder);
    CHECK(table.code != 0);
    return again.err;
  };
  std::string middle = bytes;
  std::fill(middle.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2),
            middle.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2 + 8192), '\x55');
  CHECK_THAT(damaged(middle), Contains("is damaged") && Contains("move it away"));
  CHECK_THAT(damaged(bytes.substr(0, bytes.size() / 2)), Contains("is damaged"));
  CHECK_THAT(damaged("this was never a store of points, but a letter to a friend, long enough to fill a page"),
             Contains("damaged or not a store"));
}

TEST_CASE("a full disk is said, what was stored is kept, and with more room the study goes on") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const fs::path disk = scratch.path("disk");
  fs::create_directories(disk);
  const auto outcome = with_mounts(scratch, fmt::format(R"(
mount -t tmpfs -o size=150k none {0}
code=0; "$program" sweep {1} -o {0}/r --jobs 1 --progress none || code=$?
echo "first $code"
"$program" export {0}/r | wc -l
mount -o remount,size=64m {0}
code=0; "$program" sweep {1} -o {0}/r --progress none || code=$?
echo "second $code"
"$program" export {0}/r >{2}
)",
                                                        disk.string(), file, scratch.path("table.csv")));
  if (!outcome) return;
  INFO(outcome->out);
  CHECK(outcome->code == 0);
  CHECK_THAT(outcome->out,
             Contains("first 3") && Contains("the disk is full") && Contains("second 1") && Contains("from before"));
  REQUIRE(tool("sweep " + file + " -o " + scratch.path("plain") + " --progress none").code == 1);
  CHECK(slurp(scratch.path("table.csv")) == exported(scratch.path("plain")));
}

TEST_CASE("a folder that cannot be written is named, and a finished study can be read from a read-only disk") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const Outcome under_file = tool("sweep " + file + " -o " + file + "/results");
  CHECK(under_file.code == 3);
  CHECK_THAT(under_file.err, Contains("/results: cannot be made: Not a directory"));

  REQUIRE(tool("sweep " + file + " -o " + scratch.path("plain") + " --progress none").code == 1);
  const fs::path disk = scratch.path("disk");
  fs::create_directories(disk);
  const auto outcome =
      with_mounts(scratch, fmt::format(R"(
mount -t tmpfs -o size=64m none {0}
cp -r {2} {0}/r
mount -o remount,ro {0}
"$program" export {0}/r >{3}
code=0; "$program" sweep {1} -o {0}/r || code=$?
echo "old $code"
code=0; "$program" sweep {1} -o {0}/new || code=$?
echo "new $code"
)",
                                       disk.string(), file, scratch.path("plain"), scratch.path("table.csv")));
  if (!outcome) return;
  INFO(outcome->out);
  CHECK(outcome->code == 0);
  CHECK_THAT(outcome->out, Contains("old 3") && Contains("new 3") && Contains("Read-only file system"));
  CHECK(slurp(scratch.path("table.csv")) == exported(scratch.path("plain")));
}

TEST_CASE("a dry run counts the points, shows five and estimates, for lists and for adaptive strategies") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study);
  const Outcome grid = tool("sweep " + file + " -o " + scratch.path("r") + " --dry-run");
  CHECK(grid.code == 0);
  CHECK_THAT(grid.out, Contains(fmt::format(
                           "killed: {} points = 2 workloads x 1 chips x 6 chip.compute.rows x 4 chip.compute.cols x {}",
                           points, bandwidths)) &&
                           Contains("MB of store; nothing was written"));
  CHECK(std::count(grid.out.begin(), grid.out.end(), '\n') == 1 + 5 + 1);
  CHECK_FALSE(fs::exists(scratch.path("r")));
  const std::string adaptive =
      scratch.file("adaptive.yaml", study + "search: {strategy: nsga2, budget: 100, population: 20}\n");
  const Outcome nsga2 = tool("sweep " + adaptive + " --dry-run");
  CHECK(nsga2.code == 0);
  CHECK_THAT(nsga2.out, Contains("at most 100 points by nsga2 of 2 workloads"));
  const Outcome refused = tool("sweep " + adaptive + " -o " + scratch.path("r") + " --shard 1/2");
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("--shard") && Contains("run it with --jobs"));
}

TEST_CASE("a dry run leaves the user's command alone, says so and writes no cache") {
  const Scratch scratch;
  const std::string file = scratch.file(
      "study.yaml",
      "study: trained\nworkloads: ['gemm:m=16,k=16,n=32']\nchips: [edge-systolic-16x16]\nvary: {model.batch: [1, 2]}\n"
      "accuracy: {command: [sh, -c, \"echo ran >> " +
          scratch.path("ran") +
          "; echo 0.5\"], limit: 10 s, cache: scores.csv}\n"
          "constraints: [\"accuracy >= 0.4\"]\nobjectives: {maximize: [accuracy], minimize: [latency]}\n");
  const Outcome dry = tool("sweep " + file + " --dry-run");
  CHECK(dry.code == 0);
  CHECK_THAT(dry.out, Contains("2 points") && Contains(": done") && Contains("command of accuracy was not run"));
  CHECK_FALSE(fs::exists(scratch.path("ran")));
  CHECK_FALSE(fs::exists(scratch.path("scores.csv")));
  CHECK(tool("sweep " + file + " -o " + scratch.path("r") + " --progress none").code == 0);
  CHECK(slurp(scratch.path("ran")) == "ran\n");  // one text, one run
  CHECK(slurp(scratch.path("scores.csv")).starts_with("command,score\n"));
}

TEST_CASE("sweep --submit writes the job scripts and says where Slurm is missing or refuses") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study), folder = scratch.path("it's results");
  fs::create_directories(scratch.path("bin"));
  const auto with_sbatch = [&](const std::string& script) {
    std::ofstream(scratch.path("bin/sbatch")) << "#!/bin/sh\n" << script;
    fs::permissions(scratch.path("bin/sbatch"), fs::perms::owner_all);
    const std::string arguments =
        fmt::format("sweep {} -o \"{}\" --submit slurm --tasks 4 --jobs 3 --sbatch=--time=9", file, folder);
    const std::string out = scratch.path("out");
    const int status = std::system(
        fmt::format("PATH={}:/bin:/usr/bin '{}' {} >{} 2>&1", scratch.path("bin"), TILEWRIGHT_PROGRAM, arguments, out)
            .c_str());
    return Outcome{WEXITSTATUS(status), slurp(out), ""};
  };
  const Outcome sent = with_sbatch("echo \"$@\" >>" + scratch.path("asked") + "\necho '17;cluster'\n");
  CHECK(sent.code == 0);
  CHECK_THAT(sent.out, Contains("killed: job 17 of 4 tasks, then job 17 merges them"));
  const std::string asked = slurp(scratch.path("asked"));
  CHECK_THAT(asked, Contains("--parsable --time=9 " + folder + "/sweep.sbatch\n") &&
                        Contains("--parsable --time=9 --dependency=afterok:17 " + folder + "/merge.sbatch\n"));
  const std::string script = slurp(folder + "/sweep.sbatch");
  CHECK_THAT(script, Contains("#SBATCH --array=1-4\n") && Contains("#SBATCH --cpus-per-task=3\n") &&
                         Contains("#SBATCH --requeue\n") && Contains("trap 'stopped=1; kill -TERM") &&
                         Contains("results' --jobs 3"));
  CHECK(std::system(
            fmt::format("bash -n \"{}/sweep.sbatch\" && bash -n \"{}/merge.sbatch\"", folder, folder).c_str()) == 0);
  const Outcome refused = with_sbatch("echo 'sbatch: error: no partition' >&2\nexit 1\n");
  CHECK(refused.code == 2);
  CHECK_THAT(refused.out, Contains("no partition") && Contains("refused the job"));
  CHECK(tool(fmt::format("sweep {} -o \"{}x\" --submit pbs", file, folder)).code == 2);
}

TEST_CASE("a task of an array job takes its shard from the environment") {
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", study), folder = scratch.path("results");
  const auto task = [&](int id) {
    return std::system(
        fmt::format("SLURM_ARRAY_TASK_ID={} SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_COUNT=2 '{}' sweep {} -o {} "
                    "--progress none >/dev/null 2>{}",
                    id, TILEWRIGHT_PROGRAM, file, folder, scratch.path("err"))
            .c_str());
  };
  CHECK(WEXITSTATUS(task(3)) == 1);
  const Outcome early = tool("merge " + folder);
  CHECK(early.code == 2);
  CHECK_THAT(early.err, Contains("shards 2/2 were not run"));
  CHECK(WEXITSTATUS(task(4)) == 1);
  CHECK(tool("merge " + folder).code == 0);
  CHECK(WEXITSTATUS(task(5)) == 2);
  CHECK_THAT(slurp(scratch.path("err")), Contains("SLURM_ARRAY_TASK_ID"));
}
