// A million random nests against the walker; label slow.
#include <catch2/catch.hpp>

#include "tests/sim/mapping/random_nests.hpp"
#include "tests/sim/mapping/walker.hpp"

using namespace tilewright;
using namespace tilewright::testing;

TEMPLATE_TEST_CASE_SIG("the closed form agrees to the word with the walker on 100000 further random nests", "",
                       ((int Batch), Batch), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) {
  Random random(static_cast<std::uint64_t>(1000 + Batch));
  for (int i = 0; i < 100'000; ++i) {
    const Problem problem = random_problem(random);
    const Mapping mapping = random_mapping(random, problem);
    const std::string wrong = difference(problem, count_accesses(problem, mapping), walk_accesses(problem, mapping));
    if (!wrong.empty()) FAIL("nest " << i << ": " << text(problem, mapping) << "\n" << wrong);
  }
}
