// tilewright sweep, merge, export, compare: studies without a screen.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "core/version.hpp"
#include "sim/results/pictures.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/sweep.hpp"
#include "sim/study/table.hpp"

namespace tilewright::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double bytes_a_row = 170;  // measured: 12 figures, identity, position

// A signal handler reaches nothing else. NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> stop_asked{false};

extern "C" void ask_to_stop(int) { stop_asked = true; }

Place option_place(std::string_view option) { return {.file = std::string(option), .line = 0, .column = 0, .key = {}}; }

std::int64_t whole_number(std::string_view option, std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    throw InputError(option_place(option),
                     fmt::format("'{}' is not a whole number from {} to {}", shown(text), least, most));
  return value;
}

/// "2/7"; without the option an array job of Slurm gives its part.
Shard shard_of(const std::string& option) {
  constexpr std::int64_t most = 100'000;
  if (option.empty()) {
    const char* task = std::getenv("SLURM_ARRAY_TASK_ID");
    const char* first = std::getenv("SLURM_ARRAY_TASK_MIN");
    const char* count = std::getenv("SLURM_ARRAY_TASK_COUNT");
    if (task == nullptr || count == nullptr) return {};
    const std::int64_t least = first == nullptr ? 0 : whole_number("SLURM_ARRAY_TASK_MIN", first, 0, most);
    const std::int64_t parts = whole_number("SLURM_ARRAY_TASK_COUNT", count, 1, most);
    const std::int64_t part = whole_number("SLURM_ARRAY_TASK_ID", task, least, least + parts - 1) - least + 1;
    return {static_cast<int>(part), static_cast<int>(parts)};
  }
  const std::size_t slash = option.find('/');
  if (slash == std::string::npos)
    throw InputError(option_place("--shard"), fmt::format("'{}' is not I/N, for example 2/7", shown(option)));
  const std::int64_t parts = whole_number("--shard", std::string_view(option).substr(slash + 1), 1, most);
  return {static_cast<int>(whole_number("--shard", std::string_view(option).substr(0, slash), 1, parts)),
          static_cast<int>(parts)};
}

