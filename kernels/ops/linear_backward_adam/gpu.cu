// linear_backward_adam, C++ variant: linear's dw, which goes through Adam's step and not to memory.
//
// Maths:        dw = x^T dz, db = sum of the rows of dz; with g = dw for p = w, and g = db for p = b:
//               m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
//               p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps) + lr lambda p
// Shapes:       M, N, K = I, O, B. x (B, I), dz (B, O), w, m, v (I, O), b, m_b, v_b (O,) or null;
//               float32, row-major, contiguous. step (1,) int32 and lr (1,) float32 on the device,
//               or null: then the scalars. partials, arrived: as in linear/gpu.cu.
// Traffic:      that of linear/gpu.cu's product, and in place of the M N floats that it writes 24
//               M N bytes: w, m, v read and written. dw would have been 4 M N written and 4 read.
//               M 784, N 128, K 128: 4 K (M + N) + 24 M N = 2,875,392 bytes, 0.60 µs at 4.8 TB/s.
// Launch:       grid (M / TILE_M, N / TILE_N, S), THREADS threads, dynamic shared memory: as
//               linear/gpu.cu, by the same choice of tile and S.
// Requirements: none on sizes or alignment; 16-byte copies of x and dz as in linear/gpu.cu, 16-byte
//               access to w, m, v where N % 4 = 0 and all three start on a multiple of 16 bytes.
//               M, N, K >= 1 and N <= 65535 TILE_N, which kernels/ops/linear/__init__.py guarantees.
// Numerics:     dw and db as in linear/gpu.cu, in one order; the step as in adam/gpu.cu, float32.
//               Both are the same code, so the bits are those of the one after the other.
// Source:       Lv et al., LOMO, ACL 2024; Kingma and Ba, Adam, ICLR 2015, algorithm 1.
enum Precision { FLOAT32, TF32, BFLOAT16, FLOAT16 };

#include "adam.cuh"
#include "block_product.cuh"

// The step of the parameters that begin at p, by their gradients.
template <int N>
__device__ void update(const Adam& adam, const Floats<N>& g, float* p, float* m, float* v) {
  Floats<N> new_p = load<N>(p), new_m = load<N>(m), new_v = load<N>(v);
  for (int i = 0; i < N; ++i) adam(new_p.at[i], g.at[i], new_m.at[i], new_v.at[i]);
  store(p, new_p);
  store(m, new_m);
  store(v, new_v);
}

extern "C" __global__ void __launch_bounds__(THREADS)
linear_backward_adam(const float* x, const float* dz,
                     float* __restrict__ w, float* __restrict__ m, float* __restrict__ v,
                     float* b, float* m_b, float* v_b,
                     const int* step, int step_value, const float* lr, float lr_value,
                     float beta1, float one_minus_beta1, float log_beta1,
                     float beta2, float one_minus_beta2, float log_beta2,
                     float eps, float weight_decay,
                     int M, int N, int K, float* partials, int* arrived) {
  Left<false> left(x, M, K, blockIdx.x * TILE_M);
  Right<false> right(dz, N, K, blockIdx.y * TILE_N);
  const bool sums = b && blockIdx.x == 0;  // the first row of blocks sums the dz that it has
  product(left, right, K, sums);
  const int addends = complete(partials, arrived, sums);
  if (addends == 0) return;
  const float t = step ? *step : step_value, learning_rate = lr ? *lr : lr_value;
  const Adam adam(t, learning_rate, beta1, one_minus_beta1, log_beta1, beta2, one_minus_beta2,
                  log_beta2, eps, weight_decay);
  const bool vectors = aligned_16(w) && aligned_16(m) && aligned_16(v);
  each_output<2>(M, N, vectors, addends, [=](long long at, int, auto dw) {
    update(adam, dw, w + at, m + at, v + at);
  });
  const int n = blockIdx.y * TILE_N + threadIdx.x;
  if (sums && threadIdx.x < TILE_N && n < N)
    update(adam, result<1>(OUTPUTS + threadIdx.x, addends), b + n, m_b + n, v_b + n);
}
