#include "sim/systemc/kernel/kernel.hpp"

namespace tilewright {
namespace {

std::mutex& turn() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

SystemCContext::SystemCContext() : lock_(turn()), context_(std::make_unique<sc_core::sc_simcontext>()) {
  sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = context_.get();
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
}

SystemCContext::~SystemCContext() {
  context_.reset();
  sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = nullptr;
}

}  // namespace tilewright

/// The library asks for this symbol even where main is ours; our programs have a main of their own.
int sc_main(int /*argc*/, char* /*argv*/[]) { return 0; }
