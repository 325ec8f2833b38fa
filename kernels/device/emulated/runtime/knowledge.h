// What a thread knows of the others: the happens-before order, held small.
//
// Every thread has a time, which ticks when others may learn of what it did so far (a barrier, a
// release).  An access is stamped with its thread and the thread's time.  It happens before what
// thread t does now if t KNOWS its thread up to that time.
//
// A vector clock over all threads of a grid would be far too large, but synchronisation is
// hierarchical: after __syncthreads a thread knows its whole block up to one time.  So knowledge is
// a short sorted list of (block | warp | thread, time), and a thread's knowledge of its own block
// and warp, which nearly every check asks for, is two plain numbers beside it (Fiber).
//
// A Knowledge is immutable and shared by reference: threads that learnt the same hold the same one.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace emu {

using Time = uint32_t;

// Thread ids of a launch: blocks begin at multiples of `threads_per_block`, itself a multiple of 32.
enum class Group : uint8_t { block, warp, thread };
struct Fact {
  uint64_t key;  // first thread id of the group, then the group: facts of one block are neighbours
  Time time;
  Group group() const { return static_cast<Group>(key & 3); }
  uint32_t first() const { return static_cast<uint32_t>(key >> 2); }
};
inline Fact fact(Group group, uint32_t first, Time time) {
  return {uint64_t{first} << 2 | static_cast<uint64_t>(group), time};
}

class Knowledge;

class Known {  // counted reference, empty = nothing is known
 public:
  Known() = default;
  explicit Known(const Knowledge* what);
  Known(const Known& other) : Known(other.what_) {}
  Known(Known&& other) noexcept : what_(std::exchange(other.what_, nullptr)) {}
  Known& operator=(Known other) noexcept {
    std::swap(what_, other.what_);
    return *this;
  }
  ~Known();
  bool operator==(const Known& other) const { return what_ == other.what_; }
  explicit operator bool() const { return what_ != nullptr; }
  // Is thread `id` known up to `time`?
  bool covers(uint32_t id, Time time) const;
  const std::vector<Fact>& facts() const;

 private:
  const Knowledge* what_ = nullptr;
};

extern uint32_t threads_per_block;  // of the running launch, rounded up to whole warps

Known join(const Known& a, const Known& b);
Known join(const Known& a, std::vector<Fact> facts);  // facts in any order

}  // namespace emu
