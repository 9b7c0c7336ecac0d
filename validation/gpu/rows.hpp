// The measured tables as kernels: what was run, where, how it was timed, and how long it took.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/stack.hpp"

namespace tilewright {

/// One row of a measured table.
struct MeasuredRow {
  std::string table;  // file name without folder
  int line = 0;
  std::string device, precision, op, source, timing, flag;
  Stack stack = Stack::cuda_graph_tensorrt_llm;
  Seconds latency;
  std::optional<Watts> power;
  GpuKernel kernel;
  std::size_t device_index = 0;  // in MeasuredData::devices
  double place = 0;  // among the rows of its host, stack and operator in the order of the table: 0 first, 1 last

  std::string name() const;  // "gemm.csv:120"
};

struct MeasuredData {
  std::string folder, hash;  // hash: FNV-1a of the tables that were read
  std::vector<GpuDevice> devices;
  std::vector<MeasuredRow> rows;
  std::vector<std::string> notes;  // rows of the tables that hold no kernel, and why
};

/// Reads devices.csv and those of gemm.csv, conv.csv, vector.csv, attention.csv, rnn.csv that the folder has. InputError with file, line and column for a bad cell, an unknown
/// device, number format or timing method, and for a folder without devices.csv or without any table.
MeasuredData read_measured(const std::string& folder);
/// FNV-1a of the files one after the other, as the calibration names its tables.
std::string hash_of_files(const std::vector<std::string>& paths);
/// Folder of the open tables that come with the project.
std::string measured_gpu_folder();

/// Key of the host floors: "stack/op/precision/device".
std::string floor_key(const MeasuredRow& row);

/// True where the host's dispatch grows along the table: convolutions in eager PyTorch. Their source ran them in this order in one process with
/// cuDNN's autotuning; the time that no kernel explains rises from row to row, on all five hosts, whatever the shape.
bool host_drifts(const MeasuredRow& row);

/// Prediction of one row. `device` carries the trim, `floor` the host.
KernelTime predict(const MeasuredRow& row, const GpuDevice& device, const GpuConstants& constants, Seconds floor);

/// "m 512, n 1024, k 4096, TN" in the columns' words.
std::string shape_text(const GpuKernel& kernel);
/// Equal for rows of the same shape on any device: what leave-shapes-out keeps together.
std::string shape_key(const MeasuredRow& row);

}  // namespace tilewright
