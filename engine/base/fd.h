// A file descriptor with an owner, and pipes of them.
#pragma once

#include <unistd.h>

#include <utility>

#include "engine/base/error.h"

namespace failover::base {

// Closed with its object. -1 owns nothing.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }  // the caller's to close from now on
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

// Both ends close-on-exec, and above the standard streams: those may be closed in this process, and a pipe in their
// place would be overwritten in a child. Error{unavailable}: no descriptors are left; {internal}: anything else.
Result<Pipe> make_pipe();

void set_nonblocking(const Fd& fd);

}  // namespace failover::base
