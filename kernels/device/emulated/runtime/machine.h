// The state of a launch: its blocks, their threads, and what the parts of the runtime share.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fiber.h"
#include "knowledge.h"
#include "runtime.h"

namespace emu {

struct Block;
struct Cell;
struct Reading;

// ---- memory -----------------------------------------------------------------------------------

// Shadow of a stretch of host memory: one Cell per granule of 1 << shift bytes (race.h).
struct Shadow {
  Cell* cells = nullptr;  // nullptr: nothing here is checked for races
  char* begin = nullptr;  // host address, aligned to 256, of the first cell
  uint64_t bytes = 0;
  unsigned shift = 2;
  Time base = 1;        // stamps older than this are of an earlier launch or block: void
  // Shared memory only: the storage is the shadow's own, and the readers of the block itself have a
  // table, `warps` entries for each cell, since most cells there are read by several warps.
  size_t capacity = 0;
  Reading* readings = nullptr;
  uint32_t warps = 0;
  uint32_t first_thread = 0;  // id of the block's thread 0
};

// What one window shows: an array argument or a module variable.
struct View {
  Address address = 0;
  uint64_t bytes = 0;
  char* host = nullptr;
  std::string name;
  uint8_t* defined = nullptr;  // one per byte, or nullptr: everything is
  Shadow* shadow = nullptr;    // nullptr where the kernel never writes
  bool constant = false;       // .const: a store is an error
};

// ---- threads ----------------------------------------------------------------------------------

enum class State : uint8_t { ready, at_barrier, at_cluster_barrier, at_warp, done };

// What a fence saw, to be published by the next strong write.
struct Published {
  bool valid = false;
  Known foreign;
  Time time = 0, block_known = 0, warp_known = 0;
};

// A release seen by a relaxed load, to be learnt at the next fence.
struct Unlearnt {
  Known known;
  uint32_t releaser;  // id of the releasing thread's block, or kManyBlocks
};
inline constexpr uint32_t kManyBlocks = ~0u;

struct Copy {  // a cp.async that has not been waited for
  Address destination;
  char *to, *from;
  Address source;
  uint32_t bytes, source_bytes;
  const Site* site;
  bool performed;
};

struct MatrixRead {
  uint32_t offset, bytes;  // in shared memory
  const Site* site;
};

// A store over another lane's unordered store by the same instruction: PTX lets one of them win, so
// it is a race only if the values differ.  The value is known when the thread next calls the runtime.
struct Doubt {
  const Site* site = nullptr;
  Address address;
  char* host;
  uint32_t bytes, other;  // thread id of the other store
  char before[32];
};

struct LoggedAccess {  // for the counters
  uint64_t address;
  uint32_t site;
  uint8_t bytes;
  bool shared;
  Kind kind;
};

struct Fiber : Thread {
  Context context;
  char* stack = nullptr;
  Block* block = nullptr;
  State state = State::ready;
  const Site* site = nullptr;  // where it waits, or the last place where it let others run

  // happens-before (knowledge.h): own time; up to when it knows its block and its warp
  uint32_t id = 0;
  Time time = 1, block_known = 0, warp_known = 0;
  Known foreign;
  Published published[4];  // by Scope
  std::vector<Unlearnt> unlearnt;

  // the warp operation it waits in
  uint32_t mask = 0;
  void* payload = nullptr;
  Combine combine = nullptr;
  Meeting meeting = Meeting::any_site;
  bool met = false;
  uint32_t answer = 0;  // of a barrier reduction

  // spinning: the last strong read, and what it saw
  const char* polled_at = nullptr;
  uint64_t polled_value = 0;
  bool spinning = false;  // since that read saw the same again
  int32_t until_preemption = 0;

  std::vector<char> local;            // .local memory
  std::vector<uint8_t> local_defined;
  uint32_t local_top = 0;
  std::vector<uint32_t> local_frames;  // local_top before each

  // Of lane 0, for its warp: operands of wgmma in shared memory that may still be read.
  std::vector<MatrixRead> matrix_reads;  // oldest first
  std::vector<size_t> matrix_groups;     // how many of them each committed group has

  std::vector<Copy> copies;       // cp.async, oldest first
  std::vector<uint32_t> groups;   // how many of them each committed group has
  std::vector<LoggedAccess> log;
  Doubt doubt;

