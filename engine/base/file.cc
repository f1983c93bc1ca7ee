#include "engine/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/digest.h"
#include "engine/base/fd.h"

namespace failover::base {
namespace {

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

}  // namespace

Error system_error(int number, std::string_view doing, const std::filesystem::path& path) {
  Error error;
  const bool full = number == ENOSPC || number == EDQUOT;
  error.fault = full ? Fault::no_space : number == ENOENT ? Fault::not_found : Fault::invalid;
  error.code = full ? "disk_full" : number == ENOENT ? "no_such_file" : "file";
  error.message = "cannot " + std::string(doing) + " " + path.string() + ": " + std::strerror(number);
  if (full) error.hint = "free some space on that file system, or choose another place";
  if (number == EACCES || number == EPERM || number == EROFS)
    error.hint = "check who may write there, or choose another place";
  return error;
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(errno, "open", path);
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", path);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > limit) {
      return Error{Fault::invalid, "too_large", path.string() + " is larger than " + std::to_string(limit) + " bytes"};
    }
  }
}

Result<void> write_file(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  std::filesystem::path temporary = path;
  temporary += "." + random_id(8) + ".part";
  int failed = 0;
  {
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (file.get() < 0) return system_error(errno, "write", path);
    failed = write_all(file.get(), text);
    if (failed == 0 && ::fsync(file.get()) != 0) failed = errno;
  }
  if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
  if (failed != 0) {
    ::unlink(temporary.c_str());
    return system_error(failed, "write", path);
  }
  return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
  std::filesystem::path sofar;
  for (const auto& part : path) {
    sofar /= part;
    if (sofar.empty()) continue;
    if (::mkdir(sofar.c_str(), 0700) == 0) {
      sync_directory(sofar.parent_path());
      continue;
    }
    if (errno == EEXIST) continue;
    // An existing parent may answer EROFS or EACCES although it is there.
    const int number = errno;
    struct stat info {};
    if (::stat(sofar.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    return system_error(number, "create the directory", sofar);
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(errno, "create the directory", path);
  if (!S_ISDIR(info.st_mode)) return system_error(ENOTDIR, "create the directory", path);
  return {};
}

void sync_directory(const std::filesystem::path& path) {
  const Fd directory(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

}  // namespace failover::base
