// (fault, caller) that a campaign of a scenario has to reach: what it never met, it has not proven.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"
#include "tools/simulate/journey.h"

namespace failover::simulate {

// Why no journey of this plan can meet a fault of world_faults(), by the step types that it has; nullopt: each campaign
// of it has to. Never by what the program does: a fault that nobody meets any more is to be noticed.
std::optional<std::string> out_of_reach(const plan::Plan& plan, std::string_view fault);

// The faults of calls, each with each step type that calls; and the world's, all but those out of reach and what a
// journey of its own meets all the same.
std::vector<std::pair<std::string, std::string>> reachable_cells(const Play& play);

}  // namespace failover::simulate
