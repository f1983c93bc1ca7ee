// A kind of resource that a provider's account holds, declared once: how it is found, ended and charged for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/plugin/context.h"

namespace failover::plugin {

// What an account holds of one kind. A thing's `name` is the remote's label as it stands there, `id` is set.
struct Found {
  std::vector<Held> things;
  std::optional<base::WallTime> now;  // by the remote's clock, when it said so
};

// What a provider's books say of a thing so far. A credit is negative.
struct Charge {
  std::string id;
  base::Money amount{};
  base::Money compute{};  // what the amount consists of, as far as the provider says
  base::Money storage{};
  base::Money traffic{};
};

// How a kind of resource is given back. Works from another process with nothing but a Held.
struct Kind {
  std::string name;  // `vast.instance`
  std::string summary;
  bool keepable = false;     // may a scenario `keep` it past the run?
  base::Duration settle{0};  // how long after sending an unclear create may still take effect
  // After which `find` shows what was made, when a create that was refused was done all the same: a request may arrive
  // twice, and its no be the second one's. 0: a no is the last word.
  base::Duration shows{0};
  // Ends the thing and proves that it is gone (leak-safety.md, rule 4). Finding nothing is success for this look; for
  // an unclear thing the engine looks again until the settle window has passed. Any Error: not proven, will be tried
  // again.
  std::function<base::Result<void>(const Held& held, const Context& context)> undo;
  // Optional: one call that asks for the end of all of these at once, before the orderly undo; best effort. May be
  // called while steps of the same run still wait for answers.
  std::function<void(const std::vector<Held>& held, const Context& context)> hurry;
  // Optional: all things of this kind in the account, ours or not. Complete, or an Error.
  std::function<base::Result<Found>(const Context& context)> find;
  // Optional: what the provider's books say of these, read-only. What they do not list (yet) is left out; complete
  // beside that, or an Error.
  std::function<base::Result<std::vector<Charge>>(const std::vector<Held>& held, const Context& context)> charges;
  // Optional: the shell command with which a person ends the thing without this program, or where to look for it when
  // it has no id. Names variables where a secret belongs.
  std::function<std::string(const Held& held)> by_hand;
  // Optional: what ends the thing at the run's deadline when nobody else does, in words: the last wall.
  std::string timer;
};

}  // namespace failover::plugin
