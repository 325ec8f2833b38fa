// Hopper's matrix unit (wgmma, sm_90a): a warpgroup of 128 threads multiplies 64 x 16 by 16 x 256
// bfloat16 numbers that lie in shared memory, and accumulates in float32 registers.
//
// Thread t of the warpgroup, of warp w = t / 32 and lane l = t % 32, holds d[128]:
//   d[i] is of row 16 w + l / 4 + 8 (i / 2 % 2) and column 8 (i / 4) + 2 (l % 4) + i % 2
// (PTX ISA, "Register fragments for wgmma.mma_async.m64nNk16").
//
// An operand lies in panels of 64 x 64: 64 lines of 128 bytes, whose 16-byte units are exchanged so
// that eight lines below each other use all banks: unit u of line r lies at place u ^ (r % 8), the
// "128-byte swizzle". Along a line lies K, or the operand's other side: the unit takes both.
#pragma once

constexpr int PANEL_BYTES = 64 * 64 * 2;

__device__ inline int swizzled(int line, int unit) { return unit ^ (line % 8); }

// Where an operand begins, as the matrix unit takes it; the panels of its side follow each other.
// K_ALONG: K lies along the lines. Panels begin at multiples of 1,024 bytes.
template <bool K_ALONG>
struct Described {
  unsigned long long bits;

  __device__ explicit Described(const void* panel) {
    const unsigned long long start = static_cast<unsigned>(__cvta_generic_to_shared(panel)) >> 4;
    const unsigned long long panels = PANEL_BYTES >> 4, eight_lines = 1024 >> 4, swizzle_128 = 1;
    bits = start | panels << 16 | eight_lines << 32 | swizzle_128 << 62;
  }
  // 16 further along K: 32 bytes along the lines, or 16 lines.
  __device__ unsigned long long at(int sixteenth) const {
    return bits + sixteenth * ((K_ALONG ? 32 : 16 * 128) >> 4);
  }
};

// Before the first product of a group: registers written before are ready.
__device__ inline void products_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void products_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Until at most PENDING of the newest groups are under way.
template <int PENDING>
__device__ inline void products_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

#define D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define D16(i) D4(i), D4(i + 4), D4(i + 8), D4(i + 12)
#define D128 D16(0), D16(16), D16(32), D16(48), D16(64), D16(80), D16(96), D16(112)

// The compiler may not move a use of d before this.
__device__ inline void products_done(float (&d)[128]) { asm volatile("" : D128::"memory"); }

// d = A B, or d += A B where `add`.
template <bool A_K_ALONG, bool B_K_ALONG>
__device__ inline void multiply_64x256x16(float (&d)[128], unsigned long long a,
                                          unsigned long long b, bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %130, 0; "
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, add, 1, 1, %131, %132; }"
      : D128 : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(!A_K_ALONG), "n"(!B_K_ALONG) : "memory");
}

#undef D4
#undef D16
#undef D128

// Move registers between the warpgroups of a block: each as one warpgroup calls them together.
template <int REGISTERS>
__device__ inline void registers_give() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}
template <int REGISTERS>
__device__ inline void registers_take() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}
