#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "sim/results/explain.hpp"
#include "sim/results/pictures.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/sweep.hpp"
#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("tilewright-results-{}", getpid());
  Folder() { std::filesystem::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

StudyRows swept(const std::string& text, const std::string& folder) {
  const StudyRequest request = parse_study(text, "study.yaml");
  PointEvaluator evaluator(request);
  {
    StudyStore store = StudyStore::open(folder, request, evaluator.inputs());
    SweepOptions options;
    options.jobs = 2;
    run_sweep(request, evaluator, store, options);
  }
  return read_rows(StudyStore::read(store_file(folder, {})));
}

const std::string small =
    "study: small\nspace: nasbench-macro\narchitectures: ['00000000', '11111111', '22222222']\n"
    "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
    "chips: [edge-systolic-16x16, raspberry-pi-4]\nvary: {model.batch: [1, 4]}\n"
    "serving: {rent: 1 USD, tokens: 10}\n"
    "baseline: {arch: '22222222', chip: raspberry-pi-4, model.batch: 1}\n"
    "objectives: {maximize: [accuracy], minimize: [latency, energy]}\n";

}  // namespace

TEST_CASE("The front keeps what nothing equals or beats, and the first of equal points") {
  REQUIRE(pareto_front({{1, 3}, {2, 2}, {3, 1}, {2, 3}, {2, 2}, {3, 3}}) == std::vector<std::size_t>{0, 1, 2});
  REQUIRE(pareto_front({{1, 3}, {2, 2}, {3, 1}}, {1, 2}) == std::vector<std::size_t>{1, 2});
  REQUIRE(pareto_front({}).empty());
}

TEST_CASE("Hypervolume is the share of the box that a front leaves behind it") {
  REQUIRE(hypervolume({{0, 0}}, {0}) == Approx(1));
  REQUIRE(hypervolume({{1, 0}}, {0}) == 0);
  REQUIRE(hypervolume({{0.5, 0.5}}, {0}) == Approx(0.25));
  // two boxes of 0.5 x 0.75 and 0.75 x 0.5 that share 0.5 x 0.5
  REQUIRE(hypervolume({{0.5, 0.25}, {0.25, 0.5}}, {0, 1}) == Approx(0.5));
  REQUIRE(hypervolume({{0.5, 0.5, 0.5}}, {0}) == Approx(0.125));
}

TEST_CASE("A study of a space carries measured accuracy and the price of a request") {
  const Folder folder;
  const StudyRows rows = swept(small, folder.path.string());
  REQUIRE(rows.points.size() == 12);
  for (const StoredPoint& point : rows.points) {
    const StudyPoint at = point_at(rows.request, point.position);
    const auto figure = [&](std::string_view name) {
      for (std::size_t m = 0; m < study_metrics().size(); ++m) {
        if (study_metrics()[m].name == name) return point.result.figures[m];
      }
      return no_figure;
    };
    // rows of the table: 00000000 45.363, 22222222 93.13 ... the batch does not change a network's accuracy
    if (at.values.front() == "00000000") REQUIRE(figure("accuracy") == 45.363);
    REQUIRE(figure("predicted") == 0);
    // one device at 1 USD an hour serves batch / latency requests a second
    const double batch = std::stod(at.values.back());
    REQUIRE(figure("request_price") == Approx(figure("latency") / batch / 3600));
    REQUIRE(figure("token_price") == Approx(figure("request_price") * 1e5));
  }
}

TEST_CASE("The joint front holds both one-sided ones behind it") {
  const Folder folder;
  const StudyRows rows = swept(small, folder.path.string());
  const OneSided sides = *one_sided(rows);
  REQUIRE(sides.joint_volume >= sides.both_volume);
  REQUIRE(sides.both_volume >= std::max(sides.chip_volume, sides.network_volume));
  REQUIRE(sides.chip_only.size() <= 2);         // two chips for the one network
  REQUIRE(sides.network_only.size() <= 3 * 2);  // three networks and two batches for the one chip
  for (const std::size_t row : sides.network_only)
    REQUIRE(point_at(rows.request, rows.points[row].position).chip == "raspberry-pi-4");
  const std::string text = front_text(rows);
  REQUIRE(text.find("best chip for the baseline's network") != std::string::npos);
  REQUIRE(text.find("nearest to the best figures") != std::string::npos);
}

