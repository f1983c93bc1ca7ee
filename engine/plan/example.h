// The examples of diagnostics, validated: what `failover explain` shows and the tests re-run.
#pragma once

#include "engine/plugin/registry.h"
#include "engine/source/rules.h"

namespace failover::plan {

// All that validation finds in an example of `rule`, as in a file of its own.
source::Diagnostics findings(const source::Rule& rule, const source::Example& example,
                             const plugin::Registry& registry);

}  // namespace failover::plan
