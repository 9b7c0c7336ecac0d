// The lecture "Efficient models: challenges and trends" (Shvetsov), questions Q1 to Q3: GPT-3 on A100 at 5 USD a GPU and hour.
#include "sim/money/money.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

constexpr double parameters = 175e9;
const Bytes a100{80e9};

ServedNetwork gpt3() {  // one answer a second
  return {.latency = Seconds{1},
          .batch = 1,
          .energy = Joules{0},
          .memory = Bytes{2 * parameters},
          .capacity = a100,
          .price = {}};
}

ServingTerms lecture() {
  ServingTerms terms;
  terms.rent = Dollars{5};
  return terms;
}

}  // namespace

TEST_CASE("175e9 parameters need 9, 5, 3 and 2 A100 of 80 GB in fp32, fp16, int8 and int4") {
  REQUIRE(devices_for_memory(Bytes{4 * parameters}, a100) == 9);  // 700 / 80 = 8.75
  REQUIRE(devices_for_memory(Bytes{2 * parameters}, a100) == 5);  // 4.375
  REQUIRE(devices_for_memory(Bytes{1 * parameters}, a100) == 3);  // 2.1875
  REQUIRE(devices_for_memory(Bytes{0.5 * parameters}, a100) == 2);
  REQUIRE(devices_for_memory(Bytes{2 * parameters}, Bytes{40e9}) == 9);
}

TEST_CASE("Q1: at one answer a second the break-even price of an answer is 25 USD / 3600") {
  const ServingCost cost = serving_cost(gpt3(), lecture());
  REQUIRE(cost.devices == 5);
  REQUIRE(cost.per_hour.value == Approx(25));
  REQUIRE(cost.per_request.value == Approx(25.0 / 3600));  // 0.00694
  REQUIRE(cost.per_request.value == Approx(0.00694).margin(5e-6));
}

TEST_CASE(
    "Q2: a tenth less latency gives 9600 answers a day more, worth 66.67 USD; the lecture's 8640 are a tenth more "
    "answers") {
  const double gained = requests_gained(Seconds{86400}, Seconds{1}, 0.1);
  REQUIRE(gained == Approx(9600));
  REQUIRE(gained * serving_cost(gpt3(), lecture()).per_request.value == Approx(66.67).margin(0.005));
  REQUIRE(requests_gained(Seconds{86400}, Seconds{1}, 1 - 1 / 1.1) == Approx(8640));
}

TEST_CASE("Q3: a tenth less memory saves one of five GPUs, 120 USD a day") {
  ServedNetwork smaller = gpt3();
  smaller.memory = smaller.memory * 0.9;
  const ServingCost before = serving_cost(gpt3(), lecture()), after = serving_cost(smaller, lecture());
  REQUIRE(after.devices == 4);  // 315 / 80 = 3.94
  REQUIRE(24 * (before.per_hour - after.per_hour).value == Approx(120));
}

TEST_CASE("the price falls in steps at 8.57, 31.43 and 54.29 per cent of memory saved") {
  std::vector<double> steps;  // in per cent
  std::int64_t devices = 5;
  for (int i = 0; i <= 6000; ++i) {
    const std::int64_t now = devices_for_memory(Bytes{350e9 * (1 - i / 1e4)}, a100);
    if (now != devices) steps.push_back(i / 100.0);
    devices = now;
  }
  REQUIRE(devices == 2);
  REQUIRE(steps.size() == 3);
  REQUIRE(steps[0] == Approx(8.57).margin(0.011));  // 1 - 320 / 350
  REQUIRE(steps[1] == Approx(31.43).margin(0.011));
  REQUIRE(steps[2] == Approx(54.29).margin(0.011));
}

TEST_CASE("a load takes whole copies, idle time is paid for, and the energy bill follows the requests") {
  ServedNetwork network{.latency = Seconds{0.5},
                        .batch = 2,
                        .energy = Joules{1800},
                        .memory = Bytes{1},
                        .capacity = {},
                        .price = Dollars{8760}};
  ServingTerms terms;
  terms.lifetime = Seconds{3600.0 * 8760};  // a year: 1 USD an hour
  terms.electricity_per_kwh = Dollars{0.1};
  terms.facility = 1.5;
  terms.utilization = 0.5;  // a copy serves 0.5 x 2 / 0.5 = 2 requests a second
  terms.load = 5;
  terms.tokens_per_request = 100;
  const ServingCost cost = serving_cost(network, terms);
  REQUIRE(cost.copies == 3);
  REQUIRE(cost.hardware_per_hour.value == Approx(3));
  // 9000 passes an hour x 1800 J x 1.5 = 24.3 MJ = 6.75 kWh
  REQUIRE(cost.energy_per_hour.value == Approx(0.675));
  REQUIRE(cost.per_request.value == Approx(3.675 / 18000));
  REQUIRE(cost.per_million_tokens.value == Approx(3.675 / 18000 * 1e4));
  network.price.reset();
  REQUIRE(message_of([&] { serving_cost(network, terms); }).find("rent") != std::string::npos);
}
