// tilewright front, explain, plot: what a study found.
#include "cli/commands.hpp"
#include "sim/results/explain.hpp"
#include "sim/results/pictures.hpp"

namespace tilewright::cli {
namespace {

StudyRows rows_of(const std::string& folder) {
  StudyRows rows = read_rows(StudyStore::read(store_file(folder, {})));
  if (rows.points.empty()) throw InputError({folder, 0, 0, ""}, "no point of this study meets all constraints");
  return rows;
}

}  // namespace

int front(const std::string& folder, const std::string& format, const std::string& output) {
  require_choice("--format", format, {"text", "csv"});
  const StudyRows rows = rows_of(folder);
  deliver(format == "csv" ? front_csv(rows) : front_text(rows), output);
  return done;
}

int explain(const std::string& folder, const std::string& identity) {
  deliver(explain_text(rows_of(folder), identity), "");
  return done;
}

int plot(const PlotOptions& options) {
  require_choice("--kind", options.kind, {"pareto", "parallel", "tornado", "heatmap"});
  const StudyRows rows = rows_of(options.folder);
  deliver(options.kind == "pareto"     ? pareto_picture(rows, options.x, options.y)
          : options.kind == "parallel" ? parallel_picture(rows)
          : options.kind == "tornado"  ? tornado_picture(rows, options.metric)
                                       : heatmap_picture(rows, options.x, options.y, options.metric),
          options.output);
  return done;
}

}  // namespace tilewright::cli
