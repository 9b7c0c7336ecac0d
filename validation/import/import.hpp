// Users' own measurements as tables: traces of torch.profiler, reports of Nsight Compute and Nsight Systems.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tilewright {

struct ImportRequest {
  std::vector<std::string> files;
  std::string device;   // key of the device table; empty: what the trace says (Nsight reports do not say it)
  std::string devices;  // a device table
};

/// Kernels of one name that no table took.
struct NotImported {
  std::string kernel, reason;
  std::int64_t launches = 0;
  double total_us = 0;
};

struct Imported {
  std::map<std::string, std::string> tables;  // file name -> CSV: gemm.csv ..., devices.csv
  std::map<std::string, std::size_t> rows;    // by table that has rows
  std::vector<NotImported> left;              // by time, longest first
  std::vector<std::string> notes;             // what was assumed
};

/// Reads the files one after another, each as a stream. Calls of the same operator, shape, number format and device become one row: the median of their times, with count, 5th and
/// 95th percentile. A call's time is the sum of its kernels. InputError with file, line or event for what cannot be read, for an unknown device and for a file of no known form.
Imported import_measurements(const ImportRequest& request);

}  // namespace tilewright
