#include "tools/cli/parts/expired.h"

#include <algorithm>

#include "engine/base/text.h"
#include "engine/event/journal.h"
#include "engine/run/expired.h"
#include "tools/cli/parts/bystander.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {
namespace {

using namespace std::chrono_literals;

std::string describe(const run::Sighting& seen) {
  // A stranger's label may hold anything.
  std::string thing = seen.held.kind + " " + seen.held.id + " (" + base::printable(seen.held.name, 80) + ")";
  switch (seen.standing) {
    case run::Standing::expired: return thing + ": expired " + base::format_utc(seen.label->deadline);
    case run::Standing::in_time:
      return thing + ": left alone, its run has until " + base::format_utc(seen.label->deadline);
    case run::Standing::alien: return thing + ": left alone, not signed by this key";
  }
  return thing;
}

}  // namespace

int cleanup_expired(bool dry_run, const Environment& environment, const std::stop_token& stop) {
  auto company = hire(environment, {});
  if (!company) return complain(company.error(), usage);
  const auto key = label_key(environment, company->settings);
  if (company->settings.vast_key.empty()) {
    return complain("there is no account to look into: VAST_API_KEY is not set",
                    "set it; and FAILOVER_LABEL_KEY, if runs use one", usage);
  }
  base::SystemClock clock;
  Bystander host("expired");
  const auto [seen, unlisted] =
      run::survey(company->registry, key, host, base::Patience(clock, clock.now() + 5min, stop));
  for (const auto& one : seen) say_line(describe(one));
  // There may be something where nobody could look.
  int code = passed;
  for (const auto& error : unlisted) code = complain(error, may_be_held);
  const auto expired =
      std::count_if(seen.begin(), seen.end(), [](const auto& one) { return one.standing == run::Standing::expired; });
  if (expired == 0)
    say_line(code == passed ? "nothing is past its deadline" : "nothing that was seen is past its deadline");
  if (dry_run || expired == 0) return code;

  base::Redactor redactor;
  hide_secrets(redactor, environment, company->settings, {});
  event::Stream stream(clock, redactor);
  run::Ledger ledger;
  stream.subscribe(ledger);
  run::Shared shared{stream, ledger, company->registry, clock, {"expired", "cleanup --expired", "live"}, {}, key};
  run::CleanupOptions options;
  options.patience = all_loopback(company->settings) ? base::Duration(2min) : base::Duration(1h);
  options.say = [](const std::string& line) { note(line); };
  const auto result = run::clean_up_expired(shared, seen, options, stop);
  for (const auto& left : result.left) {
    note("still held: " + left.kind + " " + left.id + " (" + left.name + "): " + left.why);
    if (!left.by_hand.empty()) note("  by hand: " + left.by_hand);
  }
  say_line(std::to_string(result.released) + " of " + std::to_string(result.attempted) + " given back");
  return result.left.empty() ? code : may_be_held;
}

}  // namespace failover::cli
