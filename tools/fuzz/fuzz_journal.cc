// Any bytes as a journal, and any JSON as the data of records that are whole: read, folded into the ledger and the
// report. Recovery never crashes, sums never become absurd, and a prefix of a journal is a journal.
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/event/journal.h"
#include "engine/report/report.h"
#include "engine/report/text.h"
#include "engine/run/ledger.h"
#include "tools/fuzz/property.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using fuzz::hold;

void fold(const std::vector<event::Event>& events) {
  run::Ledger ledger;
  report::Folder folder;
  for (const auto& event : events) {
    ledger.on(event);
    folder.on(event);
  }
  const auto all = ledger.entries();
  const auto open = ledger.open();
  hold(open.size() <= all.size(), "what is open was intended");
  for (const auto& entry : open) hold(ledger.find(entry.held.name).has_value(), "what is open is found by its name");
  const auto now = events.empty() ? base::Duration(0) : events.back().since_start;
  hold(ledger.spent(now, [](const std::string&) { return std::chrono::seconds(700); }).micros >= 0 &&
           ledger.committed(now, now + std::chrono::hours(1),
                            [](const std::string&) { return std::chrono::seconds(700); })
                   .micros >= 0,
       "money is not negative");
  (void)report::to_json(folder.report()).dump();
  hold(report::text(folder.report(), {}).ends_with("\n"), "there is a report");
}

// As the file of a run.
void whole(std::string_view text) {
  const auto records = event::parse_records(text, "fuzz");
  if (!records) {
    hold(records.error().fault == base::Fault::corrupt, "damage is called damage");
    return;
  }
  hold(records->whole <= text.size() && records->torn == (records->whole < text.size()), "a tail is torn or not there");
  const auto again = event::parse_records(text.substr(0, records->whole), "fuzz");
  hold(again && !again->torn && again->events.size() == records->events.size(), "a cut tail leaves a whole journal");
  fold(records->events);
}

// Each line is the type and data of a record: `made {"name": "x"}`.
void told(const std::string& text) {
  std::vector<event::Event> events;
  std::string lines;
  std::size_t at = 0;
  while (at < text.size() && events.size() < 200) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const std::size_t gap = line.find(' ');
    if (gap == std::string::npos) continue;
    const auto json = nlohmann::json::parse(line.substr(gap + 1), nullptr, false);
    if (!json.is_object()) continue;
    event::Event event;
    event.seq = events.size() + 1;
    event.at = base::WallTime(std::chrono::seconds(1'700'000'000 + 3 * static_cast<std::int64_t>(event.seq)));
    event.since_start = std::chrono::seconds(3 * event.seq);
    event.type = line.substr(0, gap);
    event.data = base::from_json(json);
    lines += event::to_line(event) + "\n";
    events.push_back(std::move(event));
  }
  fold(events);
  const auto read = event::parse_records(lines, "fuzz");
  hold(read && !read->torn && read->events.size() == events.size(), "what is written can be read");
  for (std::size_t i = 0; i < events.size(); ++i) {
    hold(event::to_line(read->events[i]) == event::to_line(events[i]), "a record reads as it was written");
  }
  if (lines.size() < 2) return;
  const auto torn = event::parse_records(std::string_view(lines).substr(0, lines.size() - 2), "fuzz");
  hold(torn && torn->torn && torn->events.size() + 1 == events.size(), "a torn record is cut, no other");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  whole(text);
  told(text);
  return 0;
}
