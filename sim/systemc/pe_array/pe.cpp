#include "sim/systemc/pe_array/pe.hpp"

namespace tilewright {

OutputStationaryPe::OutputStationaryPe(const sc_core::sc_module_name& name, std::int64_t row, std::int64_t col)
    : Pe(name), row_(row), col_(col) {
  SC_HAS_PROCESS(OutputStationaryPe);
  SC_METHOD(cycle);
  sensitive << clock.pos();
  dont_initialize();
}

void OutputStationaryPe::cycle() {
  const Word& a = left.read();
  const Word& b = top.read();
  state_ = {a.valid && b.valid, false, a.index, a.value, b.value, sum_};
  right.write(a);
  if (shift.read()) {  // own result first, then those from above
    bottom.write(finished_ ? Word{sum_, -1, false, false, true} : b);
    if (finished_) sum_ = 0;
    finished_ = false;
    return;
  }
  if (state_.active) sum_ += a.value * b.value;
  state_.sum = sum_;
  bottom.write(b);
  if (!a.last) return;
  if (results.size() > 0) {
    results->take(row_, col_, sum_);
    sum_ = 0;
  } else {
    finished_ = true;
  }
}

StationaryPe::StationaryPe(const sc_core::sc_module_name& name) : Pe(name) {
  SC_HAS_PROCESS(StationaryPe);
  SC_METHOD(cycle);
  sensitive << clock.pos();
  dont_initialize();
}

void StationaryPe::cycle() {
  const Word& streamed = left.read();
  const Word& above = top.read();
  if (shift.read()) {
    held_ = above;
    bottom.write(held_);
    right.write(streamed);
    state_ = {false, held_.valid, -1, 0, held_.value, 0};
    return;
  }
  const bool active = streamed.valid && held_.valid;
  double sum = above.result ? above.value : 0;
  if (active) sum += streamed.value * held_.value;
  bottom.write(Word{sum, streamed.index, false, false, streamed.valid || above.result});
  right.write(streamed);
  state_ = {active, false, streamed.index, streamed.value, held_.value, sum};
}

}  // namespace tilewright
