#include "engine/report/console.h"

#include <algorithm>

#include "engine/base/text.h"
#include "engine/report/text.h"

namespace failover::report {
namespace {

namespace type = event::type;

std::string error_text(const event::Event& event) {
  const base::Value* message = event["error"].find("message");
  return message == nullptr ? std::string() : base::printable(message->display(), 400);
}

std::string step_name(const event::Event& event) {
  const std::string name = event.text("name");
  return event.text("id") + " (" + event.text("uses") + ")" + (name.empty() ? "" : " " + base::printable(name, 80));
}

std::string thing(const event::Event& event) {
  const std::string id = event.text("id");
  return event.text("kind") + " " + (id.empty() ? event.text("name") : id);
}

std::string seconds_text(const event::Event& event, const char* name) { return short_time(event.time(name)); }

std::string charges_line(const event::Event& event) {
  const std::string error = error_text(event);
  if (!error.empty()) return "provider's charges not read: " + error;
  const auto* lines = event["lines"].list();
  const std::size_t count = lines == nullptr ? 0 : lines->size();
  if (count == 0) return "provider's charges: not listed yet";
  return "provider's charges: listed for " + std::to_string(count) + " of " + std::to_string(event.integer("asked"));
}

std::string clipped(const std::string& text, std::size_t width) {
  if (base::utf8_length(text) <= width) return text;
  std::string out;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size() && count < width; ++i) {
    const bool first = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (first && ++count == width) break;
    out += text[i];
  }
  return out;
}

}  // namespace

std::string headline(const event::Event& event) {
  const std::string& kind = event.type;
  if (kind == type::run_started) {
    const std::string target = event.text("target");
    return "run " + event.text("run_id") + " of " + event.text("scenario") +
           (target == "sandbox" ? " in the SANDBOX (simulated providers; nothing is rented or billed)"
                                : " on target " + target) +
           (event["quick"] == base::Value(true) ? ", the preflight alone" : "") +
           (event.text("view") == "portable" ? ", without a jail" : "");
  }
  if (kind == type::step_started)
    return "step " + step_name(event) + " begins" +
           (event["timeout_s"].is_null() ? std::string() : ", at most " + seconds_text(event, "timeout_s"));
  if (kind == type::step_progress) return "  " + event.text("id") + ": " + base::printable(event.text("text"), 200);
  if (kind == type::step_retry) {
    return "step " + event.text("id") + " failed (" + error_text(event) + "); again in " +
           seconds_text(event, "delay_s");
  }
  if (kind == type::step_finished) {
    const std::string error = error_text(event);
    return "step " + step_name(event) + " " + event.text("status") + " in " + seconds_text(event, "duration_s") +
           (error.empty() ? "" : ": " + error);
  }
  if (kind == type::intent)
    return "about to make " + event.text("kind") + " " + event.text("name") + ": " +
           base::printable(event.text("what"), 120);
  if (kind == type::made) return "made " + thing(event);
  if (kind == type::refused) {
    const std::string error = error_text(event);
    return "not made: " + event.text("kind") + " " + event.text("name") + ": " +
           (error.empty() ? event.text("why") : error);
  }
  if (kind == type::unclear)
    return "UNCLEAR whether " + event.text("kind") + " " + event.text("name") + " was made: " + error_text(event);
  if (kind == type::sending) return "sending for " + event.text("kind") + " " + event.text("name");
  if (kind == type::unanswered)
    return "a write of " + event.text("kind") + " " + event.text("name") +
           " was never answered: it may still take effect";
  if (kind == type::ended) return "giving back " + thing(event) + ": accepted";
  if (kind == type::released) return "given back " + thing(event);
  if (kind == type::kept) return "kept " + thing(event) + " until " + event.text("until");
  if (kind == type::lapsed) return "past its time: " + thing(event);
  if (kind == type::charges) return charges_line(event);
  if (kind == type::mark) return "mark " + event.text("name");
  if (kind == type::objective) {
    const bool* passed = event["passed"].get<bool>();
    return "objective " + event.text("name") + (passed != nullptr && *passed ? " met" : " MISSED") +
           (event["actual_s"].is_null()
                ? ": not measured"
                : ": " + seconds_text(event, "actual_s") + " of " + seconds_text(event, "wanted_s"));
  }
  if (kind == type::closing) return "closing: " + base::printable(event.text("why"), 400);
  if (kind == type::cleanup_started) return "cleanup of " + std::to_string(event.integer("attempted")) + " begins";
  if (kind == type::cleanup_failed) return "could not yet give back " + thing(event) + ": " + error_text(event);
  if (kind == type::cleanup_finished) {
    return "cleanup gave back " + std::to_string(event.integer("released")) + " of " +
           std::to_string(event.integer("attempted"));
  }
  if (kind == type::recovery)
    return "taken over by " + event.text("by") + " (process " + std::to_string(event.integer("pid")) + ")";
  if (kind == type::run_finished)
    return "run " + event.text("verdict") + ", exit code " + std::to_string(event.integer("exit_code"));
  return "";
}

