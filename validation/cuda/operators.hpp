// The operators of the tables, each made ready for one shape.
#pragma once

#include <string>

#include "validation/cuda/measure.hpp"
#include "validation/cuda/shapes.hpp"
#include "validation/tables/tables.hpp"

namespace tilewright::cuda {

/// Measures one shape. Unsupported: this GPU or library does not have it.
Measurement measure_gemm(Meter& meter, const Shape& shape, std::uint64_t seed);       // cuBLASLt
Measurement measure_conv(Meter& meter, const Shape& shape, std::uint64_t seed);       // cuDNN
Measurement measure_attention(Meter& meter, const Shape& shape, std::uint64_t seed);  // cuDNN, fused
Measurement measure_vector(Meter& meter, const Shape& shape, std::uint64_t seed);     // our own kernels

/// Launch floor, streams, sweeps of L2 and shared memory, pointer chase, multiply-add and tensor peaks into `microbench`; the streaming multiply-add kernel into `roofline_power`.
/// A micro-benchmark that the GPU lacks is left out with a line on standard error.
void measure_microbench(Meter& meter, const cudaDeviceProp& gpu, const Provenance& provenance,
                        MeasuredTable& microbench, MeasuredTable& roofline);

}  // namespace tilewright::cuda
