// Accesses made by the runtime's own files, which serve checked and unchecked launches alike; the
// emitted code is compiled for one of the two instead (access, in runtime.h).
#pragma once
#include "machine.h"
#include "runtime.h"

namespace emu {

inline char* access_as_launched(Address address, uint32_t bytes, Kind kind, const Site& site) {
  return launch.check ? checked_access(address, bytes, kind, kWeak, site)
                      : unchecked_access(address, bytes, kind, kWeak, site);
}

}  // namespace emu
