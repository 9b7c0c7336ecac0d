#include "arch_models/chip.hpp"

#include "core/checked.hpp"

namespace tilewright {

std::int64_t Chip::lanes() const {
  if (levels.empty()) return 0;
  const BufferLevel& innermost = levels.back();
  return checked_mul(innermost.instances, checked_mul(innermost.fanout_x, innermost.fanout_y));
}

}  // namespace tilewright
