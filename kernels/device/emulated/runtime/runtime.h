// The contract between the C++ that emit.py writes and the runtime that executes it.
//
// One fiber per GPU thread runs the emitted body of an entry; `self` is the thread that is running.
// Whatever a thread can do to the world outside its registers goes through a function below: memory
// (access), synchronisation (barrier_*, warp_barrier, collective, fence), asynchronous copies,
// mbarriers.  Each takes the Site of the PTX instruction, so that a report can name its line.
//
// A fatal report (out of bounds, trap, deadlock, ...) never returns: the launch ends and the fibers
// are abandoned without unwinding.  So emitted code must not own anything with a destructor that
// matters across a call into the runtime.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emu {

// ---- where an instruction comes from ----------------------------------------------------------

// The emitted unit holds one `static const emu::Site sites[]`, in the order of the PTX.
struct Site {
  const char* file;     // the kernel's own source file, "" when the PTX has no line information
  const char* text;     // the PTX instruction
  const char* inlined;  // "a.cuh:12 < b.cu:80", innermost first, or nullptr when nothing is inlined
  int32_t line;         // line in `file`, 0 when unknown
  int32_t ptx_line;     // line in the PTX text, counted from 1
};

// ---- the running thread -----------------------------------------------------------------------

struct Dim3 {
  uint32_t x, y, z;
};

// What the special registers read.  The runtime's own state of a thread derives from it.
struct Thread {
  Dim3 tid, ntid, ctaid, nctaid;
  Dim3 cluster_ctaid, cluster_nctaid, clusterid, nclusterid;
  uint32_t cluster_ctarank, cluster_nctarank;
  uint32_t lane, warp;       // %laneid, %warpid: 32 consecutive linear thread indices are a warp
  uint32_t linear;           // thread index in its block: x + y * ntid.x + z * ntid.x * ntid.y
  uint32_t dynamic_shared_bytes;
  char* shared;              // host address of its block's shared offset 0 (unchecked builds)
};
extern Thread* self;

// ---- addresses --------------------------------------------------------------------------------

// A generic address is 64 bits; bits 40 and up are the window.  Window 0 is never mapped, so a null
// pointer is out of bounds.  An array or variable lies in the MIDDLE of a window of its own: code
// that runs off either end still names the array it left, and never reaches its neighbour.
using Address = uint64_t;
inline constexpr unsigned kWindowBits = 40;
inline constexpr Address kWindowMiddle = Address{1} << (kWindowBits - 1);
inline constexpr unsigned kFirstArgument = 1;    // 1 ...: the array arguments of the launch
inline constexpr unsigned kFirstVariable = 128;  // 128 ...: the module's .global and .const variables
inline constexpr unsigned kShared = 254, kLocal = 255, kWindows = 256;
inline constexpr Address kSharedBase = Address{kShared} << kWindowBits;
inline constexpr Address kLocalBase = Address{kLocal} << kWindowBits;

constexpr unsigned window_of(Address address) { return static_cast<unsigned>(address >> kWindowBits); }

// Module variable number `index` (of Module::variables) is at this address, aligned to 256 bytes.
constexpr Address variable_address(unsigned index) {
  return (Address{kFirstVariable + index} << kWindowBits) + kWindowMiddle;
}

// cvta.shared and cvta.to.shared.  A shared offset is 32 bits: bits 24 and up are 0 for the block's
// own shared memory and (rank + 1) for that of another block of the cluster (mapa).
constexpr Address from_shared(uint32_t offset) { return kSharedBase + offset; }
constexpr uint32_t to_shared(Address generic) { return static_cast<uint32_t>(generic - kSharedBase); }
constexpr bool is_shared(Address generic) { return window_of(generic) == kShared; }
constexpr bool is_local(Address generic) { return window_of(generic) == kLocal; }
constexpr bool is_global(Address generic) { return window_of(generic) < kShared; }
uint32_t map_shared(uint32_t offset, uint32_t rank, const Site& site);  // mapa.shared::cluster
Address map_shared_generic(Address address, uint32_t rank, const Site& site);  // mapa (generic)
uint32_t shared_rank(uint32_t offset);                                  // getctarank.shared::cluster

// The .local depot of one function: `bytes` of the thread's own, uninitialised, freed on return.
// Local addresses are offsets in the thread's own window: cvta.local adds kLocalBase.
Address enter_local(uint32_t bytes, uint32_t alignment, const Site& site);  // generic address
void leave_local(Address frame);
struct LocalFrame {
  Address base;
  LocalFrame(uint32_t bytes, uint32_t alignment, const Site& site)
      : base(enter_local(bytes, alignment, site)) {}
  ~LocalFrame() { leave_local(base); }
  LocalFrame(const LocalFrame&) = delete;
};

