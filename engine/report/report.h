// What a run was, as a fold over its events: the same from the living stream and from a journal read back.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/event/event.h"
#include "engine/report/promises.h"

namespace failover::report {

struct Phase {
  std::string name;
  base::Duration begin{0};  // since the run's start
  base::Duration end{0};
};

struct Trouble {
  std::string code;
  std::string message;
  std::string hint;
};

struct Step {
  std::string id;
  std::string uses;
  std::string name;
  std::string phase;
  std::string section;
  std::string shape;               // group, branches, composite, foreach: it tells of other steps; empty: a call
  std::string status = "running";  // passed, failed, skipped, cancelled; running: its end was never told
  int attempts = 0;
  base::Duration begin{0};
  base::Duration end{0};
  base::Value outputs;     // a map
  base::Value assertions;  // a list
  std::optional<Trouble> error;
};

struct File {
  std::string path;
  std::int64_t size = 0;
  std::string md5;
  std::string mode;
  std::string mtime;
  bool ok = false;      // seen again byte for byte, with its mode and time; where files were lost, since then
  bool intact = false;  // its bytes at least
  std::string proof;  // what says so of its bytes: `challenge`, the machine had to show them; `claim`, its word alone;
                      // empty: never compared
  bool created = false;  // by the drill, which gives a name once
  std::string whole;     // its absolute path where its manifest was made; empty: the journal does not tell
  std::string origin;    // the step whose manifest it was last compared with; empty: the journal does not tell
};

struct Resource {
  std::string kind;
  std::string name;  // ours, its label
  std::string id;    // the provider's; empty when no answer told it
  std::string what;
  std::string step;
  std::string state;  // intended, made, unclear, ended, released, kept, refused
  double usd_per_hour = 0;
  double usd_per_gb_up = 0;
  double usd_per_gb_down = 0;
  double up_bytes = 0;  // that left it, and that reached it
  double down_bytes = 0;
  base::WallTime created_at{};
  std::optional<base::WallTime> released_at;
  base::Duration since{0};              // its intent, since the run's start: billing counts from here
  std::optional<base::Duration> until;  // when billing stopped
  base::Value attributes;
  bool unanswered = false;  // a write of it was never answered: a later no does not say that nothing is there
  bool denied = false;      // its creation was answered with a no, and nothing has shown it since
};

// What was said beforehand.
struct Estimate {
  double best_usd = 0;
  double expected_usd = 0;
  double worst_usd = 0;
  double best_s = 0;  // the journey's, without giving back
  double expected_s = 0;
  double worst_s = 0;
  int history_runs = 0;  // past runs behind it; 0: stated figures
};

// Where reality fell in an interval.
struct Fell {
  enum class Where { below, inside, above };
  Where where = Where::inside;
  std::optional<double> ratio;  // actual / expected; nullopt when nothing was expected
};
Fell fell(double actual, double best, double expected, double worst);
std::string_view to_string(Fell::Where where);

// The providers' books beside our own count, as they were last read.
struct Charges {
  struct Line {
    std::string name;
    std::string id;
    double usd = 0;
    double compute_usd = 0;  // what it consists of, as far as the provider says
    double storage_usd = 0;
    double traffic_usd = 0;
  };
  base::WallTime read_at{};
  int asked = 0;            // things that were rented
  std::vector<Line> lines;  // the rest is not listed yet
  std::string error;        // why they could not be read; empty: they were
  [[nodiscard]] double usd() const;
};

struct Cleanup {
  int attempted = 0;
  int released = 0;
  base::Duration took{0};
};

struct Report {
  std::string run_id;
  std::string scenario;
  std::string description;
  std::string target;
  std::string view;
  std::string source;
  std::string version;
  bool quick = false;                   // the preflight alone was asked for
  std::string verdict = "interrupted";  // until the run says otherwise
  int exit_code = 130;
  base::WallTime started_at{};
  base::Duration duration{0};
  std::optional<base::Duration> closed;  // when the journey was over and giving back began
  bool finished = false;
  std::optional<Trouble> error;
  std::optional<Trouble> proof;  // of a counter-proof: how it failed, as it must
  std::vector<Phase> phases;
  std::vector<Step> steps;  // in the order of their starts
  std::vector<File> files;
  std::vector<Resource> resources;  // in the order of their intents; refused ones are left out of the reports
  std::map<std::string, base::Duration> marks;
  std::map<std::string, base::Duration> objectives;  // measured
  std::map<std::string, base::Duration> wanted;      // what was asked for
  std::vector<std::string> missed;                   // objectives
  Estimate estimate;
  double limit_usd = 0;
  std::vector<base::Value> leftovers;  // {kind, name, id, why}
  Cleanup cleanup;
  std::map<std::string, Charges> charges;  // by kind; those that were ever asked for
  Promises promises;

  // What a resource cost, up to now when it is still billed: whole millionths, rounded up.
  [[nodiscard]] base::Duration billed(const Resource& resource) const;
  [[nodiscard]] static double traffic_cost(const Resource& resource);
  [[nodiscard]] double cost(const Resource& resource) const;
  [[nodiscard]] double total_cost() const;
  [[nodiscard]] base::Duration journey_time() const { return closed.value_or(duration); }
  // It passed, and not as a preflight alone.
  [[nodiscard]] bool whole() const;
  // nullopt when the run said no estimate.
  [[nodiscard]] std::optional<Fell> time_fell() const;
  [[nodiscard]] std::optional<Fell> cost_fell() const;
  [[nodiscard]] int files_verified() const;
  // Those of which the machine had to show the bytes.
  [[nodiscard]] int files_shown() const;
  // Seconds of all finished steps of a type; nullopt when there was none.
  [[nodiscard]] std::optional<double> seconds_of(std::string_view uses) const;
  // From the start of the step marked `failure` to the end of the last restore; nullopt without both.
  [[nodiscard]] std::optional<double> failover_seconds() const;
  [[nodiscard]] const Step* first(std::string_view uses) const;
  // The step that found a machine ready: by the instance's own output or by what its input was.
  [[nodiscard]] const Step* ready_step(const Resource& resource) const;
  // What a rented machine can end itself with at the run's deadline (the last wall): `curl`, `python3`, `wget`, or
  // `none`: that wall does not stand there. nullopt: nobody came to look.
  [[nodiscard]] std::optional<std::string> timer(const Resource& resource) const;
};

// Not thread-safe: the stream calls it one event at a time.
// Of a resource: may there be something to give back?
bool is_open(const std::string& state);

class Folder final : public event::Subscriber {
 public:
  void on(const event::Event& event) override;
  [[nodiscard]] const Report& report() const { return report_; }

 private:
  void begin(const event::Event& event);
  void step(const event::Event& event, bool finished);
  void phase(const Step& step, base::Duration at);
  void resource(const event::Event& event);
  void charges(const event::Event& event);
  void cleanup(const event::Event& event);
  void files_created(const base::Value& outputs);
  void files_verified(const base::Value& outputs);
  void files_lost(const std::string& step);
  void end(const event::Event& event);
  [[nodiscard]] bool settled() const;
  Report report_;
  bool retold_ = false;              // a cleanup after the run's end
  bool lapsed_ = false;              // what was kept is past its time
  std::set<std::string> overtaken_;  // steps that were under way when the failure began
};

// report.json (command-line.md). Money in USD with six decimals, times RFC 3339, `_s` seconds with milliseconds.
nlohmann::ordered_json to_json(const Report& report);

}  // namespace failover::report
