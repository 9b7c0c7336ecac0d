#include "validation/cuda/nvml.hpp"

#include <dlfcn.h>

#include <array>

namespace tilewright::cuda {
namespace {

using Status = int;  // nvmlReturn_t: 0 is success
using Device = void*;

constexpr unsigned sm_clock = 1, memory_clock = 2;  // nvmlClockType_t
constexpr unsigned gpu_sensor = 0;                  // nvmlTemperatureSensors_t

}  // namespace

/// The functions that are used, as the NVML API reference declares them; null where a driver lacks one.
struct Nvml::Library {
  void* handle = nullptr;
  Status (*init)() = nullptr;
  Status (*shutdown)() = nullptr;
  Status (*by_bus_id)(const char*, Device*) = nullptr;
  Status (*driver)(char*, unsigned) = nullptr;
  Status (*uuid)(Device, char*, unsigned) = nullptr;
  Status (*clock)(Device, unsigned, unsigned*) = nullptr;
  Status (*application_clock)(Device, unsigned, unsigned*) = nullptr;
  Status (*temperature)(Device, unsigned, unsigned*) = nullptr;
  Status (*power)(Device, unsigned*) = nullptr;
  Status (*power_limit)(Device, unsigned*) = nullptr;
  Status (*energy)(Device, unsigned long long*) = nullptr;
  Status (*throttle)(Device, unsigned long long*) = nullptr;
  Status (*ecc)(Device, unsigned*, unsigned*) = nullptr;
  Status (*mig)(Device, unsigned*, unsigned*) = nullptr;
  Status (*persistence)(Device, unsigned*) = nullptr;
  bool running = false;

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
  }
  ~Library() {
    if (running) shutdown();
    if (handle != nullptr) dlclose(handle);
  }
};

namespace {

/// Value of a query of the form f(device, &value).
template <class Value>
std::optional<Value> ask(Status (*function)(Device, Value*), Device device) {
  Value value{};
  if (function == nullptr || device == nullptr || function(device, &value) != 0) return std::nullopt;
  return value;
}

std::optional<double> ask_of(Status (*function)(Device, unsigned, unsigned*), Device device, unsigned kind) {
  unsigned value = 0;
  if (function == nullptr || device == nullptr || function(device, kind, &value) != 0) return std::nullopt;
  return value;
}

std::optional<bool> ask_mode(Status (*function)(Device, unsigned*, unsigned*), Device device) {
  unsigned now = 0, pending = 0;
  if (function == nullptr || device == nullptr || function(device, &now, &pending) != 0) return std::nullopt;
  return now != 0;
}

std::optional<double> thousandth(std::optional<unsigned> value) {
  return value ? std::optional(1e-3 * *value) : std::nullopt;
}

}  // namespace

Nvml::Nvml(const std::string& pci_bus_id, const std::string& library) : library_(std::make_unique<Library>()) {
  Library& l = *library_;
  l.handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (l.handle == nullptr) {
    problem_ = library + " cannot be opened";
    return;
  }
  l.find(l.init, "nvmlInit_v2");
  l.find(l.shutdown, "nvmlShutdown");
  l.find(l.by_bus_id, "nvmlDeviceGetHandleByPciBusId_v2");
  l.find(l.driver, "nvmlSystemGetDriverVersion");
  l.find(l.uuid, "nvmlDeviceGetUUID");
  l.find(l.clock, "nvmlDeviceGetClockInfo");
  l.find(l.application_clock, "nvmlDeviceGetApplicationsClock");
  l.find(l.temperature, "nvmlDeviceGetTemperature");
  l.find(l.power, "nvmlDeviceGetPowerUsage");
  l.find(l.power_limit, "nvmlDeviceGetPowerManagementLimit");
  l.find(l.energy, "nvmlDeviceGetTotalEnergyConsumption");
  l.find(l.throttle, "nvmlDeviceGetCurrentClocksThrottleReasons");
  l.find(l.ecc, "nvmlDeviceGetEccMode");
  l.find(l.mig, "nvmlDeviceGetMigMode");
  l.find(l.persistence, "nvmlDeviceGetPersistenceMode");
  if (l.init == nullptr || l.shutdown == nullptr || l.by_bus_id == nullptr) {
    problem_ = library + " is no management library";
    return;
  }
  if (l.init() != 0) {
    problem_ = library + " does not start";
    return;
  }
  l.running = true;
  if (l.by_bus_id(pci_bus_id.c_str(), &device_) != 0) {
    device_ = nullptr;
    problem_ = library + " does not know the GPU " + pci_bus_id;
  }
}

Nvml::~Nvml() = default;

std::optional<std::string> Nvml::driver() const {
  std::array<char, 96> text{};
  if (device_ == nullptr || library_->driver == nullptr || library_->driver(text.data(), text.size()) != 0)
    return std::nullopt;
  return std::string(text.data());
}
std::optional<std::string> Nvml::uuid() const {
  std::array<char, 96> text{};
  if (device_ == nullptr || library_->uuid == nullptr || library_->uuid(device_, text.data(), text.size()) != 0)
    return std::nullopt;
  return std::string(text.data());
}
std::optional<double> Nvml::sm_clock_mhz() const { return ask_of(library_->clock, device_, sm_clock); }
std::optional<double> Nvml::memory_clock_mhz() const { return ask_of(library_->clock, device_, memory_clock); }
std::optional<double> Nvml::application_clock_mhz() const {
  return ask_of(library_->application_clock, device_, sm_clock);
}
std::optional<double> Nvml::temperature_c() const { return ask_of(library_->temperature, device_, gpu_sensor); }
std::optional<double> Nvml::power_w() const { return thousandth(ask(library_->power, device_)); }
std::optional<double> Nvml::power_limit_w() const { return thousandth(ask(library_->power_limit, device_)); }
std::optional<std::uint64_t> Nvml::energy_mj() const { return ask(library_->energy, device_); }
std::optional<std::uint64_t> Nvml::throttle_reasons() const { return ask(library_->throttle, device_); }
std::optional<bool> Nvml::ecc() const { return ask_mode(library_->ecc, device_); }
std::optional<bool> Nvml::mig() const { return ask_mode(library_->mig, device_); }
std::optional<bool> Nvml::persistence() const {
  const auto mode = ask(library_->persistence, device_);
  return mode ? std::optional(*mode != 0) : std::nullopt;
}

}  // namespace tilewright::cuda
