#include "sim/study/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "sim/study/metrics.hpp"

namespace tilewright {
namespace {

constexpr int store_format = 2;          // PRAGMA user_version
constexpr int application = 0x54576772;  // PRAGMA application_id: "TWgr"

std::string metric_columns() {
  std::string columns;
  for (const Metric& metric : study_metrics()) columns += fmt::format(", {} REAL", metric.column);
  return columns;
}

constexpr int first_metric = 5;  // columns before the metrics

/// Two hexadecimal digits a byte, and back.
std::string bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return bytes;
}
std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

/// Lines that only one side has, as a difference is usually shown.
std::string difference(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  std::string text;
  const auto only = [&](const std::vector<std::string>& in, const std::vector<std::string>& out, char mark) {
    for (const std::string& line : in) {
      if (std::find(out.begin(), out.end(), line) == out.end()) text += fmt::format("\n  {} {}", mark, line);
    }
  };
  only(before, now, '-');
  only(now, before, '+');
  return text;
}

}  // namespace

std::string store_file(const std::string& folder, Shard shard) {
  return shard.parts == 1 ? folder + "/points.sqlite"
                          : fmt::format("{}/points-{}of{}.sqlite", folder, shard.part, shard.parts);
}

struct StudyStore::Impl {
  std::string path;
  std::vector<std::size_t> sizes;  // of the study's axes
  std::int64_t run = 0;            // row of this run
  sqlite3* db = nullptr;
  sqlite3_stmt* insert = nullptr;
  int lock = -1;
  ino_t file = 0;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    sqlite3_finalize(insert);
    sqlite3_close(db);
    if (lock >= 0) ::close(lock);
  }

  [[noreturn]] void fail(std::string_view what) const {
    fail(what, db != nullptr ? sqlite3_errcode(db) : SQLITE_CANTOPEN);
  }
  [[noreturn]] void fail(std::string_view what, int code) const {
    std::string advice;
    switch (code & 0xff) {
      case SQLITE_FULL: advice = "the disk is full; free some space and run the same command again"; break;
      case SQLITE_READONLY:
      case SQLITE_CANTOPEN:
      case SQLITE_PERM: advice = "it cannot be opened or written; check the folder and its permissions"; break;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB: advice = "it is damaged or not a store; move it away and run the same command again"; break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED: advice = "another program is using it"; break;
      default: advice = db != nullptr ? sqlite3_errmsg(db) : "it cannot be opened"; break;
    }
    throw StoreError(fmt::format("{}: {}: {}", path, what, advice));
  }

  void execute(const std::string& sql, std::string_view what) const {
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(what);
  }

  sqlite3_stmt* prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail("reading");
    return statement;
  }

  std::int64_t integer(const std::string& sql) const {
    sqlite3_stmt* statement = prepare(sql);
    const int step = sqlite3_step(statement);
    const std::int64_t value = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE) fail("reading");
    return value;
  }

  std::string text(const std::string& sql) const {
    sqlite3_stmt* statement = prepare(sql);
    const int step = sqlite3_step(statement);
    std::string value;
    if (step == SQLITE_ROW) value = column_text(statement, 0);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE) fail("reading");
    return value;
  }

  static std::string column_text(sqlite3_stmt* statement, int column) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  }

  void set_text(std::string_view key, const std::string& value) const {
    sqlite3_stmt* statement = prepare("INSERT INTO facts(key, value) VALUES(?, ?)");
    sqlite3_bind_text(statement, 1, key.data(), static_cast<int>(key.size()), SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    const int step = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (step != SQLITE_DONE) fail("writing");
  }

  /// One process at a time: the lock goes with the process, however it ends.
  void take_lock() {
    const std::string name = path + ".lock";
    lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) throw StoreError(fmt::format("{}: cannot be made: {}", name, std::strerror(errno)));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
      throw StoreError(
          fmt::format("{}: another process is running this study here; wait for it or use another folder", path));
  }

  void open_file(int flags) {
    // A store is used by one thread at a time: SQLite need not lock each call.
    if (sqlite3_open_v2(path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) fail("opening");
    sqlite3_extended_result_codes(db, 0);
    sqlite3_busy_timeout(db, 2000);
    if (integer("PRAGMA user_version") != 0 || integer("SELECT count(*) FROM sqlite_master") != 0) {
      if (integer("PRAGMA application_id") != application)
        throw StoreError(fmt::format("{}: is not a store of this program; use another folder", path));
      if (integer("PRAGMA user_version") != store_format)
        throw StoreError(fmt::format("{}: was written in another format by another version; use another folder", path));
      if (text("PRAGMA quick_check(1)") != "ok") {
        throw StoreError(fmt::format(
            "{}: is damaged; move it away and run the same command again (`sqlite3 FILE .recover` may save rows of it)",
            path));
      }
    }
  }

  void remember_file() {
    struct stat facts {};
    file = ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
  }

  /// A file that was deleted or replaced takes writes into nothing.
  void require_file() const {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || facts.st_ino != file)
      throw StoreError(
          fmt::format("{}: was deleted or replaced while the study ran; run the same command again", path));
  }
};

