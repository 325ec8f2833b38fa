// Arithmetic of f16 and bf16, alone and in pairs.
//
// A sum, difference or product of two halves is computed in float and rounded once more: float has
// more than twice their digits, so that gives the correctly rounded result.  A fused product needs
// an intermediate that is rounded to odd.
#pragma once
#include "instructions_convert.h"

namespace emu {

// a b + c rounded to odd in double: exact but for a sticky last bit.
inline f64 fma_odd(f64 a, f64 b, f64 c) {
  const f64 product = a * b;  // exact: two halves have at most 22 digits together
  const f64 sum = product + c;
  if (!std::isfinite(sum)) return sum;
  const f64 part = sum - product;
  const f64 lost = (product - (sum - part)) + (c - part);
  const u64 bits = std::bit_cast<u64>(sum);
  if (lost == 0 || (bits & 1)) return sum;
  const bool away = (lost > 0) == (sum > 0);  // towards the lost part
  return std::bit_cast<f64>(away ? bits + 1 : bits - 1);
}

template <class T>
inline T half_ftz(T x) {
  using F = typename FormatOf<T>::type;
  const bool subnormal = (x.bits & F::kInfinity) == 0;
  return subnormal ? T{static_cast<u16>(x.bits & F::kSign)} : x;
}
template <class T>
inline T half_saturate(T x) {
  return narrowed<T>(saturate(widened(x)));
}
template <class T>
inline T half_relu(T x) {
  return std::isnan(widened(x)) ? narrowed<T>(NAN) : narrowed<T>(relu(widened(x)));
}

template <class T>
inline T half_add(T a, T b) {
  return narrowed<T>(widened(a) + widened(b));
}
template <class T>
inline T half_sub(T a, T b) {
  return narrowed<T>(widened(a) - widened(b));
}
template <class T>
inline T half_mul(T a, T b) {
  return narrowed<T>(widened(a) * widened(b));
}
template <class T>
inline T half_fma(T a, T b, T c) {
  return narrowed<T>(fma_odd(widened(a), widened(b), widened(c)));
}
template <class T>
inline T half_neg(T a) {
  return T{static_cast<u16>(a.bits ^ 0x8000)};
}
template <class T>
inline T half_abs(T a) {
  return T{static_cast<u16>(a.bits & 0x7fff)};
}
template <class T>
inline T half_min(T a, T b) {
  return narrowed<T>(minimum(widened(a), widened(b)));
}
template <class T>
inline T half_max(T a, T b) {
  return narrowed<T>(maximum(widened(a), widened(b)));
}
template <class T>
inline T half_min_nan(T a, T b) {
  return narrowed<T>(minimum_nan(widened(a), widened(b)));
}
template <class T>
inline T half_max_nan(T a, T b) {
  return narrowed<T>(maximum_nan(widened(a), widened(b)));
}

// An operation on each half of packed registers; on plain ones, the operation itself.
template <class Operation, class T, class... Rest>
inline Packed<T> each(Operation operation, Packed<T> first, Rest... rest) {
  return {operation(first.low, rest.low...), operation(first.high, rest.high...)};
}
template <class Operation, class T, class... Rest>
inline T each(Operation operation, T first, Rest... rest) {
  return operation(first, rest...);
}

}  // namespace emu
