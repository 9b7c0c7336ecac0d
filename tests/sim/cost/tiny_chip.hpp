// A chip small enough for paper: a 2x2 weight-stationary array under one buffer.
#pragma once

#include "arch_models/chip.hpp"

namespace tilewright::testing {

/// DRAM: 2 B/cycle, 100 pJ a word read, 200 pJ written, 1 pJ/bit to the buffer. Buffer: 64 B, 16 B/cycle, 16-bit accesses of 10 pJ
/// (read) and 12 pJ (write), 2x2 lanes under it. PE: one 4-byte weight register, 1 pJ a word. A MAC: 1 pJ. 1 GHz.
inline Chip tiny_chip() {
  Chip chip;
  chip.name = "tiny";
  chip.family = "systolic";
  chip.clock = Hertz{1e9};
  BufferLevel dram;
  dram.name = "DRAM";
  dram.bandwidth = BytesPerCycle{2};
  dram.read_energy = picojoules(100);
  dram.write_energy = picojoules(200);
  dram.transfer_energy_per_bit = picojoules(1);
  BufferLevel buffer;
  buffer.name = "Buffer";
  buffer.capacity = Bytes{64};
  buffer.bandwidth = BytesPerCycle{16};
  buffer.access_bits = 16;
  buffer.read_energy = picojoules(10);
  buffer.write_energy = picojoules(12);
  buffer.fanout_x = buffer.fanout_y = 2;
  buffer.double_buffered = true;
  BufferLevel pe;
  pe.name = "PE";
  pe.capacity = Bytes{4};
  pe.instances = 4;
  pe.read_energy = pe.write_energy = picojoules(1);
  pe.double_buffered = true;
  pe.keeps[static_cast<int>(Role::input)] = pe.keeps[static_cast<int>(Role::output)] = false;
  chip.levels = {dram, buffer, pe};
  chip.arithmetic[DataType::int8] = {1.0, picojoules(1), "assumed for the test"};
  chip.vector = {2.0, 1.0, picojoules(1), "assumed for the test"};
  SystolicParameters array;
  array.rows = array.cols = 2;
  array.dataflow = ArrayDataflow::weight_stationary;
  array.weights_double_buffered = true;
  chip.parameters = array;
  return chip;
}

/// outputs[M, N] += inputs[M, K] x weights[K, N].
inline Problem gemm(std::int64_t m, std::int64_t n, std::int64_t k, DataType type = DataType::int8) {
  Problem p;
  p.dims = {{"M", m}, {"N", n}, {"K", k}};
  p.operands = {{"inputs", Role::input, type, {{{0, 1}}, {{2, 1}}}},
                {"weights", Role::weight, type, {{{2, 1}}, {{1, 1}}}},
                {"outputs", Role::output, type, {{{0, 1}}, {{1, 1}}}}};
  return p;
}

/// A 3x3 convolution with stride and no padding: inputs[N, C, stride P + R, stride Q + S].
inline Problem conv(std::int64_t k, std::int64_t c, std::int64_t p, std::int64_t r, std::int64_t stride,
                    DataType type = DataType::int8) {
  Problem problem;
  problem.dims = {{"K", k}, {"C", c}, {"P", p}, {"Q", p}, {"R", r}, {"S", r}};
  problem.operands = {{"inputs", Role::input, type, {{{1, 1}}, {{2, stride}, {4, 1}}, {{3, stride}, {5, 1}}}},
                      {"weights", Role::weight, type, {{{0, 1}}, {{1, 1}}, {{4, 1}}, {{5, 1}}}},
                      {"outputs", Role::output, type, {{{0, 1}}, {{2, 1}}, {{3, 1}}}}};
  return problem;
}

}  // namespace tilewright::testing
