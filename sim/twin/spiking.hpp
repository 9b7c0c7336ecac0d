// Layers of spiking neurons on cores of their own: time steps with a barrier, spikes over a mesh.
#pragma once

#include <memory>

#include "sim/twin/mesh.hpp"
#include "sim/twin/pipeline.hpp"

namespace tilewright {

/// A layer. Its neurons see what a layer before sent in the step before.
struct SpikingLayer {
  std::string layer;
  std::int32_t row = 0;  // of the report
  Ticks core = 0;        // work of its busiest core in a time step
  Ticks processor = 0;   // work on the embedded processors, once for a sample, behind its last time step
  bool spikes = true;    // false: nothing but work on the processors
  CoreRange cores;
  std::vector<std::size_t> inputs;  // layers
  double sent = 0;                  // spikes in a time step
  double destinations = 1;          // cores that each spike arriving here goes to
  std::vector<StageKernel> kernels;
};

struct SpikingChip {
  Mesh mesh;
  std::int64_t chips = 1, time_steps = 1;
  Ticks hop = 0;  // a link is busy with a spike
  Ticks barrier = 0;
  Ticks least_step = 0;
};

/// In a time step the cores of all layers that have a sample work, then their spikes cross the mesh (a link takes one after another, in the
/// order of the layers), then the barrier; a step takes at least `least_step`. A layer starts one step behind the last of its inputs;
/// layers behind work on the processors start when that has ended. Samples follow one another without a gap. Inputs and results of the
/// network cross the outermost level a step's share at a time. Kernels are numbered through the layers, at least one a layer.
/// Links that never decide are left out: each link that is kept carries as much of every layer as those it stands for.
std::unique_ptr<Program> spiking_program(std::vector<SpikingLayer> layers, const SpikingChip& spiking, const Chip& chip,
                                         std::int64_t samples);

}  // namespace tilewright