void PlainConsole::on(const event::Event& event) {
  const std::string line = headline(event);
  if (!line.empty()) sink_(base::format_utc(event.at).substr(0, 23) + "Z " + line + "\n");
}

void JsonConsole::on(const event::Event& event) { sink_(event::to_line(event) + "\n"); }

// --- pretty ---

std::string PrettyConsole::paint(const std::string& text, const char* code) const {
  return options_.color ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}

std::string PrettyConsole::mark(const std::string& status) const {
  if (status == "passed") return paint(options_.unicode ? "✓" : "ok  ", "32");
  if (status == "skipped") return paint(options_.unicode ? "-" : "skip", "2");
  return paint(options_.unicode ? "✗" : "FAIL", "31");
}

void PrettyConsole::print(const std::string& line) {
  if (drawn_) sink_("\r\033[K");
  drawn_ = false;
  sink_(line + "\n");
}

void PrettyConsole::on(const event::Event& event) {
  const std::lock_guard lock(mutex_);
  folded_.on(event);
  if (event.type == type::run_started) {
    print(headline(event));
  } else if (event.type == type::step_started) {
    const std::string phase = event.text("phase");
    if (!phase.empty() && phase != phase_) {
      phase_ = phase;
      print("\n" + paint(phase, "1"));
    }
    if (!event.text("shape").empty()) return;
    running_ = event.text("id");
    waiting_.clear();
    began_ = event.at;
    limit_ = event.time("timeout_s");
    draw_running(event.at);
  } else if (event.type == type::step_progress && event.text("id") == running_) {
    waiting_ = event.text("text");
    draw_running(event.at);
  } else if (event.type == type::step_finished) {
    const base::Value* message = event["error"].find("message");
    print("  " + mark(event.text("status")) + " " + step_name(event) + "  " + seconds_text(event, "duration_s") +
          (message == nullptr ? "" : "\n      " + base::printable(message->display(), 600)));
    if (event.text("id") == running_) running_.clear();
  } else if (event.type == type::closing) {
    running_.clear();
    phase_ = "Cleanup";
    print("\n" + paint(phase_, "1"));
  } else if (event.type == type::step_retry || event.type == type::unclear || event.type == type::released ||
             event.type == type::kept || event.type == type::cleanup_failed || event.type == type::objective) {
    print("    " + headline(event));
  }
}

void PrettyConsole::tick(base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (!running_.empty()) draw_running(now);
}

void PrettyConsole::draw_running(base::WallTime now) {
  const auto& report = folded_.report();
  const auto step =
      std::find_if(report.steps.begin(), report.steps.end(), [&](const Step& one) { return one.id == running_; });
  if (step == report.steps.end()) return;
  const base::Duration elapsed = std::max<base::Duration>(now - began_, base::Duration(0));
  double spent = 0;
  for (const auto& one : report.resources) {
    if (one.usd_per_hour <= 0 || one.state == "refused") continue;
    const base::Duration until = one.until.value_or(now - report.started_at);
    spent += one.usd_per_hour * std::max(0.0, base::seconds(until - one.since)) / 3600 + Report::traffic_cost(one);
  }
  std::string line = std::string("  ") + (options_.unicode ? "…" : ".. ") + " " + running_ + " (" + step->uses + ")  " +
                     short_time(elapsed) + " of " + short_time(limit_) + "  " + short_money(spent);
  if (!waiting_.empty()) line += "  " + base::printable(waiting_, 200);
  sink_("\r\033[K" + clipped(line, static_cast<std::size_t>(std::max(20, options_.width - 1))));
  drawn_ = true;
}

}  // namespace failover::report
