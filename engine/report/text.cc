#include "engine/report/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "engine/base/text.h"

namespace failover::report {
namespace {

using base::Value;

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t length = base::utf8_length(text);
  return length < width ? text + std::string(width - length, ' ') : text;
}

std::string number(double value, int decimals) {
  std::array<char, 64> buffer{};
  (void)std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

const Value* at(const Value& map, const std::string& path) {
  const Value* here = &map;
  for (const auto& part : base::split(path, '.')) {
    here = here->find(part);
    if (here == nullptr) return nullptr;
  }
  return here;
}

std::string shown(const Value& map, const std::string& path) {
  const Value* found = at(map, path);
  return found == nullptr || found->is_null() ? std::string() : base::printable(found->display(), 200);
}

double figure(const Value& map, const std::string& path) {
  const Value* found = at(map, path);
  if (found == nullptr) return 0;
  if (const auto* d = found->get<double>()) return *d;
  const auto* i = found->get<std::int64_t>();
  return i == nullptr ? 0 : static_cast<double>(*i);
}

class Writer {
 public:
  Writer(const Report& report, Look look) : report_(report), look_(look) {}

  std::string write() {
    heading();
    phases();
    machines();
    snapshots();
    files();
    failures();
    objectives();
    costs();
    cleanup();
    verdict();
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }
  void title(const std::string& text) { line("\n" + paint(text, "1")); }
  void field(const std::string& name, const std::string& value) { line("  " + padded(name, 18) + value); }
  [[nodiscard]] std::string paint(const std::string& text, const char* code) const {
    return look_.color ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
  }
  [[nodiscard]] std::string mark(bool good, const std::string& why = "") const {
    if (look_.unicode) return good ? paint("✓", "32") : paint(why.empty() ? "✗" : "✗ " + why, "31");
    return good ? paint("ok", "32") : paint(why.empty() ? "LOST" : why, "31");
  }

  void heading() {
    line(paint("Report of " + report_.scenario, "1") + "  run " + report_.run_id);
    if (!report_.description.empty()) line("  " + report_.description);
    if (report_.quick) field("Journey", "none: the preflight alone (--quick)");
    if (report_.target == "sandbox") {
      field("Target",
            "SANDBOX: simulated providers, nothing was rented or billed" +
                std::string(report_.view == "portable" ? " (no jail here: commands share this machine's files)" : ""));
    } else {
      field("Target", report_.target == "live" ? "live: Vast.ai and Backblaze B2"
                                               : "other: endpoints that are not the real services");
    }
  }

  void phases() {
    if (report_.phases.empty()) return;
    title("Phases");
    std::size_t width = 18;
    for (const auto& one : report_.phases) width = std::max(width, base::utf8_length(one.name) + 2);
    for (const auto& one : report_.phases) line("  " + padded(one.name, width) + short_time(one.end - one.begin));
    line("  " + padded("Total", width) + short_time(report_.duration));
  }

  static std::string endpoint(const Step& ready) {
    const std::string host = shown(ready.outputs, "ssh.host");
    if (host.empty()) return "";
    return shown(ready.outputs, "ssh.user") + "@" + host + ":" + shown(ready.outputs, "ssh.port");
  }

  void machines() {
    bool any = false;
    int number_of = 0;
    for (const auto& one : report_.resources) {
      if (one.usd_per_hour <= 0 || one.state == "refused") continue;
      if (!std::exchange(any, true)) title("Machines");
      const std::string gpu = shown(one.attributes, "gpu_name");
      line("  " + std::to_string(++number_of) + ". " + (gpu.empty() ? base::printable(one.what, 80) : gpu));
      const char* unknown = one.denied ? "unknown (it was refused, and not looked for to the end)"
                                       : "unknown (its creation was never answered)";
      machine_field("instance", one.id.empty() ? unknown : one.id);
      machine_field("offer", shown(one.attributes, "offer"));
      machine_field("label", one.name);
      if (const Step* ready = report_.ready_step(one)) machine_field("SSH", endpoint(*ready));
      machine_field("cost per hour", short_money(one.usd_per_hour));
      machine_field("hours used", number(base::seconds(report_.billed(one)) / 3600, 4) + " (" +
                                      short_time(report_.billed(one)) + ")");
      machine_field("cost", short_money(report_.cost(one)));
      machine_field("state", one.state == "released" ? "given back" : one.state);
      if (report_.timer(one) == "none")
        machine_field("timer", "does not stand: the machine has none of curl, python3 and wget to end itself with");
    }
    if (!any) existing_machines();
  }
  void machine_field(const std::string& name, const std::string& value) {
    if (!value.empty()) line("     " + padded(name, 15) + value);
  }

  // Machines that were there before the run.
  void existing_machines() {
    bool any = false;
    for (const auto& one : report_.steps) {
      if (one.uses != "vast.wait_until_ready" || endpoint(one).empty()) continue;
      if (!std::exchange(any, true)) title("Machines (existing, not rented by this run)");
      line("  instance " + shown(one.outputs, "instance") + "  SSH " + endpoint(one));
    }
  }

  void snapshots() {
    for (const auto& one : report_.steps) {
      if (one.uses != "snapshot.create" || shown(one.outputs, "id").empty()) continue;
      title("Snapshot");
      field("id", shown(one.outputs, "id"));
      field("files", shown(one.outputs, "files"));
      field("size", bytes(figure(one.outputs, "bytes")));
      field("compressed", bytes(figure(one.outputs, "compressed_bytes")));
      field("ratio", number(figure(one.outputs, "ratio"), 2));
      const double skipped = figure(one.outputs, "skipped");
      if (skipped > 0) field("left out", number(skipped, 0) + " links, sockets and the like");
    }
  }
  static std::string bytes(double count) {
    constexpr double kMost = 9e18;
    return base::format(base::Size{static_cast<std::int64_t>(std::clamp(count, 0.0, kMost))}) + " (" +
           number(count, 0) + " bytes)";
  }

  void files() {
    if (report_.files.empty()) return;
    title("Files");
    std::size_t width = 8;
    for (const auto& one : report_.files) width = std::max(width, base::utf8_length(base::printable(one.path, 120)));
    constexpr std::size_t kMostShown = 200;
    std::size_t count = 0;
    const char* unseen = report_.marks.count("failure") > 0 ? "not verified since the failure" : "not verified";
    bool lost = false;
    bool whole = true;  // every byte at least
    for (const auto& one : report_.files) {
      const bool named = !one.proof.empty();
      lost = lost || (named && !one.ok);
      whole = whole && (!named || one.intact);
      if (++count > kMostShown) continue;
      const std::string row = "  " + padded(base::printable(one.path, 120), width) + "  " +
                              padded(base::format(base::Size{one.size}), 9) + "  " + padded(one.md5, 32);
      const std::string state = one.ok || !one.intact ? mark(one.ok) : mark(one.ok, "other mode or time");
      line(row + "  " + (named ? state : unseen));
    }
    if (report_.files.size() > kMostShown)
      line("  ... and " + std::to_string(report_.files.size() - kMostShown) + " more (report.json has them all)");
    field("files OK", std::to_string(report_.files_verified()) + "/" + std::to_string(report_.files.size()) +
                          (lost ? "  " + mark(false, whole ? "other mode or time" : "") : ""));
    if (report_.files_verified() > 0) field("shown by", shown_by());
  }
  // What it rests on that they are there.
  [[nodiscard]] std::string shown_by() const {
    const int shown = report_.files_shown();
    if (shown == 0) return "the machine's word: nothing was challenged";
    std::string how = "a challenge: the machine answered for the bytes under a new key";
    if (shown == report_.files_verified()) return how;
    return how + ", for " + std::to_string(shown) + "; for the others its word";
  }

  void failures() {
    bool any = false;
    for (const auto& one : report_.steps) {
      if (!one.error || one.status == "passed" || told_by_others(one)) continue;
      // A race stops those that have lost it.
      if (report_.verdict == "passed" && one.status == "cancelled") continue;
      if (!std::exchange(any, true)) title("What failed");
      line("  " + one.id + " (" + one.uses + "): " + base::printable(one.error->message, 600));
      if (!one.error->hint.empty()) line("    " + base::printable(one.error->hint, 400));
      assertion_tree(one);
    }
  }
  // A group that failed because a step in it did.
  [[nodiscard]] bool told_by_others(const Step& step) const {
    return !step.shape.empty() && std::any_of(report_.steps.begin(), report_.steps.end(), [&](const Step& other) {
      return other.shape.empty() && other.error && other.error->message == step.error->message;
    });
  }
  void assertion_tree(const Step& step) {
    const auto* assertions = step.assertions.list();
    if (assertions == nullptr) return;
    for (const auto& assertion : *assertions) {
      const Value* passed = assertion.find("passed");
      if (passed == nullptr || passed->get<bool>() == nullptr || *passed->get<bool>()) continue;
      const Value* values = assertion.find("values");
      if (values == nullptr || !values->is_list()) continue;
      for (const auto& one : *values->list()) {
        const auto depth = static_cast<std::size_t>(std::clamp(figure(one, "depth"), 0.0, 20.0));
        const std::string indent = "    " + std::string(2 * depth, ' ');
        line(indent + shown(one, "text") + " = " + shown(one, "value"));
        const Value* differs = one.find("difference");
        if (differs == nullptr || !differs->is_list()) continue;
        for (const auto& row : *differs->list()) line(indent + "    " + base::printable(row.display(), 300));
      }
    }
  }

  void objectives() {
    if (report_.wanted.empty() && !report_.failover_seconds()) return;
    title("Objectives");
    if (const auto time = report_.failover_seconds())
      field("failover time",
            short_time(base::Duration(std::llround(std::clamp(*time, 0.0, 3.2e9) * 1e9))) + " (failure to restored)");
    for (const auto& [name, limit] : report_.wanted) {
      const auto measured = report_.objectives.find(name);
      const bool missed = std::find(report_.missed.begin(), report_.missed.end(), name) != report_.missed.end();
      const std::string allowed = " of " + short_time(limit) + " allowed  ";
      if (measured == report_.objectives.end()) {
        field(name, "not measured" +
                        (missed ? allowed + paint("MISSED", "31") : std::string(": the journey did not get there")));
      } else {
        field(name, short_time(measured->second) + allowed + (missed ? paint("MISSED", "31") : paint("met", "32")));
      }
    }
  }

  void costs() {
    title("Cost");
    int rented = 0;
    for (const auto& one : report_.resources) rented += one.usd_per_hour > 0 && one.state != "refused" ? 1 : 0;
    field("total", short_money(report_.total_cost()) +
                       (rented == 0 ? " (nothing rented)"
                                    : " for " + std::to_string(rented) + (rented == 1 ? " machine" : " machines") +
                                          ", from the first second to giving back"));
    const Estimate& said = report_.estimate;
    field("estimated", "[" + short_money(said.best_usd) + ", " + short_money(said.expected_usd) + ", " +
                           short_money(said.worst_usd) + "]  best, expected, worst" + fell_text(report_.cost_fell()));
    field("limit", short_money(report_.limit_usd));
    for (const auto& [kind, one] : report_.charges) field("provider says", charges_text(one));
    if (!(said.worst_s > 0)) return;
    field("journey", short_time(report_.journey_time()) + " until giving back");
    field("estimated", "[" + seconds_text(said.best_s) + ", " + seconds_text(said.expected_s) + ", " +
                           seconds_text(said.worst_s) + "]  best, expected, worst" + fell_text(report_.time_fell()));
    field("estimates from", said.history_runs == 0
                                ? "stated figures: there was no history"
                                : std::to_string(said.history_runs) + " past " + report_.target + " runs");
  }
  // Of what is listed, beside our own count of the same things.
  [[nodiscard]] std::string charges_text(const Charges& charges) const {
    const std::string when = " (read at " + base::format_utc(charges.read_at).substr(0, 19) + "Z)";
    const std::string later = "; later: failover report " + report_.run_id + " --charges";
    if (!charges.error.empty() && charges.lines.empty())
      return "not read: " + base::printable(charges.error, 300) + (report_.target == "sandbox" ? "" : later);
    if (charges.lines.empty()) return "not listed yet" + when + (report_.target == "sandbox" ? "" : later);
    double ours = 0;
    for (const auto& line : charges.lines) {
      for (const auto& one : report_.resources) ours += one.name == line.name ? report_.cost(one) : 0;
    }
    const double off = charges.usd() - ours;
    // The provider rounds each to a tenth of a cent.
    const double hair = 0.0005 * static_cast<double>(charges.lines.size()) + 1e-9;
    return signed_money(charges.usd()) + when + " for " + std::to_string(charges.lines.size()) + " of " +
           std::to_string(charges.asked) + " machines; our own count is " + short_money(ours) +
           (std::abs(off) <= hair ? ", the same within its rounding"
                                  : ", " + short_money(std::abs(off)) + (off > 0 ? " less" : " more"));
  }
  static std::string signed_money(double usd) { return (usd < 0 ? "-" : "") + short_money(std::abs(usd)); }

  static std::string seconds_text(double seconds) {
    return short_time(base::Duration(std::llround(std::clamp(seconds, 0.0, 3.2e9) * 1e9)));
  }
  [[nodiscard]] std::string fell_text(const std::optional<Fell>& fell) const {
    if (!fell) return "";
    const std::string where = fell->where == Fell::Where::inside  ? "inside"
                              : fell->where == Fell::Where::below ? "below the best"
                                                                  : paint("ABOVE THE WORST", "31");
    return "; " + where + (fell->ratio ? ", " + number(*fell->ratio, 2) + " of the expected" : "") +
           (report_.whole() ? "" : " (not a whole journey)");
  }

  void cleanup() {
    title("Cleanup");
    field("given back", std::to_string(report_.cleanup.released) + " of " + std::to_string(report_.cleanup.attempted) +
                            " that were still open, in " + short_time(report_.cleanup.took));
    for (const auto& one : report_.resources) {
      if (one.state == "kept") field("kept", one.kind + " " + (one.id.empty() ? one.name : one.id));
    }
    if (!report_.finished) line("  " + paint("the run did not finish: failover cleanup " + report_.run_id, "31"));
    for (const auto& one : report_.leftovers) {
      line("  " + paint("MAY STILL BE HELD", "31") + "  " + shown(one, "kind") + " " + shown(one, "id") + " " +
           shown(one, "name") + ": " + shown(one, "why"));
    }
    promises();
  }
  void promises() {
    int held = 0;
    int decided = 0;
    std::string others;
    for (const auto& one : report_.promises.judged(report_)) {
      held += one.verdict == Promise::Verdict::held ? 1 : 0;
      decided += one.verdict == Promise::Verdict::unknown ? 0 : 1;
      if (one.verdict == Promise::Verdict::held) continue;
      const bool broken = one.verdict == Promise::Verdict::broken;
      others += "  " + (broken ? paint("PROMISE BROKEN", "31") : "promise not known") + "  " +
                std::string(one.promise) + " (" + std::string(one.id) + "): " + base::printable(one.what, 600) + "\n";
    }
    field("promises",
          std::to_string(held) + " of " + std::to_string(decided) + " that the journal can decide were kept");
    out_ += others;
  }

  void verdict() {
    const bool passed = report_.verdict == "passed" && report_.exit_code == 0;
    const std::string word = report_.verdict == "passed"   ? "PASSED"
                             : report_.verdict == "failed" ? "FAILED"
                             : report_.verdict == "error"  ? "ERROR"
                                                           : "INTERRUPTED";
    line("\n" + paint(word, passed ? "1;32" : "1;31") + (report_.quick ? "  (preflight alone)" : "") +
         (report_.target == "sandbox" ? "  (sandbox)" : "") + "  exit code " + std::to_string(report_.exit_code) +
         (report_.proof
              ? "\n  a counter-proof, which failed as it must: " + base::printable(report_.proof->message, 600)
              : "") +
         (report_.error ? "\n  " + base::printable(report_.error->message, 600) : ""));
  }

  const Report& report_;
  Look look_;
  std::string out_;
};

}  // namespace

std::string short_time(base::Duration time) {
  const double seconds = static_cast<double>(time.count()) / 1e9;
  if (seconds < 60) return number(seconds, 2) + "s";
  const auto whole = std::llround(seconds);
  const auto two = [](long long part) { return (part < 10 ? "0" : "") + std::to_string(part); };
  if (whole < 3600) return std::to_string(whole / 60) + "m" + two(whole % 60) + "s";
  return std::to_string(whole / 3600) + "h" + two(whole % 3600 / 60) + "m" + two(whole % 60) + "s";
}

std::string short_money(double usd) { return base::format(base::money_from_usd(usd).value_or(base::Money{0})); }

std::string text(const Report& report, Look look) { return Writer(report, look).write(); }

}  // namespace failover::report
