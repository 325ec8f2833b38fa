// adadelta, C++ variant: the whole parameter arena in one launch.
//
// Maths:        a = rho a + (1 - rho) g^2;  c = sqrt(d + eps) / sqrt(a + eps) g;
//               d = rho d + (1 - rho) c^2;  p -= lr c + lr lambda p
// Shapes:       p, g, a, d: n float32 each. lr (1,) float32 on the device, or null: then the scalar
//               lr_value.
// Traffic:      28 n bytes: p, a, d read and written, g read, in 16-byte accesses.
//               n 101,770: 28 n = 2,849,560 bytes, 0.59 µs at 4.8 TB/s.
// Launch:       THREADS threads, grid strides over the work; no shared memory.
// Requirements: none; 16-byte access where all four arrays start on a multiple of 16 bytes.
// Numerics:     float32; a squared gradient past 3.4e38 makes a infinite and its update 0. fmaf is
//               written out, so that the bits are the same whatever the alignment.
// Source:       Zeiler, ADADELTA, 2012, algorithm 1.
#include "for_each_parameter.cuh"

struct Update {
  float rate, rho, one_minus_rho, eps, decay;

  __device__ void operator()(float& p, float g, float& a, float& d) const {
    a = fmaf(rho, a, one_minus_rho * g * g);
    const float change = sqrtf(d + eps) / sqrtf(a + eps) * g;
    d = fmaf(rho, d, one_minus_rho * change * change);
    p = fmaf(-rate, change, decay != 0.0f ? fmaf(-decay, p, p) : p);
  }
};

extern "C" __global__ void __launch_bounds__(THREADS)
adadelta(float* p, const float* g, float* a, float* d, const float* lr, float lr_value, float rho,
         float one_minus_rho, float eps, float weight_decay, long long n) {
  const float rate = lr ? *lr : lr_value;
  const Update update = {rate, rho, one_minus_rho, eps, rate * weight_decay};
  for_each_parameter(n, update, p, g, a, d);
}
