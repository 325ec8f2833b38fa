// Loads, stores and atomic operations.  The runtime checks the access and says where the bytes are;
// they are moved before anything else happens.
#pragma once
#include "instructions_half.h"
#include "runtime.h"

namespace emu {

template <class T>
inline T load(Address address, Ordering ordering, const Site& site) {
  T value;
  std::memcpy(&value, access(address, sizeof value, Kind::load, ordering, site), sizeof value);
  return value;
}
template <class T>
inline void store(Address address, T value, Ordering ordering, const Site& site) {
  std::memcpy(access(address, sizeof value, Kind::store, ordering, site), &value, sizeof value);
}

// .param space: the bytes a launch or a call has filled.
template <class T>
inline T load_parameter(const void* parameter, unsigned offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(parameter) + offset, sizeof value);
  return value;
}
template <class T>
inline void store_parameter(void* parameter, unsigned offset, T value) {
  std::memcpy(static_cast<char*>(parameter) + offset, &value, sizeof value);
}

// old = *address; *address = change(old), with nothing in between; returns old.
template <class T, class Change>
inline T atomic(Address address, Ordering ordering, const Site& site, Change change) {
  char* host = access(address, sizeof(T), Kind::atomic, ordering, site);
  T old;
  std::memcpy(&old, host, sizeof old);
  const T changed = change(old);
  std::memcpy(host, &changed, sizeof changed);
  return old;
}

// atom.inc and atom.dec count modulo a bound.
inline u32 wrapped_increment(u32 old, u32 bound) { return old >= bound ? 0 : old + 1; }
inline u32 wrapped_decrement(u32 old, u32 bound) {
  return old == 0 || old > bound ? bound : old - 1;
}
// atom.add.f32 flushes subnormal numbers in global memory, and does not in shared memory.
inline f32 atomic_sum(f32 a, f32 b, Address address) {
  return is_global(address) ? ftz(ftz(a) + ftz(b)) : a + b;
}

}  // namespace emu
