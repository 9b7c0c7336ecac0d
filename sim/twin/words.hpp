// The words that the transactions of a program moved.
#pragma once

#include "sim/twin/program.hpp"

namespace tilewright {

/// Adds up what each transaction moves, by kernel: the counts of a whole program are those of its kernels' mappings.
class MovedWords {
 public:
  explicit MovedWords(const Program& program) : counts_(program.kernels().size()) {}
  void count(const Transaction& transaction);
  const std::vector<AccessCounts>& kernels() const { return counts_; }

 private:
  std::vector<AccessCounts> counts_;
};

}  // namespace tilewright
