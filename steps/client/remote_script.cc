#include "steps/client/remote_script.h"

#include "engine/base/text.h"

namespace failover::client {

using base::Error;
using base::Fault;

Script::Script(std::string_view purpose) {
  // The tools' words are read (disk full): they must be the untranslated ones.
  text_ = "# failover: " + std::string(purpose) + "\nLC_ALL=C; export LC_ALL\n";
}

Script& Script::set(std::string_view variable, std::string_view value) {
  text_ += std::string(variable) + "=" + base::shell_quote(value) + "\n";
  return *this;
}

Script& Script::arguments(const std::vector<std::string>& words) {
  text_ += "set --";
  for (const auto& word : words) text_ += " " + base::shell_quote(word);
  text_ += "\n";
  return *this;
}

std::string tail(std::string_view text, std::size_t limit) {
  text = base::trim(text);
  const bool cut = text.size() > limit;
  if (cut) text.remove_prefix(text.size() - limit);
  return (cut ? "..." : "") + base::printable(text, limit);
}

Error remote_failure(const Finished& finished, const std::string& doing) {
  const std::string words = tail(finished.err);
  const std::string said = words.empty() ? std::string() : ": " + words;
  if (base::contains(finished.err, "No space left on device") || base::contains(finished.err, "quota exceeded")) {
    return {Fault::no_space, "no_space", doing + ": the machine's disk is full" + said,
            "rent a larger disk, or write less"};
  }
  if (!finished.signal.empty()) {
    return {Fault::refused, "killed", doing + ": the command was ended by SIG" + finished.signal + said};
  }
  switch (finished.exit_code) {
    case kExitAbsent: return {Fault::not_found, "not_on_machine", doing + said};
    case kExitDigest:
      return {Fault::corrupt, "digest", doing + ": the bytes on the machine are not what they were" + said};
    case kExitChanged:
      return {Fault::corrupt, "changed", doing + ": files changed while they were read" + said,
              "stop what writes there first"};
    case kExitUnsafe: return {Fault::corrupt, "unsafe", doing + ": refused" + said};
    case kExitNoTool:
      return {Fault::refused, "no_tool", doing + ": a program is missing on the machine" + said,
              "use an image that has it"};
    default: break;
  }
  return {Fault::refused, "exit_status", doing + ": exit status " + std::to_string(finished.exit_code) + said};
}

}  // namespace failover::client
