#include "sim/systemc/pe_array/picture.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tilewright {
namespace {

std::string cell(const PeState& pe) {
  if (pe.active) return fmt::format("{}", pe.index % 100);
  return pe.loading ? "w" : ".";
}

/// Hues around the circle, so that neighbours in time differ.
std::string colour(const PeState& pe) {
  if (pe.active) return fmt::format("hsl({},65%,72%)", (pe.index * 47 + 205) % 360);
  return pe.loading ? "#d0d0d0" : "#f7f7f7";
}

}  // namespace

std::string wavefront_text(const ArrayFrame& frame, std::int64_t cols) {
  std::string out = fmt::format("cycle {} (fold {})\n", frame.cycle, frame.fold);
  for (std::size_t i = 0; i < frame.pes.size(); ++i) {
    out += fmt::format("{:>3}", cell(frame.pes[i]));
    if ((static_cast<std::int64_t>(i) + 1) % cols == 0) out += "\n";
  }
  return out;
}

std::string wavefront_svg(const std::vector<ArrayFrame>& frames, std::int64_t rows, std::int64_t cols,
                          const std::string& title) {
  constexpr std::int64_t side = 18, gap = 16, head = 40, across = 6, most = 24;
  const std::int64_t count = std::min<std::int64_t>(most, static_cast<std::int64_t>(frames.size()));
  const std::int64_t width = cols * side + gap, height = rows * side + gap + 14;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"10\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"22\" font-size=\"13\">{3}</text>\n",
      gap + std::min(count, across) * width, head + (count + across - 1) / across * height, gap, title);
  for (std::int64_t f = 0; f < count; ++f) {
    const ArrayFrame& frame = frames[static_cast<std::size_t>(f)];
    const std::int64_t left = gap + f % across * width, top = head + f / across * height;
    out += fmt::format("<text x=\"{}\" y=\"{}\">cycle {}</text>\n", left, top + 9, frame.cycle);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < cols; ++c) {
        const PeState& pe = frame.pes[static_cast<std::size_t>(r * cols + c)];
        const std::int64_t x = left + c * side, y = top + 14 + r * side;
        out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#999\"/>", x, y,
                           side, side, colour(pe));
        if (pe.active || pe.loading)
          out +=
              fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>", x + side / 2, y + 13, cell(pe));
        out += "\n";
      }
    }
  }
  return out + "</svg>\n";
}

}  // namespace tilewright
