// moving_average, C++ variant: four bytes an access, whatever the alignment.
//
// Maths:        a = p in step 1, else a + take (p - a).
// Shapes:       average, p: n float32 each. step (1,) int32 on the device, or null: then the scalar
//               step_value.
// Traffic:      12 n bytes: the average read and written, p read, in 4-byte accesses.
//               n 101,770: 12 n = 1,221,240 bytes, 0.25 µs at 4.8 TB/s.
// Launch:       THREADS threads, grid strides over the work; no shared memory.
// Requirements: none.
// Numerics:     float32. fmaf is written out, so that the bits are those of gpu.cu.
// Source:       Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.
#include "vector.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
moving_average(float* average, const float* p, const int* step, int step_value, float take,
               long long n) {
  const bool first = (step ? *step : step_value) == 1;
  const auto update = [=](long long i) {
    average[i] = first ? p[i] : fmaf(take, p[i] - average[i], average[i]);
  };
  for_each(n, false, update, update);
}
