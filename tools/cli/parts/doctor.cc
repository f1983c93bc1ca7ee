#include "tools/cli/parts/doctor.h"

#include <curl/curl.h>
#include <libssh/libssh.h>
#include <openssl/crypto.h>

#include <array>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/cli/parts/bystander.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/reaper.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/signals.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Findings {
 public:
  void good(const std::string& what, const std::string& detail) { line("ok  ", what, detail); }
  void warn(const std::string& what, const std::string& detail, const std::string& remedy) {
    line("warn", what, detail);
    say_line("        " + remedy);
  }
  void bad(const std::string& what, const std::string& detail, const std::string& remedy, int code) {
    line("FAIL", what, detail);
    if (!remedy.empty()) say_line("        " + remedy);
    worst_ = std::max(worst_, code);
  }
  void bad(const std::string& what, const base::Error& error, int code) { bad(what, error.line(), error.hint, code); }
  [[nodiscard]] int worst() const { return worst_; }

 private:
  static void line(const char* mark, const std::string& what, const std::string& detail) {
    say_line(std::string(mark) + "  " + what + (detail.empty() ? "" : ": " + detail));
  }
  int worst_ = passed;
};

void libraries(Findings& findings) {
  const std::string ssh = ssh_version(0);
  findings.good("libraries", std::string("libcurl ") + curl_version_info(CURLVERSION_NOW)->version + ", libssh " + ssh +
                                 ", " + OpenSSL_version(OPENSSL_VERSION));
}

void own_folder(Findings& findings, const Environment& environment) {
  const auto place = home(environment);
  if (!place) return findings.bad("journals", place.error(), usage);
  if (auto writable = check_writable(*place / "runs"); !writable)
    return findings.bad("journals", writable.error(), usage);
  std::error_code error;
  const auto space = std::filesystem::space(*place, error);
  const std::string room =
      error ? "" : ", " + base::format(base::Size{static_cast<std::int64_t>(space.available)}) + " free";
  findings.good("journals", (*place / "runs").string() + " can be written" + room);
  int unfinished = 0;
  const auto found = find_runs(*place / "runs");
  for (const auto& unread : found.unread) findings.bad("runs", unread, usage);
  for (const auto& id : found.ids) {
    const fs::path folder = *place / "runs" / id;
    const auto reading = event::read_journal(folder);
    if (!reading) {
      if (reading.error().code == "no_such_file") continue;  // another process has pruned it
      findings.bad("runs", unreadable(folder, reading.error()), usage);
      continue;
    }
    unfinished += !reading->locked && is_unfinished(reading->events) ? 1 : 0;
  }
  if (unfinished > 0) {
    findings.warn("unfinished runs", std::to_string(unfinished), "failover cleanup gives back what they may hold");
  }
}

void jail(Findings& findings) {
  if (sandbox::probe_view() == sandbox::View::jailed) {
    findings.good("sandbox", "commands run in bubblewrap jails");
  } else {
    findings.warn("sandbox", "no jail is possible here: simulated machines share this machine's files",
                  "install bubblewrap, and allow unprivileged user namespaces");
  }
}

// A whole rehearsal: a journal that speaks of a made thing, a reaper for it, and a writer that goes without a word. The
// thing is of the sandbox, whose end needs nobody's keys.
base::Result<Reaper> rehearse_reaper(const fs::path& folder, const Environment& environment) {
  auto journal = event::Journal::create(folder);
  if (!journal) return std::move(journal).error();
  base::SystemClock clock;
  const base::Redactor redactor;
  event::Stream stream(clock, redactor);
  stream.attach(journal->get());
  (void)stream.emit(event::type::run_started, {{"run_id", "doctor"}, {"scenario", "doctor"}, {"target", "sandbox"}});
  (void)stream.emit(event::type::intent, {{"name", "rehearsal"}, {"kind", "vast.instance"}});
  if (auto written = stream.emit(event::type::made, {{"name", "rehearsal"}, {"id", "1"}}, true); !written) {
    return std::move(written).error();
  }
  return arm_reaper(folder, environment);  // the journal is closed on return: as if this process had died
}

