// The steps and the plan of a thread's journeys, made once: making them anew took a fifth of each journey. The clients
// behind the steps are those of the life that is being played.
#pragma once

#include "engine/plan/plan.h"
#include "engine/plugin/registry.h"
#include "steps/client/services.h"
#include "tools/simulate/journey.h"

namespace failover::simulate {

// One thread's: a life's clients replace the ones before them.
class Cast {
 public:
  static constexpr const char* kVastUrl = "http://127.0.0.1:1";
  static constexpr const char* kB2Url = "http://127.0.0.1:2";

  // `play` must outlive it. `number`: of the thread.
  explicit Cast(const Play& play, unsigned number = 0);
  ~Cast();
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;

  [[nodiscard]] const Play& play() const { return play_; }
  // What Play::folder is in this thread's journeys; it goes with the cast, and what deaths left in it.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const plugin::Registry& registry() const { return registry_; }
  [[nodiscard]] const plan::Plan& plan() const { return plan_; }
  [[nodiscard]] const client::Services& services() const { return services_; }
  // A life begins: from now on the steps use these.
  void enter(client::Services clients) { services_ = std::move(clients); }

 private:
  const Play& play_;
  std::string folder_;
  client::Services services_;
  plugin::Registry registry_;
  plan::Plan plan_;
};

// The same as journey(play, script, trace).
Result journey(Cast& cast, const Script& script, const std::function<void(const std::string&)>& trace = {});

}  // namespace failover::simulate