// ---- memory accesses --------------------------------------------------------------------------

enum class Kind : uint8_t { load, store, atomic };
// weak is a plain access; is_volatile is relaxed at system scope, as the PTX memory model has it.
enum class Semantics : uint8_t { weak, is_volatile, relaxed, acquire, release, acq_rel, sc };
enum class Scope : uint8_t { cta, cluster, gpu, sys };
struct Ordering {
  Semantics semantics = Semantics::weak;
  Scope scope = Scope::gpu;
};
inline constexpr Ordering kWeak{};
inline constexpr Ordering kVolatile{Semantics::is_volatile, Scope::sys};

// Checks an access of `bytes` (1, 2, 4, 8, 16, 32; also the alignment asked for) at a generic
// address and returns where the host finds it.  The caller then loads or stores there before it
// calls the runtime again.  .nc loads and const loads are weak loads.
char* checked_access(Address address, uint32_t bytes, Kind kind, Ordering ordering, const Site& site);

// The same without any check, for unchecked builds: only finds the host address.
extern char* window_host[kWindows];  // host address minus window address, by window
char* resolve_elsewhere(Address address, const Site& site);  // local, and other blocks' shared memory
void polled(const char* host, uint32_t bytes, const Site& site);

inline char* unchecked_access(Address address, uint32_t bytes, Kind kind, Ordering ordering,
                              const Site& site) {
  char* host;
  const unsigned window = window_of(address);
  if (window == kShared && (to_shared(address) >> 24) == 0) host = self->shared + to_shared(address);
  else if (window >= kShared) host = resolve_elsewhere(address, site);
  else host = window_host[window] + address;
  // A strong read may be a thread waiting for another: let the scheduler see it.
  const bool strong = ordering.semantics != Semantics::weak || kind == Kind::atomic;
  if (strong && kind != Kind::store) polled(host, bytes, site);
  return host;
}

inline char* access(Address address, uint32_t bytes, Kind kind, Ordering ordering, const Site& site) {
#ifdef EMU_CHECK
  return checked_access(address, bytes, kind, ordering, site);
#else
  return unchecked_access(address, bytes, kind, ordering, site);
#endif
}

// prefetch, discard, applypriority: nothing happens to the bytes; no function is needed.

// fence / membar (membar.cta, .gl, .sys are fence.sc at cta, gpu, sys).
void fence(Semantics semantics, Scope scope, const Site& site);
// fence.proxy.async, fence.mbarrier_init: what this thread initialised is there for the copy engine.
// No other order between kinds of access is checked (the README says so).
void fence_proxy(const Site& site);

// ---- barriers ---------------------------------------------------------------------------------

enum class Reduce : uint8_t { popc, all, any };  // bar.red.popc / .and / .or
// `count` is in threads, 0 for the whole block.  aligned: every lane of the warp must arrive by the
// same instruction.  bar.sync, bar.arrive and bar.red are the .aligned ones.
void barrier_sync(uint32_t id, uint32_t count, bool aligned, const Site& site);
void barrier_arrive(uint32_t id, uint32_t count, bool aligned, const Site& site);
uint32_t barrier_reduce(uint32_t id, uint32_t count, Reduce operation, bool predicate, bool aligned,
                        const Site& site);

// barrier.cluster: arrive is .release unless told .relaxed; wait is .acquire.
void cluster_arrive(Semantics semantics, bool aligned, const Site& site);
void cluster_wait(bool aligned, const Site& site);

// bar.warp.sync: meets the other lanes of `mask`, and orders their memory accesses.
void warp_barrier(uint32_t mask, const Site& site);

// Any other operation of a warp (shfl.sync, vote.sync, match, redux, elect, mma, ldmatrix, ...).
// Blocks until every lane of `mask` that has not exited arrives with the same mask and the same
// `combine`; the last one calls combine(payloads, lanes) once, for all: payloads[l] is lane l's, or
// nullptr when bit l of `lanes` is 0.  aligned: all must be at the same Site, and full means that
// all 32 lanes must take part.  Orders no memory (CUDA promises none of shuffles and votes).
using Combine = void (*)(void* const* payloads, uint32_t lanes, const Site& site);
enum class Meeting : uint8_t { any_site, same_site, same_site_full_warp };
void collective(uint32_t mask, void* payload, Combine combine, Meeting meeting, const Site& site);

uint32_t active_mask();  // activemask: the lanes of the warp that have not exited
// `exit` and the entry's `ret` return from the body; `exit` inside a .func calls this.
[[noreturn]] void exit_thread();

// ---- loops, time, faults ----------------------------------------------------------------------

