# SystemC as Debian ships it: a pkg-config file, a library built as C++17 whose version symbol our C++23 files must name.
find_package(PkgConfig REQUIRED)
pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc>=2.3.4)
add_library(tilewright_systemc_kernel INTERFACE)
target_link_libraries(tilewright_systemc_kernel INTERFACE PkgConfig::SYSTEMC)
target_compile_definitions(tilewright_systemc_kernel INTERFACE SC_CPLUSPLUS=201703L)
