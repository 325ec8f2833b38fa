// Chunks of a narrow w, and what a warp has of x beside them, on their way through shared memory.
#pragma once
#include "async_copy.cuh"

constexpr int CHUNK = 512;       // float4s of w in a slot
constexpr int MOST_DEPTH = 128;  // rows of w in them, at the fewest columns

// 1, 2 or 4 floats, asynchronously; zeros where it is not `valid`.
__device__ inline void copy_async(float* shared, const float* global, bool valid, int log_width) {
  if (log_width == 2) copy_async_16(shared, global, valid);
  else if (log_width == 1) copy_async_8(shared, global, valid);
  else copy_async_4(shared, global, valid);
}

// How a chunk of w lies in shared memory, and which part of it a lane works on. Columns go by fours,
// padded to CL = 4, 8, 16 or 32 fours, so that a chunk has 512 / CL rows.
//   Forward, the lanes are KL x CL: a lane has four columns and every KL-th four of k.
//   For dx they are IL x OL: a lane has four rows of w and every OL-th four of its columns.
// Both read 16 bytes a lane, and place() sees to it that either way eight lanes in a row touch all
// 32 banks: the three lowest bits of k / 4, reversed, are added to the place without carry.
struct Tile {
  int log_cl, fours;  // fours: columns / 4, rounded up

  __device__ Tile(int classes)
      : log_cl(classes <= 16 ? 2 : classes <= 32 ? 3 : classes <= 64 ? 4 : 5),
        fours((classes + 3) / 4) {}
  __device__ int cl() const { return 1 << log_cl; }
  __device__ int kl() const { return 32 >> log_cl; }
  __device__ int ol() const { return cl() / 4; }
  __device__ int rows() const { return CHUNK >> log_cl; }
  __device__ int place(int k, int four) const {
    return ((k << log_cl) + four) ^ (__brev(k >> 2) >> 29);
  }
  // The rows of a chunk that are there, up to whole steps of the forward lanes.
  __device__ int depth(int k0, int inputs) const {
    const int step = 4 * kl();
    return min(rows(), (inputs - k0 + step - 1) & -step);
  }
};

// A thread stays in its columns and goes down the rows of the chunk, 2^log_width floats at a time.
__device__ inline void copy_weights(Tile tile, float4* slot, const float* w, int k0, int inputs,
                                    int classes, int log_width) {
  const int log_row = tile.log_cl + 2 - log_width;  // copies a row
  const int col = (threadIdx.x & ((1 << log_row) - 1)) << log_width;
  const int depth = col < 4 * tile.fours ? tile.depth(k0, inputs) : 0;
#pragma unroll 4
  for (int k = threadIdx.x >> log_row; k < depth; k += THREADS >> log_row) {
    const bool inside = k0 + k < inputs && col < classes;
    const float* source = w + (inside ? static_cast<long long>(k0 + k) * classes + col : 0);
    float* to = reinterpret_cast<float*>(slot + tile.place(k, col >> 2)) + (col & 3);
    copy_async(to, source, inside, log_width);
  }
}

// A warp's own rows of x, each in as many floats as a chunk has rows.
template <int ROWS>
__device__ void copy_inputs(Tile tile, float* slot, const float* x, int k0, int inputs,
                            long long rows, int log_width) {
  const int log_row = 9 - tile.log_cl - log_width, depth = tile.depth(k0, inputs);
#pragma unroll 1
  for (int i = threadIdx.x % 32; i < ROWS << log_row; i += 32) {
    const int row = i >> log_row, k = (i & ((1 << log_row) - 1)) << log_width;
    if (k >= depth) continue;
    const bool inside = row < rows && k0 + k < inputs;
    const float* source = x + (inside ? static_cast<long long>(row) * inputs + k0 + k : 0);
    copy_async(slot + row * tile.rows() + k, source, inside, log_width);
  }
}

// use(chunk, slot) for every chunk, in order. Where they are not `loaded` already, copy(chunk, slot)
// comes SLOTS - 1 chunks before, and there is one barrier a chunk: behind it everybody's copies of
// this chunk have landed, and nobody reads the slot of the chunk before any more.
template <int SLOTS, class Copy, class Use>
__device__ void for_each_chunk(int chunks, bool loaded, Copy copy, Use use) {
#pragma unroll 1
  for (int chunk = loaded ? 0 : 1 - SLOTS; chunk < chunks; ++chunk) {
    if (!loaded) {
      if (chunk >= 0) {
        copy_async_wait<SLOTS - 2>();
        __syncthreads();
      }
      const int next = chunk + SLOTS - 1;
      if (next < chunks) copy(next, next & (SLOTS - 1));
      copy_async_commit();  // possibly empty, so that "all but the newest" is always this chunk
    }
    if (chunk >= 0) use(chunk, chunk & (SLOTS - 1));
  }
}