void reaper(Findings& findings, const Environment& environment) {
  const auto place = home(environment);
  if (!place) return;  // said already
  const fs::path folder = *place / ("doctor-" + base::random_id(8));
  const auto armed = rehearse_reaper(folder, environment);
  base::SystemClock clock;
  const auto start = clock.now();
  bool done = false;
  while (armed && !done && clock.now() - start < 10s) {
    const auto reading = event::read_journal(folder);
    done = reading && !is_unfinished(reading->events);
    if (!done) (void)clock.sleep_until(clock.now() + 20ms, {});
  }
  const std::string remedy =
      "a killed run is then given back by the next `failover run` here; from elsewhere, and by cron: "
      "failover cleanup --expired";
  if (!armed) {
    findings.bad("reaper", armed.error().line(), remedy, world_failed);
  } else if (!done) {
    findings.bad("reaper",
                 "process " + std::to_string(armed->process()) + " was armed and did not take over within 10 s", remedy,
                 world_failed);
  } else {
    findings.good("reaper", "detached, and gave back what a killed process left within " +
                                base::format(std::chrono::ceil<std::chrono::milliseconds>(clock.now() - start)));
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void variables(Findings& findings, const Environment& environment, bool live) {
  for (const char* name : {"VAST_API_KEY", "B2_ENDPOINT", "B2_KEY_ID", "B2_APPLICATION_KEY", "B2_BUCKET"}) {
    const auto at = environment.find(name);
    if (at != environment.end() && !at->second.empty()) {
      findings.good(name, "set");
    } else if (live) {
      findings.bad(name, "not set", origin_of(name), usage);
    } else {
      findings.warn(name, "not set; only --live needs it", origin_of(name));
    }
  }
}

void ask(Findings& findings, const Company& company, const char* step, base::Value::Map with, const std::string& what,
         const std::string& output, const std::stop_token& stop) {
  static base::SystemClock clock;
  Bystander host("doctor");
  const plugin::Context context(host, base::Patience(clock, clock.now() + 30s, stop));
  const auto* type = company.registry.step(step);
  const auto answer = type->run(base::Value(std::move(with)), context);
  if (!answer) return findings.bad(what, answer.error(), world_failed);
  const auto* value = answer->find(output);
  findings.good(what, output + " " + (value == nullptr ? "" : value->display()));
}

void clock_skew(Findings& findings, const Company& company, const std::stop_token& stop) {
  if (company.services->settings.b2_endpoint.empty()) return;
  base::SystemClock clock;
  Bystander host("doctor");
  const auto off = clock_off(*company.services, {host, base::Patience(clock, clock.now() + 15s, stop)}, clock);
  if (!off) return findings.bad("clock", off.error(), world_failed);
  if (!*off)
    return findings.warn("clock", "the service did not say its time", "compare `date -u` with a clock you trust");
  const std::string text = std::to_string((*off)->count()) + " s off the service's";
  if (**off <= 60s) return findings.good("clock", text);
  findings.bad("clock", text, "set this machine's clock (NTP): signed requests are refused when it is 15 minutes off",
               world_failed);
}

void providers(Findings& findings, const Environment& environment, const std::stop_token& stop) {
  auto company = hire(environment, {});
  if (!company) return findings.bad("endpoints", company.error(), usage);
  findings.good("target", target_of(company->settings));
  ask(findings, *company, "vast.check_account", {}, "Vast account", "credit", stop);
  if (const auto bucket = environment.find("B2_BUCKET"); bucket != environment.end()) {
    ask(findings, *company, "b2.check_bucket", {{"bucket", bucket->second}}, "B2 bucket " + bucket->second, "region",
        stop);
  }
  clock_skew(findings, *company, stop);
}

}  // namespace

base::Result<std::optional<std::chrono::seconds>> clock_off(const client::Services& services,
                                                            const plugin::Context& context, base::Clock& clock) {
  client::HttpRequest request;
  request.peer = "b2";
  request.method = "HEAD";
  request.url = services.settings.b2_endpoint + "/";  // the operator's may be a bare host
  const auto answer = services.b2_http->send(request, context);
  if (!answer) return answer.error();
  const std::string* date = answer->header("date");
  const time_t theirs = date == nullptr ? -1 : curl_getdate(date->c_str(), nullptr);
  if (theirs < 0) return std::optional<std::chrono::seconds>();
  const auto ours = std::chrono::floor<std::chrono::seconds>(clock.wall().time_since_epoch());
  return std::optional(std::chrono::abs(ours - std::chrono::seconds(theirs)));
}

int doctor(bool live, const Environment& environment) {
  const Signals signals;
  Findings findings;
  libraries(findings);
  if (auto company = hire({}, {}); !company) findings.bad("clients", company.error(), usage);
  own_folder(findings, environment);
  reaper(findings, environment);
  jail(findings);
  variables(findings, environment, live);
  if (live && findings.worst() == passed) providers(findings, environment, signals.first());
  say_line(findings.worst() == passed ? "ready" : "not ready");
  return findings.worst();
}

}  // namespace failover::cli
