// The driver's management library, opened at run time: CUDA toolkits come without it, drivers with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tilewright::cuda {

/// What the library says of one GPU. Every query is none where the library or the board does not answer.
class Nvml {
 public:
  /// Opens the library and finds the GPU by its PCI bus id ("0000:3b:00.0").
  explicit Nvml(const std::string& pci_bus_id, const std::string& library = "libnvidia-ml.so.1");
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// Why there are no answers; empty: there are.
  const std::string& problem() const { return problem_; }

  std::optional<std::string> driver() const;
  std::optional<std::string> uuid() const;
  std::optional<double> sm_clock_mhz() const;
  std::optional<double> memory_clock_mhz() const;
  std::optional<double> application_clock_mhz() const;  // of the SMs
  std::optional<double> temperature_c() const;
  std::optional<double> power_w() const;  // mean of the board's own window, 25 ms to 1 s
  std::optional<double> power_limit_w() const;
  std::optional<std::uint64_t> energy_mj() const;  // since the driver was loaded; Volta and later
  std::optional<std::uint64_t> throttle_reasons() const;
  std::optional<bool> ecc() const;
  std::optional<bool> mig() const;
  std::optional<bool> persistence() const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  void* device_ = nullptr;
  std::string problem_;
};

}  // namespace tilewright::cuda