TEST_CASE("The front of a study with a surrogate says how well its points tell each other") {
  const Folder folder;
  const StudyRows rows = swept(
      "study: chosen\nspace: nasbench-macro\naccuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
      "chips: [edge-systolic-16x16, raspberry-pi-4]\nobjectives: {maximize: [accuracy], minimize: [latency]}\n"
      "search: {strategy: nsga2, budget: 48, population: 12, surrogate: {model: gaussian_process, proposals: 60}}\n",
      folder.path.string());
  REQUIRE(rows.points.size() == 48);
  const std::string text = front_text(rows);
  REQUIRE(text.find("Gaussian process chose among 60 proposals") != std::string::npos);
  REQUIRE(text.find(" latency ") != std::string::npos);
  REQUIRE(front_text(rows) == text);
}

TEST_CASE("A point is explained: what a better figure costs, what binds, or by what it is beaten") {
  const Folder folder;
  const StudyRows rows = swept(small, folder.path.string());
  const std::vector<std::size_t> front = pareto_front(rows.goals);
  const std::string best = explain_text(rows, rows.points[front.front()].identity);
  REQUIRE(best.find("On the front") != std::string::npos);
  REQUIRE(best.find("Its time is bound by") != std::string::npos);
  for (std::size_t i = 0; i < rows.points.size(); ++i) {
    if (std::find(front.begin(), front.end(), i) != front.end()) continue;
    REQUIRE(explain_text(rows, rows.points[i].identity).find("Not on the front") != std::string::npos);
    break;
  }
  REQUIRE(message_of([&] { explain_text(rows, "zz"); }).find("0 points") != std::string::npos);
}

TEST_CASE("Every picture is drawn, the same each time, and the page holds them all") {
  const Folder folder;
  const StudyRows rows = swept(small, folder.path.string());
  for (const std::string& svg : {pareto_picture(rows, "", ""), parallel_picture(rows), tornado_picture(rows, "energy"),
                                 heatmap_picture(rows, "chip", "arch", "latency")}) {
    REQUIRE(svg.starts_with("<svg"));
    REQUIRE(svg.ends_with("</svg>\n"));
    REQUIRE(svg.find("nan") == std::string::npos);
  }
  REQUIRE(heatmap_picture(rows, "chip", "arch", "latency") == heatmap_picture(rows, "chip", "arch", "latency"));
  const std::string page = study_html(rows);
  REQUIRE(page.find("Sensitivity") != std::string::npos);
  REQUIRE(page.ends_with("</html>\n"));
  REQUIRE(message_of([&] { pareto_picture(rows, "latencie", ""); }).find("Did you mean 'latency'?") !=
          std::string::npos);
  REQUIRE(message_of([&] { heatmap_picture(rows, "chop", "arch", ""); }).find("Did you mean 'chip'?") !=
          std::string::npos);
}

TEST_CASE(
    "With a fifth of the evaluations NSGA-II leaves more hypervolume behind it than random search, on real scores",
    "[repeated]") {
  for (const std::string set : {"ABank", "RBchurn", "VBank", "AGE"}) {
    CAPTURE(set);
    const Folder folder;
    const std::string common =
        "study: s\nspace: seqnas\naccuracy: {table: seqnas.csv, score: score, where: {dataset: " + set +
        "}}\nchips: [edge-systolic-16x16, raspberry-pi-4, l4]\n"
        "objectives: {maximize: [accuracy], minimize: [latency, energy]}\nseed: 1\n";
    const StudyRows all = swept(common, (folder.path / "all").string());
    const auto budget = static_cast<std::int64_t>(all.points.size() / 5);
    const double whole = hypervolume(all.goals, pareto_front(all.goals));
    const auto share = [&](const std::string& search, const std::string& name) {
      const StudyRows part =
          swept(common + fmt::format("search: {{{}, budget: {}}}\n", search, budget), (folder.path / name).string());
      REQUIRE(static_cast<std::int64_t>(part.points.size()) <= budget);
      std::set<std::string> seen;
      for (const StoredPoint& point : part.points) seen.insert(point.identity);
      std::vector<std::size_t> found;
      for (std::size_t i = 0; i < all.points.size(); ++i) {
        if (seen.contains(all.points[i].identity)) found.push_back(i);
      }
      REQUIRE(found.size() == part.points.size());  // equal points have equal identities in both studies
      return hypervolume(all.goals, found) / whole;
    };
    const double guided = share("strategy: nsga2, population: 24", "guided"),
                 random = share("strategy: random", "random");
    CAPTURE(guided, random);
    REQUIRE(guided > random);
  }
}
