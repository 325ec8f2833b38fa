// Reports: what was found, where, and who the other party was.
#pragma once
#include <string>

#include "machine.h"

namespace emu {

// Was this (kind, site) reported before?  Then it is counted, and nothing more need be built.
bool seen_before(Fault kind, const Site& site);
// A report by the running thread.  address and other may be empty.
void report_full(Fault kind, const Site& site, std::string message, std::string address,
                 std::string other);
std::string describe(Address address);          // "x + 128 bytes", "shared tile + 16 bytes"
std::string describe(const Site& site);         // "gemm.cu:80"
std::string describe(uint32_t thread_id);       // "block (0,0,0) thread (3,0,0)"
std::string party(const char* what, const Site& site, uint32_t thread_id);
std::string formatted(const char* format, ...) __attribute__((format(printf, 1, 2)));
void clear_reports();

}  // namespace emu
