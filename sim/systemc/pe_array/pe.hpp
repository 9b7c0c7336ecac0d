// The two kinds of processing elements and the words that travel between them. Every output is a register: written in a cycle, seen in the next.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <systemc>

#include "sim/systemc/pe_array/pe_array.hpp"

namespace tilewright {

/// What a wire between two PEs carries.
struct Word {
  double value = 0;
  std::int32_t index = -1;  // number of a streamed word within its fold
  bool valid = false;       // an operand of the problem (unused rows and columns carry none)
  bool last = false;        // travels with the last streamed word of a row: the fold ends behind it
  bool result = false;      // a partial sum or result on its way down

  friend bool operator==(const Word&, const Word&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Word& word) { return out << word.value; }
inline void sc_trace(sc_core::sc_trace_file* file, const Word& word, const std::string& name) {
  sc_core::sc_trace(file, word.value, name + ".value");
  sc_core::sc_trace(file, word.valid, name + ".valid");
  sc_core::sc_trace(file, word.result, name + ".result");
}

/// Takes finished results.
class ResultSink : public virtual sc_core::sc_interface {
 public:
  virtual void take(std::int64_t row, std::int64_t col, double value) = 0;
};

/// What both kinds share: wires to the neighbours, and the state that observers read between two cycles.
class Pe : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clock{"clock"};
  sc_core::sc_in<bool> shift{"shift"};  // stationary words move in, or results move out
  sc_core::sc_in<Word> left{"left"}, top{"top"};
  sc_core::sc_out<Word> right{"right"}, bottom{"bottom"};

  explicit Pe(const sc_core::sc_module_name& name) : sc_module(name) {}
  const PeState& state() const { return state_; }

 protected:
  PeState state_;
};

/// Keeps a result: streams meet from the left and from above.
class OutputStationaryPe : public Pe {
 public:
  sc_core::sc_port<ResultSink, 1, sc_core::SC_ZERO_OR_MORE_BOUND> results{"results"};  // bound: hands over in place

  OutputStationaryPe(const sc_core::sc_module_name& name, std::int64_t row, std::int64_t col);

 private:
  void cycle();
  std::int64_t row_, col_;
  double sum_ = 0;
  bool finished_ = false;  // holds a result that has not left
};

/// Keeps a word of one operand: the other streams from the left, partial sums move down.
class StationaryPe : public Pe {
 public:
  explicit StationaryPe(const sc_core::sc_module_name& name);

 private:
  void cycle();
  Word held_;
};

}  // namespace tilewright
