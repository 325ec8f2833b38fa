"""elementwise_loss: as many lanes of a warp a row as the row has outputs, 32 at most.

Maths:        loss_i = w_i / C · Σ_j ℓ(z_ij, t_ij); dz_ij = scale · w_i / C · ∂ℓ/∂z(z_ij, t_ij);
              hit_i = 1 where right(z_ij, t_ij) for every j, else 0.
Shapes:       z, t, dz (B, C) float32; weights, loss (B,) float32; hit (B,) uint8; contiguous.
              weights (then ones), dz and hit may be null. dz may be z.
Traffic:      z and t read once, dz written once: 12·B·C bytes, each access of 4.
Launch:       THREADS threads, each row to `lanes` of them, a power of two, so that one output a
              sample takes one thread and 32 or more a whole warp; no shared memory.
Requirements: lanes divides 32, and the grid covers B · lanes threads.
Numerics:     float32; a row is summed by lanes, then by pairs: in a fixed order. NaN comes through.
Source:       the scalar functions are those of kernels/losses, linked in; CUDA C++ Programming
              Guide, warp shuffles.
"""

from kernels.device.cuda_python import cuda, extern, float32, given

THREADS = 256
ALL_LANES = 0xFFFFFFFF

loss_value = extern("loss_value")
loss_derivative = extern("loss_derivative")
loss_right = extern("loss_right")


def elementwise_loss(z, t, weights, loss, dz, hit, scale, rows, cols, lanes):
    row = cuda.grid(1) // lanes
    lane = cuda.threadIdx.x % lanes
    inside = row < rows  # lanes without a row still take part in the sums
    share = float32(1) / float32(cols)
    if inside and given(weights):
        share *= weights[row]

    total, all_right = float32(0), float32(1)
    for j in range(lane, cols if inside else 0, lanes):
        z_ij, t_ij = z[row * cols + j], t[row * cols + j]
        total += loss_value(z_ij, t_ij)
        all_right *= loss_right(z_ij, t_ij)
        if given(dz):
            dz[row * cols + j] = scale * share * loss_derivative(z_ij, t_ij)
    apart = lanes // 2
    while apart > 0:
        total += cuda.shfl_xor_sync(ALL_LANES, total, apart)
        all_right *= cuda.shfl_xor_sync(ALL_LANES, all_right, apart)
        apart //= 2

    if inside and lane == 0:
        loss[row] = share * total
        if given(hit):
            hit[row] = 1 if all_right != float32(0) else 0
