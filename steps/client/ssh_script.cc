#include "steps/client/ssh_script.h"

#include <utility>

#include "engine/base/text.h"

namespace failover::client::ssh {
namespace {

// More than this before the mark is no greeting.
constexpr std::size_t kGreetingMax = 64 << 10;

// sshd makes the command a group leader, which `kill -0` on the own group shows; where the server does not, setsid
// does. `$1` is the script, `$2` the mark.
constexpr const char* kWrapper = R"(if kill -0 -"$$" 2>/dev/null; then g=$$; )"
                                 R"(elif [ "${3-}" = again ] || ! command -v setsid >/dev/null 2>&1; then g=0; )"
                                 R"(else exec setsid sh -c "$0" "$0" "$1" "$2" again; fi; )"
                                 R"(printf '%s %s\n' "$2" "$g" >&2; printf '%s\n' "$2"; exec sh -c "$1")";

// A zombie keeps its group alive for `kill -0` where nobody reaps, so /proc is asked when it is there. `$1` is the
// group, `$2` the mark.
constexpr const char* kGroupEnd = R"(
alive() {
  kill -0 -"$g" 2>/dev/null || [ -r /proc/self/stat ] || return 1
  [ -r /proc/self/stat ] || return 0
  for f in /proc/[0-9]*/stat; do
    l=
    read -r l 2>/dev/null <"$f" || [ -n "$l" ] || continue
    set -- ${l##*) }
    [ "${3-}" = "$g" ] && [ "$1" != Z ] && [ "$1" != X ] && return 0
  done
  return 1
}
g=$1
m=$2
kill -TERM -"$g" 2>/dev/null
i=0
while alive; do
  i=$((i + 1))
  [ $i -eq 8 ] && kill -KILL -"$g" 2>/dev/null
  [ $i -ge 30 ] && break
  sleep 0.02 2>/dev/null || sleep 1
done
if alive; then echo "$m alive"; else echo "$m gone"; fi
)";

std::string with_words(const char* text, const std::string& first, const std::string& second) {
  const std::string quoted = base::shell_quote(text);
  return "exec sh -c " + quoted + " " + quoted + " " + base::shell_quote(first) + " " + base::shell_quote(second);
}

}  // namespace

std::string wrapped(const std::string& script, const std::string& mark) { return with_words(kWrapper, script, mark); }

std::string group_end(const std::string& group, const std::string& mark) { return with_words(kGroupEnd, group, mark); }

std::string MarkFilter::take(std::string_view bytes) {
  if (found_ || given_up_) return std::string(bytes);
  held_ += bytes;
  const auto at = held_.find(mark_);
  const auto end = at == std::string::npos ? at : held_.find('\n', at);
  if (end != std::string::npos) {
    found_ = true;
    word_ = base::trim(std::string_view(held_).substr(at + mark_.size(), end - at - mark_.size()));
    std::string rest = held_.substr(end + 1);
    held_.clear();
    return rest;
  }
  if (held_.size() <= kGreetingMax) return {};
  given_up_ = true;
  return std::exchange(held_, {});
}

std::string MarkFilter::finish() { return std::exchange(held_, {}); }

}  // namespace failover::client::ssh
