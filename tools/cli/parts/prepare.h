// From a name on the command line to a plan that may run: found, read, checked, inputs and limits resolved.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"
#include "tools/cli/parts/catalogue.h"

namespace failover::cli {

// What its steps look for on this machine: not asked, said when it is missing, or needed.
enum class OnDisk { unasked, told, needed };

struct Wish {
  std::string name;  // or a file
  std::vector<std::pair<std::string, std::string>> inputs;
  std::optional<base::Money> limit_cost{};  // lowers the scenario's own
  OnDisk on_disk = OnDisk::unasked;
};

struct Prepared {
  Loaded loaded;
  plan::Plan plan;  // bound to `registry` below
  base::Value::Map inputs;
  plan::Limits limits;
  std::map<std::string, base::Duration> objectives;
  plan::Past past{};  // none until somebody reads it

  [[nodiscard]] const scenario::Scenario& scenario() const { return *loaded.scenario; }
  [[nodiscard]] std::vector<std::string> declared_variables() const;
  [[nodiscard]] std::vector<std::string> secret_variables() const;
  // Declared ones and those that the providers of its steps need.
  [[nodiscard]] std::vector<std::string> all_variables() const;
  // Does a step of this type run?
  [[nodiscard]] bool uses(std::string_view step_type) const;
};

// What is wrong is said on stderr; then nullopt, and the exit code is 2.
std::optional<Prepared> prepare(const Wish& wish, const plugin::Registry& registry, const Environment& environment);
// `name=value`; Error{invalid} for anything else.
base::Result<std::pair<std::string, std::string>> parse_assignment(const std::string& text);

}  // namespace failover::cli
