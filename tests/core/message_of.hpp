// What an error says, for tests that compare whole messages.
#pragma once

#include <string>

#include "core/diagnostics.hpp"

namespace tilewright {

/// what() of the InputError that `work` throws; "no error" when it throws none.
template <typename Work>
std::string message_of(Work work) {
  try {
    work();
  } catch (const InputError& error) { return error.what(); }
  return "no error";
}

}  // namespace tilewright
