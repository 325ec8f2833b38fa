// printf in a kernel: the call of vprintf that the compilers make of it.
#pragma once
#include "instructions_types.h"
#include "runtime.h"

namespace emu {

// Appends the formatted text to the launch's output.  arguments: the address of the values, each at
// a multiple of its size.  Returns how many values were printed.
s32 print_formatted(Address format, Address arguments, const Site& site);

}  // namespace emu
