// Walks the steps of a plan: each with its condition, deadline, retries, assertions and marks; groups, branches,
// elements and fragments too. What happens is told as events.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "engine/run/frame.h"
#include "engine/run/lanes.h"
#include "engine/run/retries.h"
#include "engine/run/runner.h"
#include "engine/run/timing.h"

namespace failover::run {

class Walker {
 public:
  Walker(Shared& shared, const Options& options, base::Instant deadline)
      : shared_(shared), options_(options), deadline_(deadline), losses_wanted_(options.objectives.count("rpo") > 0) {}

  // Runs steps until one fails; its error. Outputs go into frame.values.
  std::optional<base::Error> steps(const std::vector<plan::Step>& steps, Frame& frame);
  // Runs every step, whatever became of the others; the first error, with the later ones in its trail. Behind an error
  // a second stop, or the end of the time, ends it.
  std::optional<base::Error> all_steps(const std::vector<plan::Step>& steps, Frame& frame);
  // Ends what lost a race and is still winding down. Before the cleanup.
  void end_stragglers() { stragglers_.clear(); }
  // Until when what runs because the journey has ended may take: the rest of the purse's time is for the giving back.
  [[nodiscard]] base::Instant last_words_end() const {
    return deadline_ + plan::Limits::cleanup_margin - std::chrono::seconds(30);
  }
  // `rto`, `rpo`, `mttd`; nullopt: the journey did not get there.
  [[nodiscard]] std::optional<base::Duration> measured(const std::string& objective) const {
    return run::measured(objective, marks_, losses_);
  }

 private:
  struct Tried {
    base::Value outputs;
    std::optional<base::Error> error;
    std::optional<base::Error> proof;  // how a counter-proof failed, as it must
    base::Value::List assertions;
    int attempts = 0;
  };

  base::Crew& crew() { return options_.crew != nullptr ? *options_.crew : threads_; }
  static void invert(Tried& tried);
  void emit(const char* kind, base::Value::Map data, bool durable = false);
  // With the evidence that `on_failure` gathers.
  std::optional<base::Error> one(const plan::Step& step, Frame& frame);
  std::optional<base::Error> visit(const plan::Step& step, Frame& frame);
  std::optional<base::Error> once(const plan::Step& step, const std::string& id, Frame& frame, base::Value& outputs);
  std::optional<base::Error> each(const plan::Step& step, const std::string& id, Frame& frame, base::Value& outputs);
  std::optional<bool> wanted(const plan::Step& step, const Frame& frame, std::optional<base::Error>& error) const;

  Tried attempt(const plan::Step& step, const std::string& id, Frame& frame, const base::Patience& patience);
  base::Result<base::Value> round(const plan::Step& step, const std::string& id, Frame& frame,
                                  const base::Patience& patience);
  base::Result<base::Value> call(const plan::Step& step, const std::string& id, Frame& frame,
                                 const base::Patience& patience);
  base::Result<base::Value> group(const plan::Step& step, Frame& frame, const base::Patience& patience);
  base::Result<base::Value> composite(const plan::Step& step, const std::string& id, Frame& frame,
                                      const base::Patience& patience);
  base::Result<base::Value> branches(const plan::Step& step, Frame& frame, const base::Patience& patience);
  void give_back(const plan::Branch& branch, const std::string& prefix);

  // The journey ends before its end: by a request, or because the money has run out.
  [[nodiscard]] bool interrupted() const { return options_.stop.stop_requested() || shared_.broke; }
  [[nodiscard]] bool broke() const { return shared_.broke && !options_.stop.stop_requested(); }
  [[nodiscard]] base::Patience patience(const Frame& frame, base::Duration timeout) const;
  [[nodiscard]] base::Duration timeout_of(const plan::Step& step, const Frame& frame) const;
  [[nodiscard]] base::Error late(base::Error error) const;
  static void judged(const plan::Step& step, const expr::Values& values, Tried& tried);
  bool dangling(const plan::Step& step, const std::string& id) const;
  expr::Values with_outputs(const Frame& frame, const base::Value& outputs) const;
  void keep(const plan::Step& step, const std::string& id, const Frame& frame);
  void mark(const plan::Step& step, const std::string& id);
  void mark(scenario::Mark mark, const std::string& id);
  void started(const plan::Step& step, const std::string& id, const char* shape, base::Duration timeout);
  void finished(const plan::Step& step, const std::string& id, const char* shape, const char* status,
                const Tried& tried, base::Instant began);

  Shared& shared_;
  const Options& options_;
  const base::Instant deadline_;
  base::Threads threads_;
  Marks marks_;
  Losses losses_{marks_};
  const bool losses_wanted_;  // nothing else asks for them
  std::mutex stragglers_mutex_;
  std::list<std::unique_ptr<Lanes>> stragglers_;
};

}  // namespace failover::run