  uint32_t warp_id() const { return id & ~31u; }
};

inline Fiber& running() { return *static_cast<Fiber*>(self); }

// ---- blocks -----------------------------------------------------------------------------------

// What threads knew when they arrived somewhere, to be handed to those that wait there.
struct Arrivals {
  struct Arrival {
    uint32_t id;
    Time time, block_known, warp_known;
  };
  std::vector<Arrival> list;
  Known foreign;
};

struct BarrierState {
  uint32_t expected = 0;           // threads; 0: the whole block
  uint32_t arrived = 0;            // arrivals so far, 0: nobody is here
  struct Warp {
    uint32_t lanes = 0;            // that arrived
    const Site* site = nullptr;    // by which instruction
  };
  std::vector<Warp> warps;
  std::vector<Fiber*> waiting;
  uint32_t trues = 0, votes = 0;   // of a reduction
  Reduce operation = Reduce::popc;
  const Site* first_site = nullptr;
  uint32_t first_id = 0;
  Arrivals arrivals;
};

struct Cluster {
  std::vector<Block*> blocks;
  uint32_t live_threads = 0;
  uint32_t arrived = 0;            // threads that arrived at the cluster barrier in this phase
  uint32_t phase = 0;
  Arrivals arrivals;               // of this phase, as far as they released
  Known published;                 // by the last completed phase
  std::vector<Fiber*> waiting;
};

// What threads that have exited did: as if they had arrived at every later barrier.
struct Exited {
  Time latest = 0;
  Known foreign;
};

struct Block {
  Dim3 index;
  uint32_t linear = 0;   // in the grid
  uint32_t first = 0;    // thread id of its thread 0
  uint32_t threads = 0, live = 0;
  std::unique_ptr<Fiber[]> fibers;
  uint32_t capacity = 0;
  std::vector<uint32_t> live_lanes;  // by warp
  std::vector<Exited> exited;        // by warp
  BarrierState barriers[16];
  std::vector<char> shared_storage;
  char* shared = nullptr;
  Shadow shadow;
  Cluster* cluster = nullptr;
  std::vector<uint32_t> cluster_phase;  // per thread: 1 + the phase it last arrived in
};

// ---- the launch -------------------------------------------------------------------------------

enum class Schedule : uint32_t { in_order, reverse, random };

struct Launch {
  const Module* module = nullptr;
  const Entry* entry = nullptr;
  const void* parameters = nullptr;
  Dim3 grid{}, block{}, cluster{};
  uint32_t threads = 0;          // per block
  uint32_t dynamic_shared_bytes = 0;
  Schedule schedule = Schedule::in_order;
  bool check = false, count = false, cooperative = false;
  std::vector<SharedVariable> shared;  // of the entry, the dynamic part last
  uint32_t shared_bytes = 0;
  View views[kWindows];
  bool dead = false;             // a fatal report was made
  std::string output;
};
extern Launch launch;
extern Time now;  // no thread's time is later; never goes back, so stamps of earlier launches are old

inline uint32_t site_index(const Site& site) {
  return static_cast<uint32_t>(&site - launch.module->sites);
}
inline uint32_t total(Dim3 d) { return d.x * d.y * d.z; }

// The copy engine writes under ids of its own behind those of the threads: one for each mbarrier.
bool is_engine(uint32_t id);
uint32_t new_engine();

// Seeded random numbers (xorshift64*).
uint64_t random_bits();

// ---- scheduler.cpp ----------------------------------------------------------------------------

void run_all_blocks();
void make_ready(Fiber& fiber);
void wait_in(State state, const Site& site);  // until someone calls make_ready
void let_others_run(const Site& site);        // preemption: goes on soon
void spin(const Site& site);                  // like it, but nothing changes until others act
[[noreturn]] void end_launch();

// ---- bulk.cpp ---------------------------------------------------------------------------------

bool bulk_copies_under_way();
void land_bulk_copy();                // any of them
void abandon_bulk_copies(Block& block);  // its threads have all exited
void forget_bulk_copies();            // a launch begins

// ---- what an exiting thread or a standstill means to the waiting ------------------------------

void barrier_thread_exited(Block& block, uint32_t warp);
void warp_thread_exited(Block& block, uint32_t warp);
void cluster_thread_exited(Cluster& cluster);

}  // namespace emu