// Every backward branch calls this: now and then it lets others run, and a launch has a budget of
// such steps, so nothing runs for ever.
extern int32_t steps_in_slice;
void slice_over(const Site& site);
inline void step(const Site& site) {
  if (--steps_in_slice < 0) slice_over(site);
}
// How many PTX instructions the lanes of this launch have run. Where a stretch of code begins that
// is run to its end, the emitted code adds its length.
extern uint64_t instructions_run;
void nanosleep(uint32_t nanoseconds, const Site& site);  // lets others run
uint64_t clock();                                        // %clock, %clock64, %globaltimer: monotone
[[noreturn]] void trap(const char* why, const Site& site);  // trap, brkpt, a failed assert
// vprintf: appended to the launch's output (Result.output).
void print(const char* text);

// ---- asynchronous copies (cp.async) -----------------------------------------------------------

// Copies `source_bytes` (0 ... bytes) and fills up to `bytes` (4, 8, 16) with zeros, some time before
// the wait that covers it.  `destination` is a generic address in shared memory.
void async_copy(Address destination, Address source, uint32_t bytes, uint32_t source_bytes,
                const Site& site);
void async_commit(const Site& site);
void async_wait(uint32_t keep, const Site& site);  // cp.async.wait_group keep
void async_wait_all(const Site& site);             // cp.async.wait_all: uncommitted ones too
void async_arrive(Address mbarrier, bool noinc, const Site& site);  // cp.async.mbarrier.arrive

// cp.async.bulk from global to shared memory (bulk.cpp); bytes and addresses are multiples of 16.
void bulk_copy(Address destination, Address source, uint32_t bytes, Address mbarrier,
               const Site& site);

// ---- mbarrier ---------------------------------------------------------------------------------

// The 64-bit object in shared memory is opaque; its state tokens too.
void mbarrier_init(Address address, uint32_t count, const Site& site);
void mbarrier_invalidate(Address address, const Site& site);
void mbarrier_expect_tx(Address address, uint32_t bytes, Ordering ordering, const Site& site);
void mbarrier_complete_tx(Address address, uint32_t bytes, Ordering ordering, const Site& site);
// arrive.expect_tx is expect_tx, then arrive; `drop` lowers the expected count of later phases.
uint64_t mbarrier_arrive(Address address, uint32_t count, bool drop, Ordering ordering,
                         const Site& site);
uint32_t mbarrier_pending(uint64_t state);
// test_wait and try_wait: has the phase that `state` (or the phase of that parity) completed?
bool mbarrier_test(Address address, uint64_t state, Ordering ordering, const Site& site);
bool mbarrier_test_parity(Address address, uint32_t parity, Ordering ordering, const Site& site);

// ---- reports and counters ---------------------------------------------------------------------

enum class Fault : uint8_t {
  out_of_bounds, misaligned, uninitialised_read, race, barrier, warp, asynchronous_copy,
  unrounded_operand, deadlock, fault
};
// printf-style.  The same (site, kind) is reported once, with a count.
[[gnu::format(printf, 3, 4)]] void report(Fault kind, const Site& site, const char* format, ...);
// The same, and the launch ends.
[[noreturn, gnu::format(printf, 3, 4)]] void die(Fault kind, const Site& site, const char* format, ...);

// One matrix instruction of one warp (mma) or one warp's quarter of it (wgmma): M*N*K multiply-adds
// of that warp.
void count_matrix(const Site& site, uint64_t multiply_adds);

// Seeded noise for approximate instructions (perturb=True): 0 when it is off, otherwise a fresh
// 64-bit random number at each call.
extern bool perturbing;
uint64_t perturbation();

// ---- what a module is -------------------------------------------------------------------------

// One .shared array of an entry.  Leave a gap of at least 16 bytes between arrays (and before the
// dynamic part): an access must lie within ONE array, so a gap turns an overrun into a report.
struct SharedVariable {
  const char* name;
  uint32_t offset, bytes;
};

struct Variable {             // a module-level .global or .const variable
  const char* name;
  const void* initial;        // `bytes` bytes, or nullptr for zeros
  uint64_t bytes;
  bool constant;              // .const: never written by a kernel
};

struct Entry {
  const char* name;
  void (*body)(const void* parameters);
  const SharedVariable* shared;  // static shared arrays the entry may use
  uint32_t shared_count;
  uint32_t dynamic_offset;       // where dynamic shared memory begins (aligned to 1024 if used)
  // Bit i: the entry may write through its i-th parameter (any store, atomic or copy; scalars count
  // too).  All ones where that is not known.  What is never written needs no race check.
  uint64_t written;
};

// The emitted unit exports one: `extern "C" const emu::Module emu_module`.
struct Module {
  const Site* sites;
  const Entry* entries;
  const Variable* variables;
  uint32_t site_count, entry_count, variable_count;
};

}  // namespace emu
