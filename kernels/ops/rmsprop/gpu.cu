// rmsprop, C++ variant: the whole parameter arena in one launch.
//
// Maths:        v = rho v + (1 - rho) g^2, or where m is given v = rho (v + (1 - rho) (g - m)^2) and
//               m = rho m + (1 - rho) g;  step = lr g / (sqrt(v) + eps);  p -= step + lr lambda p,
//               or where u is given u = mu u - step, p += u - lr lambda p
// Shapes:       p, g, v, m, u: n float32 each; m and u may be null. lr (1,) float32 on the device,
//               or null: then the scalar lr_value.
// Traffic:      20 n bytes; 8 n more with m, and 8 n more with u; in 16-byte accesses.
//               n 101,770: 20 n = 2,035,400 bytes, 0.42 µs at 4.8 TB/s.
// Launch:       THREADS threads, grid strides over the work; no shared memory. Registers for BLOCKS
//               blocks a multiprocessor.
// Requirements: none; 16-byte access where all the arrays start on a multiple of 16 bytes.
// Numerics:     float32; a squared gradient past 3.4e38 makes v infinite and its update 0. fmaf is
//               written out, so that the bits are the same whatever the alignment.
// Source:       Tieleman and Hinton, Lecture 6.5, 2012; centered: Graves 2013, West 1979.
#include "for_each_parameter.cuh"

constexpr int BLOCKS = 5;

struct Update {
  float rate, rho, one_minus_rho, momentum, eps, decay;
  bool centered, with_momentum;

  __device__ void operator()(float& p, float g, float& v, float& m, float& u) const {
    if (centered) {
      const float d = g - m;
      v = rho * fmaf(one_minus_rho * d, d, v);
      m = fmaf(rho, m, one_minus_rho * g);
    } else {
      v = fmaf(rho, v, one_minus_rho * g * g);
    }
    float change = -rate * g / (sqrtf(v) + eps);
    if (with_momentum) change = u = fmaf(momentum, u, change);
    p += decay != 0.0f ? fmaf(-decay, p, change) : change;
  }
};

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
rmsprop(float* p, const float* g, float* v, float* m, float* u, const float* lr, float lr_value,
        float rho, float one_minus_rho, float momentum, float eps, float weight_decay,
        long long n) {
  const float rate = lr ? *lr : lr_value;
  const Update update = {rate, rho, one_minus_rho, momentum, eps, rate * weight_decay,
                         m != nullptr, u != nullptr};
  for_each_parameter(n, update, p, g, v, Optional{m}, Optional{u});
}
