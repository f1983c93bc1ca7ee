// The program's own log (spdlog): for its developers; reports and consoles never come from it.
#pragma once

#include <string>

#include "engine/base/error.h"
#include "engine/event/event.h"

namespace failover::cli {

// `file` empty: stderr. Error{invalid}: the file cannot be opened.
base::Result<void> begin_log(const std::string& level, const std::string& file);

// Every event of a run, redacted as the journal has it: calls at debug, all else at info.
class EventLog final : public event::Subscriber {
 public:
  void on(const event::Event& event) override;
};

}  // namespace failover::cli
