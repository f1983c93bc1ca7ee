#include "tools/cli/parts/heap.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#if defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>
#include <sys/mman.h>
#define FAILOVER_HUGE_HEAP
#endif

namespace failover::cli {

#ifdef FAILOVER_HUGE_HEAP
namespace {

constexpr std::size_t kMost = std::size_t{56} << 20;  // a thread's heap of glibc is at most 64 MiB
constexpr std::size_t kHuge = std::size_t{2} << 20;   // bytes of a huge page; on the systems where it is another, more

// The pieces stay where they are, and what is free stays with the heap.
void keep_heap_whole() {
  static const bool done = mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, 1 << 30) == 1;
  (void)done;
}

}  // namespace
#endif

void expect_heap(std::size_t bytes) {
#ifdef FAILOVER_HUGE_HEAP
  if (bytes < kHuge / 4) return;
  bytes = std::min<std::size_t>(bytes, kMost);
  keep_heap_whole();
  void* const room = std::malloc(bytes + kHuge);  // NOLINT(*-no-malloc,*-owning-memory): malloc's heap is the subject
  if (room == nullptr) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t aligned = (begin + kHuge - 1) / kHuge * kHuge;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the same allocation
  (void)madvise(reinterpret_cast<void*>(aligned), (begin + bytes + kHuge - aligned) / kHuge * kHuge, MADV_HUGEPAGE);
  std::free(room);  // NOLINT(*-no-malloc,*-owning-memory)
  // What lies before the first huge page is never touched, so that all of it lies in one.
  thread_local void* before = nullptr;
  if (before == nullptr && aligned - begin > 64)
    before = std::malloc(aligned - begin - 32);  // NOLINT(*-no-malloc,*-owning-memory)
#else
  (void)bytes;
#endif
}

}  // namespace failover::cli
