#include "core/data_folder.hpp"

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"

namespace tilewright {

TEST_CASE("data beside the source is found, and a missing folder names both places") {
  REQUIRE(data_folder(TILEWRIGHT_SOURCE_DIR, "arch_models", "arch_models/chips") == TILEWRIGHT_SOURCE_DIR
          "/arch_models/chips");
  try {
    static_cast<void>(data_folder("/nowhere", "validation", "measured/none"));
    FAIL("found a folder that is not there");
  } catch (const InputError& error) {
    const std::string message = error.what();
    REQUIRE(message.find("/nowhere/measured/none") != std::string::npos);
    REQUIRE(message.find("share/tilewright/validation/measured/none") != std::string::npos);
  }
}

}  // namespace tilewright
