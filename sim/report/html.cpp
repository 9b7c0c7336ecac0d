// A self-contained HTML page: comparison, roofline and energy per chip, sortable layer tables. No external resources.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/version.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/svg.hpp"

namespace tilewright {
namespace {

constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tilewright report</title><style>
body{font:15px/1.5 system-ui,sans-serif;color:#1b1b1b;max-width:1180px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:right;vertical-align:top}
th{cursor:pointer;background:#f4f4f4;position:sticky;top:0}th:first-child,td:first-child,.l{text-align:left}
td:not(.l){white-space:nowrap}code{font-size:12px}figure{margin:1rem 0}.fail{color:#a33}.wide{overflow-x:auto}details{margin:.5rem 0}td:first-child{white-space:nowrap}
</style></head><body>
)";

constexpr std::string_view script = R"(<script>
document.querySelectorAll('th').forEach(th=>th.addEventListener('click',()=>{
 const i=th.cellIndex,b=th.closest('table').tBodies[0],up=th.dataset.up!=='1';th.dataset.up=up?'1':'0';
 const key=r=>{const v=r.cells[i].dataset.v;return v===undefined?r.cells[i].textContent:parseFloat(v)};
 [...b.rows].sort((p,q)=>{const a=key(p),c=key(q);return (a<c?-1:a>c?1:0)*(up?1:-1)}).forEach(r=>b.append(r))}));
</script></body></html>
)";

std::string cell(double value, std::string_view shown) {
  return fmt::format("<td data-v=\"{}\">{}</td>", value, xml_escape(shown));
}
std::string left(std::string_view shown) { return fmt::format("<td class=\"l\">{}</td>", xml_escape(shown)); }

std::string comparison(const RunReport& report) {
  std::string html =
      "<h2>Comparison</h2><div class=\"wide\"><table><thead><tr><th>chip</th><th "
      "class=\"l\">family</th><th>latency</th><th>cycles</th><th>energy</th>"
      "<th>power</th><th>samples/s</th><th>utilisation</th><th>DRAM traffic</th><th class=\"l\">most time bound "
      "by</th><th class=\"l\">energy table</th>"
      "<th class=\"l\">validation</th></tr></thead><tbody>\n";
  for (const NetworkEvaluation& n : report.results) {
    if (!n.failure.empty()) {
      html += fmt::format("<tr><td>{}</td><td class=\"l fail\" colspan=\"11\">{}</td></tr>\n", xml_escape(n.chip),
                          xml_escape(n.failure));
      continue;
    }
    const auto bound = time_by_bound(n).front();
    html += "<tr>" + left(n.chip) + left(n.family) + cell(n.latency.value, human(n.latency)) +
            cell(n.cycles.value, human_count(n.cycles.value)) + cell(n.energy.total().value, human(n.energy.total())) +
            cell(n.average_power.value, human(n.average_power)) +
            cell(n.throughput_per_s, fmt::format("{:.4g}", n.throughput_per_s)) +
            cell(n.utilization, fmt::format("{:.1f} %", 100 * n.utilization)) + cell(n.dram.value, human(n.dram)) +
            left(fmt::format("{} {:.0f} %", bound.first, 100 * bound.second)) + left(n.energy_table) +
            left(validation_in_words(n)) + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

/// Where the energy goes: arithmetic, static, links and each memory level by its depth; one bar a chip, each scaled to its own total.
std::string energy_bars(const RunReport& report) {
  std::vector<std::string> series{"arithmetic", "static", "links"};
  std::vector<Bar> bars;
  for (const NetworkEvaluation& n : report.results) {
    if (!n.failure.empty()) continue;
    const Joules total = n.energy.total();
    Bar bar{n.chip, human(total), {}};
    bar.parts.push_back({0, n.energy.compute / total, series[0]});
    bar.parts.push_back({1, n.energy.static_ / total, series[1]});
    bar.parts.push_back({2, n.energy.link / total, series[2]});
    for (const auto& [level, energy] : energy_by_level(n)) {
      const std::size_t depth = bar.parts.size();
      if (depth == series.size()) {
        series.push_back(fmt::format("memory {}{}", depth - 2, depth == 3 ? " (outermost)" : ""));
      }
      bar.parts.push_back({depth, energy / total, level});
    }
    bars.push_back(std::move(bar));
  }
  return "<h2>Energy by level</h2><figure>" + stacked_bars_svg(bars, series, "share of energy by level and kind") +
         "</figure>\n";
}

std::string layer_table(const NetworkEvaluation& n) {
  std::string html =
      "<div class=\"wide\"><table><thead><tr><th>layer</th><th "
      "class=\"l\">op</th><th>repeat</th><th>MACs</th><th>latency</th><th>share</th><th>energy</th>"
      "<th>utilisation</th><th>gap</th><th class=\"l\">bound</th><th class=\"l\">on chip</th><th class=\"l\">tiling, "
      "outermost level first</th><th "
      "class=\"l\">energy by level</th></tr></thead><tbody>\n";
  for (const LayerEvaluation& layer : n.layers) {
    const Evaluation& main = main_kernel(layer);
    const std::string tiling = fmt::format("{}", fmt::join(tiling_in_short(main), "; "));
    std::string energy;
    for (const auto& [level, joules] : energy_by_level(layer))
      energy += fmt::format("{}{} {}", energy.empty() ? "" : ", ", level, human(joules));
    const double share = static_cast<double>(layer.repeat) * (layer.latency / n.latency);
    html += "<tr>" + left(layer.name) + left(layer.op) +
            cell(static_cast<double>(layer.repeat), std::to_string(layer.repeat)) +
            cell(static_cast<double>(layer.macs), human_count(static_cast<double>(layer.macs))) +
            cell(layer.latency.value, human(layer.latency)) + cell(share, fmt::format("{:.1f} %", 100 * share)) +
            cell(layer.energy.total().value, human(layer.energy.total())) +
            cell(layer.utilization, fmt::format("{:.1f} %", 100 * layer.utilization)) +
            cell(layer.optimality_gap, percent(layer.optimality_gap)) + left(layer.bound) +
            left(placement_in_short(layer)) + fmt::format("<td class=\"l\"><code>{}</code></td>", xml_escape(tiling)) +
            left(energy) + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string report_html(const RunReport& report) {
  std::string html(head);
  if (!report.results.empty()) {
    const NetworkEvaluation& first = report.results.front();
    html += fmt::format(
        "<h1>{}</h1><p>Batch {}, {} MACs, {} parameters, {} layers. Engine {}, objective {}. Tilewright {}.</p>\n",
        xml_escape(first.workload), first.batch, human_count(static_cast<double>(first.macs)),
        human_count(static_cast<double>(first.params)), first.layer_count, name(first.engine), name(first.objective),
        version);
    html += comparison(report) + energy_bars(report);
  }
  std::size_t plot = 0;
  for (const NetworkEvaluation& network : report.results) {
    if (!network.failure.empty()) continue;
    html += fmt::format("<h2>{}</h2><p>{} ({})</p>\n", xml_escape(network.chip), xml_escape(network.chip_source),
                        xml_escape(validation_in_words(network)));
    if (!network.stack.empty()) html += fmt::format("<p>{}</p>\n", xml_escape(stack_in_words(network)));
    if (network.parallel) html += fmt::format("<p>{}</p>\n", xml_escape(parallel_in_words(network)));
    if (network.training) html += fmt::format("<p>{}</p>\n", xml_escape(training_in_words(network)));
    if (network.residency) html += fmt::format("<p>{}</p>\n", xml_escape(residency_in_words(network)));
    for (const std::string& note : network.notes) html += fmt::format("<p>Note: {}</p>\n", xml_escape(note));
    if (plot < report.rooflines.size()) html += "<figure>" + roofline_svg(report.rooflines[plot++]) + "</figure>\n";
    html += "<details><summary>Layers</summary>" + layer_table(network) + "</details>\n";
  }
  html += "<h2>Request</h2><table><tbody>\n";
  for (const auto& [key, value] : report.request.fields) html += "<tr>" + left(key) + left(value) + "</tr>\n";
  return html + "</tbody></table>\n" + std::string(script);
}

}  // namespace tilewright
