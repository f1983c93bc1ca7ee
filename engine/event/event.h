// What happened, in order: the spine of a run. The journal is the first subscriber and the only truth; reports, the
// history, the cleanup and the cost are folds over these events, live or read back.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace failover::event {

// The types and their data (`?` may be absent). `_s` seconds, `_usd` US dollars; the data holds plain JSON kinds only.
namespace type {
// run_id scenario description source digest target endpoints{vast,b2} account version pid inputs{} boot up_s
// limits{cost_usd,duration_s} objectives{rto_s?,rpo_s?,mttd_s?}
// estimate{best_usd,expected_usd,worst_usd,best_s,expected_s,worst_s,history_runs} view deadline
// steps[{id,uses,name,phase,section}] quick?(true: the preflight alone)
inline constexpr const char* run_started = "run_started";
// id uses name phase section(preflight|steps|on_failure|finally) timeout_s?
// shape?(group|branches|composite|foreach): it tells of other steps, which have records of their own
inline constexpr const char* step_started = "step_started";
// id text: what it waits for
inline constexpr const char* step_progress = "step_progress";
// id attempt(the one that failed) delay_s error{fault,code,message,hint}
inline constexpr const char* step_retry = "step_retry";
// id uses name phase section shape? status(passed|failed|skipped|cancelled) attempts duration_s outputs{} marks[]
// assertions[{expression,passed,message,values[{text,value}]}] error?{fault,code,message,hint} proof?{of must_fail}
inline constexpr const char* step_finished = "step_finished";
// step? peer method target status took_s outcome
inline constexpr const char* exchange = "exchange";
// name kind what per_hour_usd per_gb_up_usd? per_gb_down_usd? step attributes{} deadline; durable before anything is
// sent
inline constexpr const char* intent = "intent";
// name kind: a write that makes it goes out; durable before it is sent (where the intent does not stand for it)
inline constexpr const char* sending = "sending";
inline constexpr const char* unanswered = "unanswered";  // name kind: the last of them was never answered
inline constexpr const char* made = "made";              // name kind id attributes{}
inline constexpr const char* refused = "refused";        // name kind certain? error{} (or why)
inline constexpr const char* unclear = "unclear";        // name kind error{}
// name kind id: billing stops; absence not proven yet. Once more when a later look still showed it: it was billed till
// then
inline constexpr const char* ended = "ended";
inline constexpr const char* released = "released";  // name kind id: proven gone
inline constexpr const char* kept = "kept";          // name kind id until
inline constexpr const char* lapsed = "lapsed";      // name kind id: `until` has passed; to be given back from now on
// name kind id per_hour_usd: its price turned out to be higher than the intent's, from its beginning on
inline constexpr const char* priced = "priced";
// name kind id up_bytes down_bytes: since the last of this thing
inline constexpr const char* traffic = "traffic";
// kind asked lines[{name,id,usd,compute_usd,storage_usd,traffic_usd}] error?{}: the provider's books, read now; what is
// not among the lines is not listed (yet). May follow run_finished
inline constexpr const char* charges = "charges";
// name(failure|detected|degraded|recovered) step
inline constexpr const char* mark = "mark";
// name(rto|rpo|mttd|...) wanted_s actual_s? passed
inline constexpr const char* objective = "objective";
inline constexpr const char* closing = "closing";                  // why
inline constexpr const char* cleanup_started = "cleanup_started";  // attempted
inline constexpr const char* cleanup_failed = "cleanup_failed";    // name kind id? error{} (will be tried again)
inline constexpr const char* cleanup_finished =
    "cleanup_finished";  // attempted released left[{kind,name,id,why}] duration_s
// by(start|cleanup|reaper) pid: another process takes the journal over, after the run's own died or gave up
inline constexpr const char* recovery = "recovery";
// verdict(passed|failed|error|interrupted) exit_code error?{...,step?} proof?{of must_fail}
inline constexpr const char* run_finished = "run_finished";
}  // namespace type

struct Event {
  std::uint64_t seq = 0;          // from 1, without gaps
  base::WallTime at{};            // wall clock, UTC
  base::Duration since_start{0};  // monotonic, since the run's start; a recovery continues from the last record's
  std::string type;
  base::Value data;  // a map

  // The member of data, or null.
  [[nodiscard]] const base::Value& operator[](std::string_view name) const;
  // Its text, or empty; its number, or 0.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  // The nearest whole number, and the nearest time that `_s` seconds are: kept within what an int and a century hold,
  // since a journal may say anything.
  [[nodiscard]] int integer(std::string_view name) const;
  [[nodiscard]] base::Duration time(std::string_view name) const;
};

class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void on(const Event& event) = 0;
};

// An error as events carry it: {fault, code, message, hint}; the trail is part of the message.
base::Value describe(const base::Error& error);

// One journal line without the newline, and back. The line ends in a checksum of what precedes it.
std::string to_line(const Event& event);
// Error{corrupt}: not a whole, unaltered record.
base::Result<Event> from_line(std::string_view line);

}  // namespace failover::event
