# tilewright_library(name SOURCES a.cpp ... PUBLIC targets... PRIVATE targets...): one folder, one target tilewright::name.
function(tilewright_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(tilewright_${name} STATIC ${ARG_SOURCES})
  add_library(tilewright::${name} ALIAS tilewright_${name})
  target_include_directories(tilewright_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(tilewright_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} tilewright_warnings)
endfunction()

# tilewright_test(name SOURCES a.cpp ... LINK targets... LABEL unit): a Catch2 program whose cases ctest lists one by one.
function(tilewright_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LINK" ${ARGN})
  if(ARG_LABEL STREQUAL "slow" AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    return()  # millions of what the other tests do
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} Catch2::Catch2WithMain tilewright_warnings)
  # Half of a first build is tests, and they wait for the libraries, which keep -O3: a third of their own compile time is saved.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  # Under the sanitizers too, where those that enumerate nothing themselves compile in half the time.
  if(ARG_LABEL MATCHES "^(unit|cli)$")
    target_compile_options(test_${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(test_${name} PRIVATE TILEWRIGHT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # [repeated]: the same code many times over, of which the sanitizers learn nothing new.
  set(spec "")
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    set(spec TEST_SPEC "~[repeated]")
  endif()
  catch_discover_tests(test_${name} ${spec} TEST_PREFIX "${name}: " PROPERTIES LABELS "${ARG_LABEL}")
endfunction()
