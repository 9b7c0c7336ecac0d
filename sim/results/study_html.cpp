#include <fmt/format.h>

#include <algorithm>

#include "core/version.hpp"
#include "sim/report/svg.hpp"
#include "sim/results/explain.hpp"
#include "sim/results/pictures.hpp"
#include "sim/study/metrics.hpp"

namespace tilewright {
namespace {

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;color:#1b1b1b;max-width:1180px;margin:2rem auto;padding:0 1rem}"
    "pre{font-size:12px;overflow-x:auto}figure{margin:1rem 0}svg{max-width:100%}";

/// Sides with few enough values for a heat map.
std::vector<std::string> sides(const StudyRequest& request) {
  constexpr std::size_t most = 20;
  std::vector<std::string> names;
  if (request.chips.size() > 1 && request.chips.size() <= most) names.emplace_back("chip");
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) {
      if (axis.values.size() > 1 && axis.values.size() <= most) names.push_back(axis.key);
    }
  }
  return names;
}

}  // namespace

std::string study_html(const StudyRows& rows) {
  const std::string name = xml_escape(rows.request.name);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
      "charset=\"utf-8\"><title>{}</title><style>{}</style></head><body>\n<h1>{}</h1>\n"
      "<p>Study {}, Tilewright {}.</p>\n",
      name, style, name, xml_escape(rows.request.path), version);
  if (rows.points.empty()) return html + "<p>No point meets all constraints.</p>\n</body></html>\n";
  html += fmt::format("<h2>Front</h2>\n<pre>{}</pre>\n", xml_escape(front_text(rows)));
  const std::vector<StudyGoal>& goals = rows.request.goals;
  for (std::size_t g = 1; g < goals.size(); ++g)
    html += "<figure>" +
            pareto_picture(rows, std::string(study_metrics()[goals[g].metric].name),
                           std::string(study_metrics()[goals.front().metric].name)) +
            "</figure>\n";
  html += "<h2>Choices of the front</h2>\n<figure>" + parallel_picture(rows) + "</figure>\n";
  html += "<h2>Sensitivity</h2>\n";
  for (const StudyGoal& goal : goals) {
    const bool positive =
        std::ranges::all_of(rows.points, [&](const StoredPoint& p) { return p.result.figures[goal.metric] > 0; });
    if (positive)
      html += "<figure>" + tornado_picture(rows, std::string(study_metrics()[goal.metric].name)) + "</figure>\n";
  }
  if (const std::vector<std::string> names = sides(rows.request); names.size() > 1) {
    html += "<h2>Two coordinates</h2>\n";
    for (const StudyGoal& goal : goals)
      html += "<figure>" + heatmap_picture(rows, names[0], names[1], std::string(study_metrics()[goal.metric].name)) +
              "</figure>\n";
  }
  return html + fmt::format("<h2>Request</h2>\n<pre>{}</pre>\n</body></html>\n", xml_escape(rows.request.text));
}

}  // namespace tilewright
