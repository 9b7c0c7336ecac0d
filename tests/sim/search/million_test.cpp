// As exhaustive_test.cpp, on a million problems in parts that end within the time limit of ctest. Run by `ctest -L slow`.
#include "tests/sim/search/compare.hpp"

using tilewright::testing::compare;

TEST_CASE("no mapping of 3 levels beats the one found, 100,000 problems, part 1") {
  compare(3, 100'000, 64, 4000, 101);
}
TEST_CASE("no mapping of 3 levels beats the one found, 100,000 problems, part 2") {
  compare(3, 100'000, 64, 4000, 102);
}
TEST_CASE("no mapping of 3 levels beats the one found, 100,000 problems, part 3") {
  compare(3, 100'000, 64, 4000, 103);
}
TEST_CASE("no mapping of 3 levels beats the one found, 100,000 problems, part 4") {
  compare(3, 100'000, 64, 4000, 104);
}
TEST_CASE("no mapping of 3 levels beats the one found, 100,000 problems, part 5") {
  compare(3, 100'000, 64, 4000, 105);
}
TEST_CASE("no mapping of 4 levels beats the one found, 100,000 problems, part 1") {
  compare(4, 100'000, 32, 6000, 106);
}
TEST_CASE("no mapping of 4 levels beats the one found, 100,000 problems, part 2") {
  compare(4, 100'000, 32, 6000, 107);
}
TEST_CASE("no mapping of 4 levels beats the one found, 100,000 problems, part 3") {
  compare(4, 100'000, 32, 6000, 108);
}
TEST_CASE("no mapping of 5 levels beats the one found, 100,000 problems, part 1") {
  compare(5, 100'000, 16, 8000, 109);
}
TEST_CASE("no mapping of 5 levels beats the one found, 100,000 problems, part 2") {
  compare(5, 100'000, 16, 8000, 110);
}
