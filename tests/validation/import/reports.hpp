// Small reports in the forms of the tools.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "validation/import/import.hpp"

namespace tilewright::test {

inline const std::string trace_text = R"({"schemaVersion": 1,
 "deviceProperties": [{"id": 0, "name": "NVIDIA A100-SXM4-80GB", "numSms": 108}],
 "distributedInfo": {"rank": 0},
 "traceEvents": [
  {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "python"}},
  {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "ts": 1, "dur": 9, "args": {"External id": 5, "Ev Idx": 4, "Input Dims": [[64, 32], [32, 16]], "Input Strides": [[32, 1], [1, 32]], "Input type": ["c10::BFloat16", "c10::BFloat16"], "Concrete Inputs": ["", ""]}},
  {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "ts": 20, "dur": 9, "args": {"External id": 6, "Input Dims": [[64, 32], [32, 16]], "Input Strides": [[32, 1], [1, 32]], "Input type": ["c10::BFloat16", "c10::BFloat16"], "Concrete Inputs": ["", ""]}},
  {"ph": "X", "cat": "cpu_op", "name": "aten::relu", "ts": 40, "dur": 9, "args": {"External id": 7, "Input Dims": [[2, 2, 1000]], "Input Strides": [[2000, 1000, 1]], "Input type": ["float"]}},
  {"ph": "X", "cat": "cpu_op", "name": "aten::embedding", "ts": 50, "dur": 9, "args": {"External id": 8, "Input Dims": [[1000, 64], [[3], [4]]]}},
  {"ph": "X", "cat": "kernel", "name": "s16816gemm", "ts": 5, "dur": 10, "args": {"device": 0, "stream": 7, "External id": 5, "grid": [1, 2, 3]}},
  {"ph": "X", "cat": "kernel", "name": "splitKreduce", "ts": 16, "dur": 2, "args": {"device": 0, "External id": 5}},
  {"ph": "X", "cat": "kernel", "name": "s16816gemm", "ts": 25, "dur": 14, "args": {"device": 0, "External id": 6}},
  {"ph": "X", "cat": "kernel", "name": "relu_kernel", "ts": 45, "dur": 3.5, "args": {"device": 0, "External id": 7}},
  {"ph": "X", "cat": "kernel", "name": "embedding_kernel", "ts": 55, "dur": 8, "args": {"device": 0, "External id": 8}},
  {"ph": "X", "cat": "kernel", "name": "lonely", "ts": 65, "dur": 4, "args": {"device": 0}},
  {"ph": "X", "cat": "kernel", "name": "orphan", "ts": 66, "dur": 1, "args": {"device": 0, "External id": 99}},
  {"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD", "ts": 70, "dur": 4, "args": {"device": 0, "External id": 5}}
 ],
 "traceName": "trace.json"}
)";

inline const std::string ncu_details =
    "==PROF== Connected to process 7 (python3.10)\n"
    "==PROF== Profiling \"gemm\" - 0: 0%....100% - 8 passes\n"
    "\"ID\",\"Process ID\",\"Process Name\",\"Host Name\",\"thread "
    "Domain:Push/Pop_Range:PL_Type:PL_Value:CLR_Type:Color:Msg_Type:Msg\",\"Kernel Name\",\"Context\",\"Stream\","
    "\"Section Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n"
    "\"0\",\"7\",\"python\",\"h\",\"12 :<default domain>:aten::mm, op_id = 1, sizes = [[64, 32], [32, "
    "16]]:none\",\"ampere_h16816gemm\",\"1\",\"7\",\"GPU Speed Of Light "
    "Throughput\",\"Duration\",\"us\",\"1,234.50\"\n"
    "\"0\",\"7\",\"python\",\"h\",\"12 :<default domain>:aten::mm, op_id = 1, sizes = [[64, 32], [32, "
    "16]]:none\",\"ampere_h16816gemm\",\"1\",\"7\",\"Launch Statistics\",\"Registers "
    "Per Thread\",\"register/thread\",\"32\"\n"
    "\"1\",\"7\",\"python\",\"h\",\"\",\"vectorized_elementwise_kernel<4, float>\",\"1\",\"7\",\"GPU Speed Of Light "
    "Throughput\",\"Duration\",\"msecond\",\"2.5\"\n";

/// Imports one file of this text; devices are the project's.
inline Imported import_text(const std::string& name, const std::string& text, ImportRequest request = {}) {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "tilewright-import-XXXXXX").string();
  const fs::path folder = mkdtemp(pattern.data());
  struct Gone {
    const fs::path& folder;
    ~Gone() { fs::remove_all(folder); }
  } const gone{folder};
  const std::string path = (folder / name).string();
  std::ofstream(path, std::ios::binary) << text;
  request.files = {path};
  request.devices = TILEWRIGHT_SOURCE_DIR "/validation/measured/gpu/devices.csv";
  return import_measurements(request);
}

}  // namespace tilewright::test
