"""elementwise_loss: as many lanes of a warp a row as the row has outputs, 32 at most.

Maths:        loss_i = w_i / C · Σ_j ℓ(z_ij, t_ij); dz_ij = scale · w_i / C · ∂ℓ/∂z(z_ij, t_ij);
              hit_i = 1 where right(z_ij, t_ij) for every j, else 0.
Shapes:       z, t, dz (B, C) float32; weights, loss (B,) float32; hit (B,) uint8; contiguous.
              weights (then ones), dz and hit may be null. dz may be z.
Traffic:      z and t read once, dz written once: 12·B·C bytes, each access of 4.
              B 512, C 512: 12 B C = 3,145,728 bytes, 0.66 µs at 4.8 TB/s.
Launch:       THREADS threads, each row to `lanes` of them, a power of two, so that one output a
              sample takes one thread and 32 or more a whole warp; no shared memory.
Requirements: lanes divides 32, and the grid covers B · lanes threads.
Numerics:     float32; a row is summed by lanes, then by pairs: in a fixed order. NaN comes through.
              A sum that overflows is made again of terms that are weighted first.
Source:       the scalar functions are those of kernels/losses, linked in; CUDA C++ Programming
              Guide, warp shuffles.
"""

import math

from kernels.device.cuda_python import cuda, device_function, extern, float32, given

ALL_LANES = 0xFFFFFFFF
INFINITY = math.inf

loss_value = extern("loss_value")
loss_derivative = extern("loss_derivative")
loss_right = extern("loss_right")


@device_function
def counted(value, share, z, t):
    """0 for an infinite value of finite numbers that has no weight, which 0 · ∞ = NaN would be."""
    finite = abs(z) < INFINITY and abs(t) < INFINITY
    return float32(0) if share == float32(0) and abs(value) == INFINITY and finite else value


def elementwise_loss(z, t, weights, loss, dz, hit, scale, rows, cols, lanes):
    row = cuda.grid(1) // lanes
    lane = cuda.threadIdx.x % lanes
    inside = row < rows  # lanes without a row still take part in the sums
    share = float32(1) / float32(cols)
    if inside and given(weights):
        share *= weights[row]

    total, of_shares, all_right = float32(0), float32(0), float32(1)
    for j in range(lane, cols if inside else 0, lanes):
        z_ij, t_ij = z[row * cols + j], t[row * cols + j]
        value = counted(loss_value(z_ij, t_ij), share, z_ij, t_ij)
        total += value
        of_shares += share * value
        all_right *= loss_right(z_ij, t_ij)
        if given(dz):
            slope = counted(loss_derivative(z_ij, t_ij), share, z_ij, t_ij)
            dz[row * cols + j] = scale * share * slope
    apart = lanes // 2
    while apart > 0:
        total += cuda.shfl_xor_sync(ALL_LANES, total, apart)
        of_shares += cuda.shfl_xor_sync(ALL_LANES, of_shares, apart)
        all_right *= cuda.shfl_xor_sync(ALL_LANES, all_right, apart)
        apart //= 2

    if inside and lane == 0:
        loss[row] = share * total if abs(total) < INFINITY else of_shares
        if given(hit):
            hit[row] = 1 if all_right != float32(0) else 0
