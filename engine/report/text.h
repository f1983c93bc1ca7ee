// The report that a person reads at the end of a run.
#pragma once

#include <string>

#include "engine/report/report.h"

namespace failover::report {

struct Look {
  bool color = false;
  bool unicode = false;
};

// Ends in a newline. Everything a drill must show: phases, machines, cost, files, snapshot, objectives, cleanup.
std::string text(const Report& report, Look look);

// `1.25s`, `2m03s`.
std::string short_time(base::Duration time);
// `$0.000123` with as many decimals as a cent's part needs.
std::string short_money(double usd);

}  // namespace failover::report
