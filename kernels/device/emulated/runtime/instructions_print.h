// printf and assert in a kernel: the calls of vprintf and __assertfail that the compilers make.
#pragma once
#include "instructions_types.h"
#include "runtime.h"

namespace emu {

// Appends the formatted text to the launch's output.  arguments: the address of the values, each at
// a multiple of its size.  Returns how many values were printed.
s32 print_formatted(Address format, Address arguments, const Site& site);

// Ends the launch; the addresses are those of texts.
[[noreturn]] void assertion_failed(Address condition, Address file, u32 line, const Site& site);

}  // namespace emu
