#include "steps/ssh/transfer.h"

#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace failover::steps::ssh {

using base::Error;
using base::Fault;
namespace fs = std::filesystem;

base::Result<LocalFile> read_local(const std::string& path, const plugin::Context& context) {
  const auto unreadable = [&](const std::string& why) {
    return Error{Fault::invalid, "no_file", "cannot read " + base::printable(path, 200) + ": " + why,
                 "it must be a file of the runner"};
  };
  std::error_code problem;
  const auto status = fs::status(path, problem);
  if (!fs::is_regular_file(status)) return unreadable(problem ? problem.message() : "not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable("permission denied");
  LocalFile out;
  out.mode = static_cast<unsigned>(status.permissions()) & 0777U;
  base::Digest digest(base::Algorithm::sha256);
  std::string buffer(1 << 20, '\0');
  while (file) {
    if (auto patient = context.check(); !patient) return std::move(patient).error();
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<std::size_t>(file.gcount());
    digest.update(std::string_view(buffer).substr(0, got));
    out.bytes += static_cast<std::int64_t>(got);
  }
  if (file.bad()) return unreadable("the disk answered with an error");
  out.sha256 = base::hex(digest.finish());
  return out;
}

std::function<void(std::int64_t)> progress(const plugin::Context& context, std::string verb, std::int64_t whole) {
  auto last = std::make_shared<base::Instant>(context.clock().now());
  return [context, verb = std::move(verb), whole, last](std::int64_t done) {
    const auto now = context.clock().now();
    if (now - *last < std::chrono::seconds(1)) return;
    *last = now;
    context.progress(verb + " " + base::format(base::Size{done}) +
                     (whole > 0 ? " of " + base::format(base::Size{whole}) : std::string()));
  };
}

}  // namespace failover::steps::ssh
