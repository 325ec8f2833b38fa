// moving_average, C++ variant: the whole parameter arena in one launch.
//
// Maths:        a = p in step 1, else a + take (p - a).
// Shapes:       average, p: n float32 each. step (1,) int32 on the device, or null: then the scalar
//               step_value.
// Traffic:      12 n bytes: the average read and written, p read, in 16-byte accesses.
//               n 101,770: 12 n = 1,221,240 bytes, 0.25 µs at 4.8 TB/s.
// Launch:       THREADS threads, grid strides over the work; no shared memory.
// Requirements: none; 16-byte access where both arrays start on a multiple of 16 bytes.
// Numerics:     float32. fmaf is written out, so that the bits are the same whatever the alignment.
// Source:       Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.
#include "for_each_parameter.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
moving_average(float* average, const float* p, const int* step, int step_value, float take,
               long long n) {
  const bool first = (step ? *step : step_value) == 1;
  const auto update = [=](float& a, float p) { a = first ? p : fmaf(take, p - a, a); };
  for_each_parameter(n, update, average, p);
}
