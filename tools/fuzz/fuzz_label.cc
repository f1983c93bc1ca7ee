// Any text as a label: only what this key makes is believed, and all of it. Half of the inputs get the right MAC, since
// a fuzzer never guesses one.
#include <cstdint>
#include <string>

#include "engine/base/digest.h"
#include "engine/run/label.h"
#include "tools/fuzz/property.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using fuzz::hold;

void check(const std::string& text, const base::Secret& key) {
  const auto label = run::verify_label(text, key);
  if (!label) return;
  hold(run::looks_ours(text), "what is believed looks ours");
  hold(run::make_label("run-" + label->token, label->sequence, label->deadline, key) == text,
       "what is believed is what would be made");
  hold(!run::verify_label(text, base::Secret("another")), "one key signs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data),
                         size);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
  const base::Secret key("key");
  check(text, key);
  check(text + "-" + base::hex(base::hmac_sha256(key.reveal(), text)).substr(0, 12), key);
  return 0;
}
