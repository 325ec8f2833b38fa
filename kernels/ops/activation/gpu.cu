// activation, C++ variant: elementwise functions at memory speed, and softmax by rows.
//
// Maths:        forward y = f(z); backward dz = dy f'(s), s being y or z as the activation reads.
//               softmax y_j = exp(z_j - max z) / sum_k exp(z_k - max z);
//               backward dz = y (dy - sum_k dy_k y_k).
// Shapes:       n elements, or rows x cols, float32, contiguous.
// Traffic:      forward 8n bytes, backward 12n bytes, each element once in 16-byte accesses where
//               the pointers allow; softmax as many bytes, in 4-byte accesses, its second and third
//               reads coming from cache.
//               n 262,144: 8 n = 2,097,152 bytes, 0.44 µs at 4.8 TB/s.
// Launch:       elementwise: THREADS threads, grid strides over the work. softmax: blockDim.x
//               threads a row (a warp up to WIDE_ROW columns, else a block), blockDim.y rows a
//               block; shared memory 128 bytes a reduction.
// Requirements: none; any n, any alignment of 4 bytes.
// Numerics:     the scalar function's own, in float32; softmax accumulates in float32 in a fixed
//               order. NaN and infinities come through.
// Source:       the scalar functions are Python (kernels/activations), linked in and inlined.
#include "numbers.cuh"
#include "reduce.cuh"
#include "vector.cuh"

extern "C" __device__ float activation(float z);
extern "C" __device__ float activation_derivative(float s);

extern "C" __global__ void __launch_bounds__(THREADS)
activation_forward(const float* z, float* y, long long n) {
  for_each(
      n, aligned_16(z) && aligned_16(y),
      [=](long long i) {
        const float4 v = *reinterpret_cast<const float4*>(z + i);
        *reinterpret_cast<float4*>(y + i) = make_float4(activation(v.x), activation(v.y),
                                                        activation(v.z), activation(v.w));
      },
      [=](long long i) { y[i] = activation(z[i]); });
}

extern "C" __global__ void __launch_bounds__(THREADS)
activation_backward(const float* dy, const float* s, float* dz, long long n) {
  for_each(
      n, aligned_16(dy) && aligned_16(s) && aligned_16(dz),
      [=](long long i) {
        const float4 g = *reinterpret_cast<const float4*>(dy + i);
        const float4 v = *reinterpret_cast<const float4*>(s + i);
        *reinterpret_cast<float4*>(dz + i) =
            make_float4(g.x * activation_derivative(v.x), g.y * activation_derivative(v.y),
                        g.z * activation_derivative(v.z), g.w * activation_derivative(v.w));
      },
      [=](long long i) { dz[i] = dy[i] * activation_derivative(s[i]); });
}

extern "C" __global__ void __launch_bounds__(WIDE_THREADS)
softmax_forward(const float* z, float* y, long long rows, int cols) {
  const long long row = blockIdx.x * static_cast<long long>(blockDim.y) + threadIdx.y;
  const bool inside = row < rows;  // a warp without a row still takes part in the reductions
  z += inside ? row * cols : 0;
  y += inside ? row * cols : 0;
  if (!inside) cols = 0;

  float top = -INFINITY;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) top = fmaxf(top, z[j]);
  const float largest = reduce_row<Max>(top);

  float sum = 0;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) sum += expf(z[j] - largest);
  const float scale = 1 / reduce_row<Sum>(sum);

  for (int j = threadIdx.x; j < cols; j += blockDim.x) y[j] = expf(z[j] - largest) * scale;
}

extern "C" __global__ void __launch_bounds__(WIDE_THREADS)
softmax_backward(const float* dy, const float* y, float* dz, long long rows, int cols) {
  const long long row = blockIdx.x * static_cast<long long>(blockDim.y) + threadIdx.y;
  const bool inside = row < rows;
  const long long start = inside ? row * cols : 0;
  dy += start, y += start, dz += start;
  if (!inside) cols = 0;

  float dot = 0;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) dot += dy[j] * y[j];
  dot = reduce_row<Sum>(dot);
  for (int j = threadIdx.x; j < cols; j += blockDim.x) dz[j] = y[j] * (dy[j] - dot);
}
