// What `failover doctor` asks of the providers beside the steps' own questions.
#pragma once

#include <chrono>
#include <optional>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/plugin/context.h"
#include "steps/client/services.h"

namespace failover::cli {

// How far B2's clock is from ours, either way: signatures are refused beyond 15 minutes (b2-s3-api.md 3). nullopt: it
// did not say its time. Error: Http::send()'s.
base::Result<std::optional<std::chrono::seconds>> clock_off(const client::Services& services,
                                                            const plugin::Context& context, base::Clock& clock);

}  // namespace failover::cli
