#include "sim/accuracy/accuracy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "core/csv.hpp"
#include "core/data_folder.hpp"
#include "core/text_file.hpp"
#include "sim/accuracy/candidate.hpp"
#include "sim/accuracy/predictor.hpp"

namespace tilewright {
namespace {

constexpr std::size_t least_rows = 20;  // two a fold

std::string found_table(const Value& value, const std::string& folder) {
  const std::string name = value.as_string();
  const std::filesystem::path beside = std::filesystem::path(folder) / name;
  std::error_code error;
  if (std::filesystem::is_regular_file(beside, error)) return beside.string();
  const std::string ours = data_folder(TILEWRIGHT_WORKLOADS_FOLDER, "workloads", "spaces/scores");
  if (std::filesystem::is_regular_file(ours + "/" + name, error)) return ours + "/" + name;
  std::vector<std::string> known;
  for (const auto& entry : std::filesystem::directory_iterator(ours)) {
    if (entry.path().extension() == ".csv") known.push_back(entry.path().filename().string());
  }
  std::ranges::sort(known);
  value.fail(unknown_message("table (no such file beside the study either)", name, known));
}

/// Hash of a file's content, the same on every machine (FNV-1a, 64 bits).
std::string fnv1a(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

/// The coordinates that decide about a row, as one text.
std::string row_key(const std::vector<std::string>& cells) {
  std::string key;
  for (const std::string& cell : cells) key += cell + '\n';
  return key;
}

const std::string& coordinate(const Coordinates& point, const std::string& key, const std::string& where) {
  const auto found = point.find(key);
  if (found != point.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : point) known.push_back(name);
  throw InputError({where, 0, 0, "accuracy"}, unknown_message("coordinate of a point", key, known));
}

/// {KEY} becomes what `of` says of the key.
std::string filled(const std::string& text, const std::function<std::string(const std::string& key)>& of) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      result += text[at];
    } else {
      result += of(text.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return result;
}

/// A line of the cache, behind the header where it is the first, is written at once and under a lock, so that several processes can share the file.
void append(const std::string& file, std::string line) {
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool locked = out >= 0 && flock(out, LOCK_EX) == 0;
  if (locked && ::lseek(out, 0, SEEK_END) == 0) line.insert(0, "command,score\n");
  const bool written = locked && ::write(out, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (out >= 0) close(out);
  if (!written) throw InputError({file, 0, 0, "accuracy.cache"}, "cannot be written");
}

}  // namespace

AccuracyRequest read_accuracy(const Value& value, const std::string& folder) {
  AccuracyRequest request;
  if (const auto command = value.find("command")) {
    for (const Value& word : command->items()) request.command.push_back(word.as_string());
    if (request.command.empty()) command->fail("names no program");
    request.limit = value.at("limit").as_time();
    const std::filesystem::path cache = value.at("cache").as_string();
    request.cache = (cache.is_absolute() ? cache : std::filesystem::path(folder) / cache).string();
    return request;
  }
  request.table = found_table(value.at("table"), folder);
  request.score = value.at("score").as_string();
  if (const auto where = value.find("where")) {
    for (const std::string& column : where->keys()) request.where[column] = where->at(column).as_string();
  }
  if (const auto match = value.find("match")) {
    for (const std::string& key : match->keys()) request.match.emplace_back(key, match->at(key).as_string());
  } else {
    request.match = {{"arch", "arch"}};
  }
  if (const auto predict = value.find("predict"))
    request.predictor = predict->as_choice("predictor", {"ridge", "gaussian_process"}) == "ridge"
                            ? Predictor::ridge
                            : Predictor::gaussian_process;
  return request;
}

struct AccuracySource::Impl {
  AccuracyRequest request;
  std::optional<SearchSpace> space;
  std::string content;                                           // hash of the table
  std::unordered_map<std::string, std::pair<double, int>> sums;  // by row_key: sum and number of rows
  std::vector<std::string> codes;
  std::optional<PredictorModel> model;

  std::mutex mutex;
  std::unordered_map<std::string, double> answers;                    // of the command
  std::unordered_map<std::string, InputError> failures;               // of the command, in this process
  std::unordered_map<std::string, std::shared_ptr<std::mutex>> runs;  // one run at a time of the same command

  void read_table();
  void fit();
  void read_cache();
  double answer(const Coordinates& point);
};

void AccuracySource::Impl::read_table() {
  const CsvTable table = read_csv(request.table);
  content = fnv1a(read_file(request.table, std::int64_t{1} << 32));
  const std::size_t score = table.column(request.score);
  std::vector<std::pair<std::size_t, std::string>> filters;
  for (const auto& [column, wanted] : request.where) filters.emplace_back(table.column(column), wanted);
  std::vector<std::size_t> columns;
  std::optional<std::size_t> arch;
  for (const auto& [key, column] : request.match) {
    columns.push_back(table.column(column));
    if (key == "arch") arch = columns.back();
  }
  std::unordered_set<std::string> seen;
  for (const CsvRow& row : table.rows) {
    const auto fits = [&](const auto& filter) { return table.text(row, filter.first) == filter.second; };
    if (!std::ranges::all_of(filters, fits)) continue;
    std::vector<std::string> cells;
    for (const std::size_t column : columns) cells.push_back(table.text(row, column));
    auto& [sum, count] = sums[row_key(cells)];
    sum += table.number(row, score);
    ++count;
    if (!space || !arch) continue;
    const std::string& code = table.text(row, *arch);
    if (seen.insert(code).second && architecture_of(*space, code)) codes.push_back(code);
  }
  if (sums.empty()) throw InputError({request.table, 0, 0, "accuracy.where"}, "no row of the table meets it");
}

void AccuracySource::Impl::fit() {
  if (!space ||
      request.match != std::vector<std::pair<std::string, std::string>>{{"arch", request.match.front().second}})
    throw InputError({request.table, 0, 0, "accuracy.predict"},
                     "a predictor knows architectures alone: it needs a space, and `match` with arch and nothing else");
  std::vector<ScoredArchitecture> rows;
  for (const std::string& code : codes) {
    const auto& [sum, count] = sums.at(row_key({code}));
    rows.push_back({*architecture_of(*space, code), sum / count});
  }
  if (rows.size() < least_rows)
    throw InputError({request.table, 0, 0, "accuracy.predict"},
                     fmt::format("has {} architectures of the space; a predictor needs {}", rows.size(), least_rows));
  model.emplace(*space, request.predictor, rows);
}

void AccuracySource::Impl::read_cache() {
  std::error_code error;
  if (!std::filesystem::exists(request.cache, error)) return;
  const CsvTable table = read_csv(request.cache);
  for (const CsvRow& row : table.rows)
    answers[table.text(row, table.column("command"))] = table.number(row, table.column("score"));
}

double AccuracySource::Impl::answer(const Coordinates& point) {
  std::vector<std::string> command;
  for (const std::string& word : request.command)
    command.push_back(filled(word, [&](const std::string& key) { return coordinate(point, key, "command"); }));
  const std::string key = fmt::format("{}", fmt::join(command, " "));
  std::shared_ptr<std::mutex> run;
  {
    const std::lock_guard lock(mutex);
    std::shared_ptr<std::mutex>& slot = runs[key];
    if (!slot) slot = std::make_shared<std::mutex>();
    run = slot;
  }
  const std::lock_guard alone(*run);
  {
    const std::lock_guard lock(mutex);
    if (const auto found = answers.find(key); found != answers.end()) return found->second;
    if (const auto found = failures.find(key); found != failures.end()) throw InputError(found->second);
  }
  double value = 0;
  try {
    value = run_candidate(command, request.limit);
  } catch (const InputError& error) {  // the same network on another chip would fail as late
    const std::lock_guard lock(mutex);
    failures.emplace(key, error);
    throw;
  }
  const std::lock_guard lock(mutex);
  append(request.cache, fmt::format("{},{}\n", csv_cell(key), value));
  return answers[key] = value;
}

AccuracySource::AccuracySource(AccuracyRequest request, const SearchSpace* space) : impl_(std::make_unique<Impl>()) {
  impl_->request = std::move(request);
  if (space != nullptr) impl_->space = *space;
  if (!impl_->request.command.empty()) {
    impl_->read_cache();
    return;
  }
  impl_->read_table();
  if (impl_->request.predictor != Predictor::none) impl_->fit();
}
AccuracySource::AccuracySource(AccuracySource&&) noexcept = default;
AccuracySource::~AccuracySource() = default;

AccuracyFigure AccuracySource::of(const Coordinates& point) const {
  Impl& m = *impl_;
  if (!m.request.command.empty()) return {m.answer(point), false};
  std::vector<std::string> cells;
  for (const auto& [key, column] : m.request.match) cells.push_back(coordinate(point, key, m.request.table));
  if (const auto found = m.sums.find(row_key(cells)); found != m.sums.end())
    return {found->second.first / found->second.second, false};
  if (m.model) {
    if (const auto architecture = architecture_of(*m.space, cells.front()))
      return {m.model->predict(*architecture), true};
  }
  throw InputError(
      {m.request.table, 0, 0, m.request.score},
      fmt::format("has no score for {}; add a row, or ask for a prediction with `predict`", fmt::join(cells, ", ")));
}

bool AccuracySource::runs_command() const { return !impl_->request.command.empty(); }

std::vector<std::string> AccuracySource::scored() const { return impl_->codes; }

std::optional<PredictionError> AccuracySource::prediction_error() const {
  if (!impl_->model) return std::nullopt;
  return impl_->model->error();
}

std::vector<std::string> AccuracySource::reads() const {
  std::vector<std::string> keys;
  for (const auto& [key, column] : impl_->request.match) keys.push_back(key);
  for (const std::string& word : impl_->request.command) {
    filled(word, [&](const std::string& key) {
      keys.push_back(key);
      return key;
    });
  }
  return keys;
}

std::string AccuracySource::fingerprint() const {
  const AccuracyRequest& r = impl_->request;
  if (!r.command.empty()) return fmt::format("command {}", fmt::join(r.command, " "));
  return fmt::format("table {} {} where {} match {} predict {}", impl_->content, r.score, r.where, r.match,
                     static_cast<int>(r.predictor));
}

}  // namespace tilewright