std::string duration(double seconds) {
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string best_text(const StudyRequest& request, const SweepProgress& progress) {
  std::string text;
  for (std::size_t g = 0; g < request.goals.size(); ++g) {
    if (progress.best[g] != progress.best[g]) continue;
    text += fmt::format("{}{} {:.4g}", text.empty() ? "best " : ", ", study_metrics()[request.goals[g].metric].column,
                        progress.best[g]);
  }
  return text;
}

/// Tells of a sweep on standard error: one line that is rewritten on a terminal, plain lines or JSON lines elsewhere.
class Teller {
 public:
  Teller(const StudyRequest& request, const std::string& mode) : request_(request), mode_(mode) {
    if (mode_ == "auto") mode_ = isatty(STDERR_FILENO) == 1 ? "line" : "plain";
  }

  void operator()(const SweepProgress& progress) {
    const Clock::time_point now = Clock::now();
    const double pause = mode_ == "line" ? 0.1 : mode_ == "json" ? 1.0 : 10.0;
    if (mode_ == "none" || std::chrono::duration<double>(now - last_).count() < pause) return;
    last_ = now;
    tell(progress);
    spoken_ = true;
  }

  void finish(const SweepProgress& progress) {
    if (mode_ == "json" || (mode_ == "line" && spoken_)) tell(progress);
    if (mode_ == "line" && spoken_) fmt::print(stderr, "\n");
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  void tell(const SweepProgress& progress) const {
    const double time = std::max(seconds(), 1e-9),
                 rate = static_cast<double>(progress.stored - progress.resumed) / time;
    const double left = rate > 0 ? static_cast<double>(progress.points - progress.stored) / rate : 0;
    if (mode_ == "json") {
      nlohmann::ordered_json line{
          {"points", progress.points}, {"stored", progress.stored}, {"resumed", progress.resumed}};
      for (std::size_t s = 0; s < 4; ++s) line[std::string(name(static_cast<PointStatus>(s)))] = progress.by_status[s];
      line["points_per_s"] = rate;
      line["left_s"] = left;
      for (std::size_t g = 0; g < request_.goals.size(); ++g) {
        const std::string key = fmt::format("best_{}", study_metrics()[request_.goals[g].metric].column);
        if (progress.best[g] == progress.best[g]) line[key] = progress.best[g];
      }
      fmt::print(stderr, "{}\n", line.dump());
      return;
    }
    const std::string text = fmt::format("{}/{} points, {:.0f}/s, {} left; {}", progress.stored, progress.points, rate,
                                         duration(left), best_text(request_, progress));
    if (mode_ == "line") {
      fmt::print(stderr, "\r{:<100.100}", text);
    } else {
      fmt::print(stderr, "{}\n", text);
    }
    std::fflush(stderr);
  }

  const StudyRequest& request_;
  std::string mode_;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool spoken_ = false;
};

/// The study without the user's command, which a dry run leaves alone, and without limits on what it would say.
StudyRequest without_command(StudyRequest request) {
  request.accuracy = nullptr;
  std::erase_if(request.constraints, [](const StudyConstraint& constraint) {
    const std::string_view metric = study_metrics()[constraint.metric].name;
    return metric == "accuracy" || metric == "predicted";
  });
  return request;
}

/// What a sweep would do: its size, the first points and, from trying a few of them, its time and the size of its store.
int dry_run(const StudyRequest& study) {
  const bool command = study.accuracy && study.accuracy->runs_command();
  const StudyRequest request = command ? without_command(study) : study;
  PointEvaluator evaluator(request);
  constexpr std::int64_t most_shown = 5;
  const std::vector<std::size_t> sizes = axis_sizes(request);
  const std::vector<std::string> keys = axis_keys(request);
  std::vector<Position> first;
  std::int64_t points = 0;
  if (adaptive(request.strategy)) {  // what it asks for first is drawn like these
    first = drawn_points(sizes, Strategy::random, std::min(request.budget, most_shown), request.seed);
    points = request.budget;
  } else {
    const PointList list(request);
    points = list.size();
    for (std::int64_t i = 0; i < std::min(points, most_shown); ++i) first.push_back(list[i]);
  }
  std::string text = fmt::format("{}: {}{} points", request.name, adaptive(request.strategy) ? "at most " : "", points);
  text += fmt::format("{} {} workloads x {} chips",
                      request.strategy == Strategy::grid ? " =" : fmt::format(" by {} of", name(request.strategy)),
                      sizes[0], sizes[1]);
  for (const auto& group : request.axes) {
    std::vector<std::string> names;
    for (const StudyAxis& axis : group) names.push_back(axis.key);
    text += fmt::format(" x {} {}", group.front().values.size(), fmt::join(names, "+"));
  }
  text += "\n";
  const Clock::time_point start = Clock::now();
  double longest = 0;  // the first point also reads files and fills caches
  for (const Position& position : first) {
    const Clock::time_point begin = Clock::now();
    const StudyPoint point = point_at(request, position);
    const PointResult result = evaluator.evaluate(point, request.engines.front());
    longest = std::max(longest, std::chrono::duration<double>(Clock::now() - begin).count());
    text += fmt::format("  {}, {}", point.workload, point.chip);
    for (std::size_t k = 0; k < keys.size(); ++k) text += fmt::format(", {} = {}", keys[k], point.values[k]);
    text += fmt::format(": {}{}{}\n", name(result.status), result.message.empty() ? "" : ": ", result.message);
  }
  const double all = std::chrono::duration<double>(Clock::now() - start).count();
  const auto tried = static_cast<double>(first.size());
  const double each = tried > 1 ? (all - longest) / (tried - 1) : all;
  text += fmt::format(
      "about {} on one thread{}, {:.1f} MB of store; nothing was written\n",
      duration(each * static_cast<double>(points)),
      request.engines.size() > 1 ? fmt::format(" with engine {}", engine_name(request.engines.front())) : "",
      bytes_a_row * static_cast<double>(points) / 1e6);
  if (command) text += "the command of accuracy was not run; its time comes on top\n";
  deliver(text, "");
  return 0;
}

std::string provenance(const StudyRequest& request, const PointEvaluator& evaluator, const StudyOptions& options) {
  utsname host{};
  uname(&host);
  return nlohmann::ordered_json{
      {"version", version},           {"compiler", __VERSION__},
      {"host", host.nodename},        {"system", fmt::format("{} {} {}", host.sysname, host.release, host.machine)},
      {"study", request.path},        {"request", canonical_lines(request)},
      {"inputs", evaluator.inputs()}, {"seed", request.seed},
      {"jobs", options.jobs},         {"shard", options.shard}}
      .dump();
}

StudyStore whole_store(const std::string& folder) { return StudyStore::read(store_file(folder, {})); }

}  // namespace

int sweep(const StudyOptions& options) {
  require_choice("--progress", options.progress, {"auto", "plain", "json", "none"});
  const StudyRequest request = load_study(options.study);
  const Shard shard = shard_of(options.shard);
  if (options.dry_run) return dry_run(request);
  PointEvaluator evaluator(request);
  if (options.folder.empty())
    throw InputError(option_place("-o"), "name the folder of the results, for example -o results");
  if (!options.submit.empty()) {
    require_choice("--submit", options.submit, {"slurm"});
    return submit(options, request);
  }
  if (const std::string why = shards_refused(request); shard.parts > 1 && !why.empty())
    throw InputError(option_place("--shard"), why);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, ask_to_stop);
  evaluator.fork_simulations(job_count(options.jobs));
  StudyStore store = StudyStore::open(options.folder, request, evaluator.inputs(), shard);
  store.note_run(provenance(request, evaluator, options));
  Teller teller(request, options.progress);
  SweepOptions settings;
  settings.shard = shard;
  settings.jobs = job_count(options.jobs);
  settings.most_failures = options.most_failures;
  settings.stop = &stop_asked;
  settings.progress = [&](const SweepProgress& progress) { teller(progress); };
  const SweepProgress end = run_sweep(request, evaluator, store, settings);
  store.note_end();
  teller.finish(end);

  std::string text = fmt::format("{}: {} of {} points stored in {}", request.name, end.stored, end.points,
                                 store_file(options.folder, shard));
  const std::int64_t fresh = end.stored - end.resumed;
  if (end.resumed > 0) text += fmt::format(", {} from before", end.resumed);
  text += fmt::format("; {} done, {} violate a constraint, {} infeasible, {} failed", end.by_status[0],
                      end.by_status[1], end.by_status[2], end.by_status[3]);
  text += fmt::format("; {}, {:.0f} points/s\n", duration(teller.seconds()),
                      static_cast<double>(fresh) / std::max(teller.seconds(), 1e-9));
  deliver(text, "");
  if (!end.complete) {
    fmt::print(stderr, "tilewright: stopped before the end; the same command goes on\n");
    return interrupted;
  }
  return end.by_status[2] + end.by_status[3] > 0 ? 1 : 0;
}