StudyStore::StudyStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StudyStore::StudyStore(StudyStore&&) noexcept = default;
StudyStore::~StudyStore() = default;

StudyStore StudyStore::open(const std::string& folder, const StudyRequest& request,
                            const std::vector<std::string>& inputs, Shard shard) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw StoreError(fmt::format("{}: cannot be made: {}", folder, error.message()));
  auto impl = std::make_unique<Impl>();
  impl->path = store_file(folder, shard);
  impl->take_lock();
  impl->open_file(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  impl->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536", "opening");
  if (impl->integer("PRAGMA user_version") == 0) {
    impl->execute(
        fmt::format("BEGIN; PRAGMA application_id={}; PRAGMA user_version={};"
                    "CREATE TABLE facts(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
                    "CREATE TABLE runs(text TEXT NOT NULL, begin TEXT NOT NULL, end TEXT);"
                    "CREATE TABLE points(point BLOB NOT NULL, stage INTEGER NOT NULL, identity BLOB NOT NULL,"
                    " status INTEGER NOT NULL, message TEXT NOT NULL{}, PRIMARY KEY(point, stage)) WITHOUT ROWID;",
                    application, store_format, metric_columns()),
        "writing");
    impl->set_text("study", request.text);
    impl->set_text("path", request.path);
    impl->set_text("inputs", fmt::format("{}", fmt::join(inputs, "\n")));
    impl->set_text("part", fmt::format("{}", shard.part));
    impl->set_text("parts", fmt::format("{}", shard.parts));
    impl->execute("COMMIT", "writing");
  }
  impl->remember_file();
  StudyStore store(std::move(impl));
  const auto all_lines = [](const StudyRequest& of, const std::vector<std::string>& from) {
    std::vector<std::string> lines = canonical_lines(of);
    lines.insert(lines.end(), from.begin(), from.end());
    return lines;
  };
  const std::vector<std::string> before = all_lines(store.request(), store.inputs()), now = all_lines(request, inputs);
  if (before != now) {
    throw InputError({request.path, 0, 0, ""},
                     fmt::format("the study has changed since {} was begun; use another folder with -o. Difference:{}",
                                 store.impl_->path, difference(before, now)));
  }
  store.impl_->sizes = axis_sizes(request);
  return store;
}

StudyStore StudyStore::read(const std::string& file) {
  auto impl = std::make_unique<Impl>();
  impl->path = file;
  if (!std::filesystem::is_regular_file(file))
    throw InputError({file, 0, 0, ""}, "there is no such store; run `tilewright sweep` first");
  impl->open_file(SQLITE_OPEN_READWRITE);  // a log left by a killed run is taken in
  if (impl->integer("PRAGMA user_version") == 0) throw StoreError(fmt::format("{}: is empty", file));
  StudyStore store(std::move(impl));
  store.impl_->sizes = axis_sizes(store.request());
  return store;
}

