// Memory for a command that reads, answers and ends.
#pragma once

#include <atomic>
#include <cstddef>

namespace failover::cli {

// The calling thread is about to allocate so many bytes in small pieces (at most 56 MiB count). Where the system has
// huge pages for whoever asks for them (Linux with glibc), the thread's heap then comes in a few of them instead of in
// thousands of page faults. Elsewhere, and below half a mebibyte, nothing happens. Never fails.
void expect_heap(std::size_t bytes);

// For an object that lives until the process ends, without the time that taking it apart would cost: a large plan is
// some hundred thousand pieces. Never destroyed; still reachable. From any thread.
template <class T>
void until_the_end(T* object) {
  struct Link {
    T* object;
    Link* next;
  };
  static std::atomic<Link*> first{nullptr};
  auto* const link = new Link{object, first.load()};  // NOLINT(cppcoreguidelines-owning-memory): as promised
  while (!first.compare_exchange_weak(link->next, link)) {
  }
}

}  // namespace failover::cli
