// Matrix units through mma.sync (sm_80 and newer): D += A B on one warp, float32 accumulation.
//
// Lane l has group g = l / 4 and t = l % 4 (PTX ISA, "Matrix fragments for mma.m16n8k8", "…k16"):
//   D[4]: rows g, g, g+8, g+8; columns 2t, 2t+1, 2t, 2t+1
//   tf32   A[4]: (g, t) (g+8, t) (g, t+4) (g+8, t+4)            B[2]: (t, g) (t+4, g)
//   bf16x2, f16x2
//          A[4]: (g, 2t) (g+8, 2t) (g, 2t+8) (g+8, 2t+8)        B[2]: (2t, g) (2t+8, g)
//          each register holds that element and the next along k, the lower index in the low half.
#pragma once

// Round to the nearest tf32 (10 bits of mantissa), ties away from zero. The matrix unit would
// otherwise drop the low bits, which is a rounding towards zero, twice the error and biased.
__device__ inline unsigned to_tf32(float x) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
  return r;
}

// Two floats, rounded to nearest even, packed as bfloat16.
__device__ inline unsigned to_bf16x2(float low, float high) {
  unsigned r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}

// Two floats, rounded to nearest even, packed as float16: infinite from 65520 on.
__device__ inline unsigned to_f16x2(float low, float high) {
  unsigned r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}

__device__ inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline void mma_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