void StudyStore::add(const std::vector<StoredPoint>& points) {
  Impl& impl = *impl_;
  impl.require_file();
  const std::size_t metrics = study_metrics().size();
  if (impl.insert == nullptr) {
    std::string marks;
    for (std::size_t m = 0; m < metrics; ++m) marks += ", ?";
    impl.insert = impl.prepare(fmt::format("INSERT OR REPLACE INTO points VALUES(?, ?, ?, ?, ?{})", marks));
  }
  std::vector<std::pair<std::string, const StoredPoint*>> ordered;  // neighbours in the tree one after the other
  ordered.reserve(points.size());
  for (const StoredPoint& point : points) ordered.emplace_back(key_of(point.position, impl.sizes), &point);
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  impl.execute("BEGIN IMMEDIATE", "writing");
  for (const auto& [key, point] : ordered) {
    const PointResult& result = point->result;
    const std::string identity = bytes_of(point->identity);
    sqlite3_reset(impl.insert);
    sqlite3_bind_blob(impl.insert, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    sqlite3_bind_int64(impl.insert, 2, static_cast<std::int64_t>(point->stage));
    sqlite3_bind_blob(impl.insert, 3, identity.data(), static_cast<int>(identity.size()), SQLITE_STATIC);
    sqlite3_bind_int(impl.insert, 4, static_cast<int>(result.status));
    sqlite3_bind_text(impl.insert, 5, result.message.data(), static_cast<int>(result.message.size()), SQLITE_STATIC);
    for (std::size_t m = 0; m < metrics; ++m) {  // SQLite stores NaN as NULL
      const double figure = result.figures.empty() ? no_figure : result.figures[m];
      sqlite3_bind_double(impl.insert, static_cast<int>(m) + first_metric + 1, figure);
    }
    if (sqlite3_step(impl.insert) != SQLITE_DONE) {
      const int code = sqlite3_errcode(impl.db);
      sqlite3_reset(impl.insert);
      if (sqlite3_get_autocommit(impl.db) == 0) sqlite3_exec(impl.db, "ROLLBACK", nullptr, nullptr, nullptr);
      impl.fail("writing", code);
    }
  }
  sqlite3_reset(impl.insert);
  impl.execute("COMMIT", "writing");
}

std::int64_t StudyStore::count() const { return impl_->integer("SELECT count(*) FROM points"); }

void StudyStore::for_each(const std::function<void(const StoredPoint&)>& visit) const {
  sqlite3_stmt* statement = impl_->prepare("SELECT * FROM points ORDER BY point, stage");
  const auto close = [](sqlite3_stmt* s) { sqlite3_finalize(s); };
  const std::unique_ptr<sqlite3_stmt, decltype(close)> owner(statement, close);  // `visit` may throw
  int step = 0;
  while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
    StoredPoint point;
    point.position = position_of(Impl::column_text(statement, 0), impl_->sizes);
    if (point.position.empty())
      throw StoreError(fmt::format("{}: holds a point that is none of its study; it is damaged", impl_->path));
    point.stage = static_cast<std::size_t>(sqlite3_column_int64(statement, 1));
    point.identity = hex_of(Impl::column_text(statement, 2));
    point.result.status = static_cast<PointStatus>(std::clamp(sqlite3_column_int(statement, 3), 0, 3));
    point.result.message = Impl::column_text(statement, 4);
    if (point.result.status == PointStatus::done || point.result.status == PointStatus::violates) {
      for (std::size_t m = 0; m < study_metrics().size(); ++m) {
        const int column = static_cast<int>(m) + first_metric;
        const bool given = sqlite3_column_type(statement, column) != SQLITE_NULL;
        point.result.figures.push_back(given ? sqlite3_column_double(statement, column) : no_figure);
      }
    }
    visit(point);
  }
  if (step != SQLITE_DONE) impl_->fail("reading");
}

StudyRequest StudyStore::request() const {
  return parse_study(impl_->text("SELECT value FROM facts WHERE key = 'study'"),
                     impl_->text("SELECT value FROM facts WHERE key = 'path'"));
}

std::vector<std::string> StudyStore::inputs() const {
  std::vector<std::string> lines;
  std::istringstream text(impl_->text("SELECT value FROM facts WHERE key = 'inputs'"));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Shard StudyStore::shard() const {
  return {static_cast<int>(impl_->integer("SELECT value FROM facts WHERE key = 'part'")),
          static_cast<int>(impl_->integer("SELECT value FROM facts WHERE key = 'parts'"))};
}

void StudyStore::note_run(const std::string& text) {
  sqlite3_stmt* statement = impl_->prepare("INSERT INTO runs VALUES(?, datetime('now'), NULL)");
  sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  const int step = sqlite3_step(statement);
  sqlite3_finalize(statement);
  if (step != SQLITE_DONE) impl_->fail("writing");
  impl_->run = sqlite3_last_insert_rowid(impl_->db);
}

void StudyStore::note_end() {
  impl_->execute(fmt::format("UPDATE runs SET end = datetime('now') WHERE rowid = {}", impl_->run), "writing");
  impl_->execute("PRAGMA journal_mode=DELETE", "writing");  // one plain file, readable from a read-only folder
}

std::vector<StudyStore::Run> StudyStore::runs() const {
  std::vector<Run> found;
  sqlite3_stmt* statement = impl_->prepare("SELECT text, begin, end FROM runs ORDER BY rowid");
  int step = 0;
  while ((step = sqlite3_step(statement)) == SQLITE_ROW)
    found.push_back(
        {Impl::column_text(statement, 0), Impl::column_text(statement, 1), Impl::column_text(statement, 2)});
  sqlite3_finalize(statement);
  if (step != SQLITE_DONE) impl_->fail("reading");
  return found;
}

}  // namespace tilewright
