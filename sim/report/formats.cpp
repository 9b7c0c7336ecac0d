#include <array>

#include "sim/report/report.hpp"

namespace tilewright {

std::span<const ReportFormat> report_formats() {
  static constexpr std::array formats{
      ReportFormat{"text", report_text},
      ReportFormat{"json", report_json},
      ReportFormat{"csv", report_csv},
      ReportFormat{"html", report_html},
  };
  return formats;
}

}  // namespace tilewright
