#include "sim/systemc/pe_array/kernel.hpp"

namespace tilewright {
namespace {

std::mutex& kernel_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

SystemCContext::SystemCContext() : lock_(kernel_mutex()), context_(new sc_core::sc_simcontext) {
  sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = context_;
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
}

SystemCContext::~SystemCContext() {
  delete context_;
  sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = nullptr;
}

}  // namespace tilewright

/// The library asks for this symbol even where main is ours. Weak: another part of the program may bring its own.
__attribute__((weak)) int sc_main(int /*argc*/, char* /*argv*/[]) { return 0; }
