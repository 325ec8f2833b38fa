// The threads that are ready to run, a ring: the first goes next, or any.
#pragma once
#include <utility>

#include "machine.h"

namespace emu {

class Ready {
 public:
  void clear(size_t capacity) {
    size_t size = 64;
    while (size < capacity) size *= 2;
    ring_.resize(size);
    head_ = tail_ = 0;
  }
  size_t size() const { return tail_ - head_; }
  void add(Fiber* fiber) { ring_[tail_++ & (ring_.size() - 1)] = fiber; }
  Fiber* take(bool at_random) {
    Fiber*& front = ring_[head_ & (ring_.size() - 1)];
    if (at_random)
      std::swap(front, ring_[(head_ + random_bits() % size()) & (ring_.size() - 1)]);
    head_++;
    return front;
  }

 private:
  std::vector<Fiber*> ring_;
  size_t head_ = 0, tail_ = 0;
};

}  // namespace emu
