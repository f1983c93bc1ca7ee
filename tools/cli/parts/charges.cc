#include "tools/cli/parts/charges.h"

#include "engine/event/journal.h"
#include "engine/run/charges.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/record.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/signals.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {
namespace {

using base::Error;
using base::Fault;

base::Result<void> may_be_read(const std::vector<event::Event>& past, const Origin& origin) {
  if (origin.target == "sandbox") {
    return Error{Fault::invalid, "sandbox_run", "the run was in the sandbox: its books ended with it",
                 "nothing was billed"};
  }
  if (is_unfinished(past)) {
    return Error{Fault::refused, "unfinished", "the run has not finished", "failover cleanup " + origin.id};
  }
  return {};
}

}  // namespace

base::Result<void> read_charges(const std::filesystem::path& folder, const Environment& environment,
                                const std::stop_token& stop) {
  auto journal = event::Journal::reopen(folder);
  if (!journal) return std::move(journal).error();
  const auto& past = (*journal)->past();
  const Origin origin = origin_of(beginning_of(past));
  if (auto fine = may_be_read(past, origin); !fine) return fine;
  const Environment there = at_endpoints(environment, origin);
  run::Ledger ledger;
  for (const auto& event : past) ledger.on(event);
  auto company = hire_for(origin, there, ledger.entries());
  if (!company) return std::move(company).error();
  base::SystemClock clock;
  base::Redactor redactor;
  hide_secrets(redactor, there, company->settings, {});
  event::Stream stream(clock, redactor);
  stream.attach(journal->get(), past);
  report::Folder folded;
  for (const auto& event : past) folded.on(event);
  stream.subscribe(ledger);
  stream.subscribe(folded);
  run::Shared shared{stream, ledger,        company->registry, clock, {origin.id, origin.scenario, origin.target},
                     {},     base::Secret()};
  run::read_charges(shared, base::Patience(clock, clock.now() + std::chrono::seconds(60), stop));
  return write_report(folder, folded);
}

int report_with_charges(const ReportOptions& options, const Environment& environment) {
  const auto folder = chosen_run(options, environment);
  if (!folder) return complain(folder.error(), usage);
  {
    const Signals signals;
    if (auto read = read_charges(*folder, environment, signals.first()); !read) complain(read.error(), 0);
  }
  return report(options, environment);
}

}  // namespace failover::cli
