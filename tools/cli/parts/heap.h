// Memory for a command that reads, answers and ends.
#pragma once

#include <cstddef>

namespace failover::cli {

// The calling thread is about to allocate so many bytes in small pieces (at most 56 MiB count). Where the system has
// huge pages for whoever asks for them (Linux with glibc), the thread's heap then comes in a few of them instead of in
// thousands of page faults. Elsewhere, and below half a mebibyte, nothing happens. Never fails.
void expect_heap(std::size_t bytes);

// For an object that lives until the process ends, without the time that taking it apart would cost: a large plan is
// some hundred thousand pieces. Never destroyed; still reachable.
template <class T>
T& until_the_end(T* object) {
  struct Chain {
    T* object;
    Chain* next;
  };
  thread_local Chain* all = nullptr;
  all = new Chain{object, all};  // NOLINT(cppcoreguidelines-owning-memory): that is what it is for
  return *object;
}

}  // namespace failover::cli
