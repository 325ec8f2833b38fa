"""softmax_cross_entropy, Python variant: one warp a row, three passes over it.

Maths:        m = max z; s = Σ_j exp(z_j − m); loss = w (Σt log s + m Σt − Σ_j t_j z_j);
              dz = scale w (exp(z − m) / s Σt − t); t is one-hot at `labels`, or `targets`. hit = 1
              where the first largest logit stands at the label (at the first largest target) and
              the loss is not NaN, else 0.
Shapes:       z, targets, dz (B, C) float32; labels (B,) int32; weights, loss (B,) float32, hit (B,)
              uint8; contiguous. weights (then ones), dz and hit may be null. dz may be z.
Traffic:      z read, dz written: 8·B·C bytes from device memory (12 with targets); the second and
              third reads come from cache.
              B 256, C 1,000: 8 B C = 2,048,000 bytes, 0.43 µs at 4.8 TB/s.
Launch:       32 threads a row, ROWS_PER_BLOCK rows a block; no shared memory.
Requirements: none. A label outside [0, C) gives a loss and a dz row of NaN.
Numerics:     float32, sums in a fixed order. A row with NaN or +inf, or of nothing but −inf, gives
              NaN. A target of 0 adds nothing, also where z is −inf.
Source:       the log-sum-exp identity; CUDA C++ Programming Guide, warp shuffles.
"""

import math

from kernels.device.cuda_python import cuda, float32, given

ALL_LANES = 0xFFFFFFFF
NO_INDEX = 0x7FFFFFFF


def softmax_cross_entropy(z, labels, targets, weights, loss, dz, hit, scale, rows, classes):
    row = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
    lane = cuda.threadIdx.x
    if row >= rows:
        return  # a whole warp at once
    start = row * classes

    # The largest logit and where it stands first; the largest target likewise.
    largest, at = float32(-math.inf), NO_INDEX
    largest_target, label = float32(-math.inf), NO_INDEX
    for j in range(lane, classes, 32):
        if z[start + j] > largest or at == NO_INDEX:
            largest, at = z[start + j], j
        if given(targets) and (targets[start + j] > largest_target or label == NO_INDEX):
            largest_target, label = targets[start + j], j
    for lanes in (16, 8, 4, 2, 1):
        other, other_at = (
            cuda.shfl_xor_sync(ALL_LANES, largest, lanes),
            cuda.shfl_xor_sync(ALL_LANES, at, lanes),
        )
        if other > largest or (other == largest and other_at < at):
            largest, at = other, other_at
        other, other_at = (
            cuda.shfl_xor_sync(ALL_LANES, largest_target, lanes),
            cuda.shfl_xor_sync(ALL_LANES, label, lanes),
        )
        if other > largest_target or (other == largest_target and other_at < label):
            largest_target, label = other, other_at

    total, target_sum, target_dot = float32(0), float32(0), float32(0)
    for j in range(lane, classes, 32):
        total += math.exp(z[start + j] - largest)
        if given(targets):
            target_sum += targets[start + j]
            if targets[start + j] != float32(0):
                target_dot += targets[start + j] * z[start + j]
    for lanes in (16, 8, 4, 2, 1):
        total += cuda.shfl_xor_sync(ALL_LANES, total, lanes)
        target_sum += cuda.shfl_xor_sync(ALL_LANES, target_sum, lanes)
        target_dot += cuda.shfl_xor_sync(ALL_LANES, target_dot, lanes)

    if not given(targets):
        label = labels[row]
        target_sum = float32(1)
        target_dot = z[start + label] if 0 <= label < classes else float32(math.nan)
    cuda.syncwarp()  # dz may be z: every lane has read its label's logit

    weight = weights[row] if given(weights) else float32(1)
    if lane == 0:
        row_loss = target_sum * math.log(total) + (target_sum * largest - target_dot)
        if math.isinf(row_loss):  # with its weight it may be finite
            weighted = weight * target_sum
            loss[row] = weighted * math.log(total) + (weighted * largest - weight * target_dot)
        else:
            loss[row] = weight * row_loss
        if given(hit):
            hit[row] = 1 if at == label and row_loss == row_loss else 0  # NaN is not itself
    if given(dz):
        share = target_sum / total
        for j in range(lane, classes, 32):
            target = float32(1) if j == label else float32(0)
            if given(targets):
                target = targets[start + j]
            gradient = scale * weight * (math.exp(z[start + j] - largest) * share - target)
            dz[start + j] = (
                gradient if given(targets) or 0 <= label < classes else float32(math.nan)
            )