int merge(const std::string& folder) {
  const std::int64_t points = merge_shards(folder);
  deliver(fmt::format("{} points merged into {}\n", points, store_file(folder, {})), "");
  return 0;
}

int export_table(const std::string& folder, const std::string& format, const std::string& output) {
  require_choice("--format", format, {"csv", "jsonl", "html"});
  const StudyStore store = whole_store(folder);
  if (format == "html") {
    deliver(study_html(read_rows(store)), output);
    return 0;
  }
  const TableFormat kind = format == "csv" ? TableFormat::csv : TableFormat::json_lines;
  if (output.empty()) {
    write_table(store, kind, [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
    deliver("", "");  // an output that cannot be written is an error
  } else {
    const std::string unfinished = output + ".part";  // a million rows do not go through memory
    std::ofstream file(unfinished, std::ios::binary);
    write_table(store, kind,
                [&file](std::string_view part) { file.write(part.data(), static_cast<std::streamsize>(part.size())); });
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(unfinished, output, error);
    if (!file || error)
      throw InputError({output, 0, 0, ""},
                       "cannot be written; check the folder, its permissions and the room on the disk");
  }
  return 0;
}

int compare(const std::string& folder_a, const std::string& folder_b, double tolerance) {
  const StudyComparison result = compare_studies(store_file(folder_a, {}), store_file(folder_b, {}), tolerance);
  std::string text =
      fmt::format("{} points in both, {} only in {}, {} only in {}; {} figures differ by more than {:g}\n",
                  result.points, result.only_a, folder_a, result.only_b, folder_b, result.changed, tolerance);
  for (const Change& change : result.largest) {
    text += fmt::format("  {}: {}: {} -> {}\n", change.point, change.metric,
                        change.before.empty() ? "none" : change.before, change.after.empty() ? "none" : change.after);
  }
  deliver(text, "");
  return result.changed > 0 || result.only_a > 0 || result.only_b > 0 ? 1 : 0;
}

}  // namespace tilewright::cli
