// Context switch: callee-saved registers only, in assembly on x86-64 (some 3 ns); ucontext, which
// makes a system call per switch, everywhere else.
#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace emu {
namespace {

constexpr unsigned kStacksInSlab = 256;
#ifdef EMU_UCONTEXT
constexpr uint64_t kMark = 0x6b63617473666f65;  // at the end of a stack: "eofstack"
#endif
std::vector<char*> free_stacks;

void* top_of(char* stack, unsigned index) {
  return stack + kStackBytes - 64 - (index % 61) * 192;  // 61 different offsets, 16-byte aligned
}

}  // namespace

char* take_stack() {
  if (free_stacks.empty()) {
    void* slab = mmap(nullptr, kStacksInSlab * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED) {
      std::perror("emulated device: no memory for the stacks of the GPU threads");
      std::abort();
    }
    for (unsigned i = kStacksInSlab; i-- > 0;)
      free_stacks.push_back(static_cast<char*>(slab) + i * kStackBytes);
  }
  char* stack = free_stacks.back();
  free_stacks.pop_back();
#ifdef EMU_UCONTEXT
  *reinterpret_cast<uint64_t*>(stack) = kMark;
#endif
  return stack;
}


#ifdef EMU_UCONTEXT

bool overflowed(const Context&, const char* stack) {
  return *reinterpret_cast<const uint64_t*>(stack) != kMark;
}

void prepare(Context& context, char* stack, unsigned index, void (*main)()) {
  getcontext(&context.machine);
  context.machine.uc_stack.ss_sp = stack;
  context.machine.uc_stack.ss_size = static_cast<char*>(top_of(stack, index)) - stack;
  context.machine.uc_link = nullptr;
  makecontext(&context.machine, main, 0);
}

void switch_to(Context& from, Context& to) { swapcontext(&from.machine, &to.machine); }

#else

// void emu_switch(void** save, void* load): System V calling convention.
asm(R"(
.text
.globl emu_switch
.hidden emu_switch
.type emu_switch, @function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emu_switch, .-emu_switch
)");
extern "C" void emu_switch(void** save, void* load);

void prepare(Context& context, char* stack, unsigned index, void (*main)()) {
  void** top = static_cast<void**>(top_of(stack, index));
  *--top = nullptr;  // the return address of main, which has none; keeps the ABI's alignment
  *--top = reinterpret_cast<void*>(main);
  for (int saved = 0; saved < 6; saved++) *--top = nullptr;
  context.stack_pointer = top;
}

// A mark would lie in a page of its own, which is slow to look at.  The stack pointer tells as much:
// the kernel's own frame is there from its start to its end, and what it calls needs little.
bool overflowed(const Context& context, const char* stack) {
  return static_cast<const char*>(context.stack_pointer) < stack + 4096;
}

void switch_to(Context& from, Context& to) {
  emu_switch(&from.stack_pointer, to.stack_pointer);
}

#endif

}  // namespace emu
