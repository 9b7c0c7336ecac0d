// The words that the transactions of a program moved.
#pragma once

#include "sim/twin/program.hpp"

namespace tilewright {

/// Adds up what each transaction moves, by kernel: the counts of a whole program are those of its kernels' mappings.
class MovedWords {
 public:
  explicit MovedWords(const Program& program) : counts_(program.kernels().size()), hops_(program.kernels().size()) {}
  void count(const Transaction& transaction);
  const std::vector<AccessCounts>& kernels() const { return counts_; }
  const std::vector<double>& hops() const { return hops_; }  // of spikes, by kernel

 private:
  std::vector<AccessCounts> counts_;
  std::vector<double> hops_;
};

}  // namespace tilewright
