// Types of registers and instructions, and how bits move between them.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace emu {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s8 = int8_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;
using f32 = float;
using f64 = double;

struct f16 {
  u16 bits;
};
struct bf16 {
  u16 bits;
};

// Two of a kind in one register; the first lies in the low half.
template <class T>
struct Packed {
  T low, high;
};
using f16x2 = Packed<f16>;
using bf16x2 = Packed<bf16>;
using f32x2 = Packed<f32>;

template <class T>
inline constexpr unsigned kBits = sizeof(T) * 8;

template <unsigned bytes>
using unsigned_of = std::conditional_t<
    bytes == 1, u8, std::conditional_t<bytes == 2, u16, std::conditional_t<bytes == 4, u32, u64>>>;

// The low bytes of a register, read as type T.
template <class T, class R>
inline T as(R source) {
  static_assert(sizeof(T) <= sizeof(R), "an instruction wider than its register");
  if constexpr (std::is_same_v<T, R>)
    return source;
  else if constexpr (sizeof(T) == sizeof(R))
    return std::bit_cast<T>(source);
  else {
    const auto all = std::bit_cast<unsigned_of<sizeof(R)>>(source);
    return std::bit_cast<T>(static_cast<unsigned_of<sizeof(T)>>(all));
  }
}

// Write a value into a register that may be wider: signed values are sign-extended, others filled
// with zeros.
template <class R, class T>
inline void put(R& destination, T value) {
  static_assert(sizeof(T) <= sizeof(R), "a result wider than its register");
  if constexpr (std::is_same_v<T, R>)
    destination = value;
  else if constexpr (sizeof(T) == sizeof(R))
    destination = std::bit_cast<R>(value);
  else {
    using Wide = unsigned_of<sizeof(R)>;
    if constexpr (std::is_integral_v<T>)
      destination = std::bit_cast<R>(static_cast<Wide>(value));
    else
      destination = std::bit_cast<R>(static_cast<Wide>(as<unsigned_of<sizeof(T)>>(value)));
  }
}

// A constant by its bits.
constexpr f32 float_bits(u32 bits) { return std::bit_cast<f32>(bits); }
constexpr f64 double_bits(u64 bits) { return std::bit_cast<f64>(bits); }

// mov.b64 d, {a, b} and its inverse: the first element lies lowest.
template <class T, class E, size_t n>
inline T pack(const std::array<E, n>& elements) {
  static_assert(sizeof(T) == n * sizeof(E));
  T whole;
  std::memcpy(&whole, elements.data(), sizeof whole);
  return whole;
}
template <class E, size_t n, class T>
inline std::array<E, n> unpack(T whole) {
  static_assert(sizeof(T) == n * sizeof(E));
  std::array<E, n> elements;
  std::memcpy(elements.data(), &whole, sizeof whole);
  return elements;
}

}  // namespace emu
