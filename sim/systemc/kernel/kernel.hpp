// The SystemC kernel for one simulation.
#pragma once

#include <memory>
#include <mutex>
#include <systemc>

namespace tilewright {

/// A fresh simulation context; modules and signals are made while it lives and destroyed before it. The kernel is a global of the process, so a second
/// one waits here until the first is gone.
class SystemCContext {
 public:
  SystemCContext();
  ~SystemCContext();
  SystemCContext(const SystemCContext&) = delete;
  SystemCContext& operator=(const SystemCContext&) = delete;

 private:
  std::unique_lock<std::mutex> lock_;
  std::unique_ptr<sc_core::sc_simcontext> context_;
};

}  // namespace tilewright
