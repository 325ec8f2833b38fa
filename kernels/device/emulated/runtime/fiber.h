// Fibers: stacks and the switch between them.  Nothing here knows of GPUs.
#pragma once
#include <cstddef>

#if !defined(__x86_64__) || !defined(__linux__) || defined(EMU_PORTABLE_FIBERS)
#define EMU_UCONTEXT 1
#include <ucontext.h>
#endif

namespace emu {

// Where a suspended fiber goes on.
struct Context {
#ifdef EMU_UCONTEXT
  ucontext_t machine;
#else
  void* stack_pointer;
#endif
};

inline constexpr size_t kStackBytes = 128 << 10;

// A fresh stack, cut from a large slab.  It is its fiber's for the life of the process.
char* take_stack();

// Makes `context` start `main` on that stack; main never returns.  `index` only staggers where on
// the stack it begins, so that the fibers do not all fall into the same cache sets.
void prepare(Context& context, char* stack, unsigned index, void (*main)());
void switch_to(Context& from, Context& to);

// Has the suspended fiber come to the end of its stack?
bool overflowed(const Context& context, const char* stack);

}  // namespace emu
