#include "tools/cli/parts/runs.h"

#include <unistd.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/run/ledger.h"

namespace failover::cli {
namespace fs = std::filesystem;

base::Result<void> check_writable(const fs::path& folder) {
  auto made = base::make_directories(folder);
  if (made) {
    const fs::path probe = folder / (".probe-" + std::to_string(::getpid()));
    // As much as a journal's first records take: a full disk shows here, before anything is rented.
    made = base::write_file(probe, std::string(64 << 10, 'p'), 0600);
    std::error_code ignored;
    fs::remove(probe, ignored);
  }
  if (made) return {};
  base::Error error = std::move(made).error();
  error.hint = error.fault == base::Fault::no_space ? "free some space there, or set FAILOVER_HOME to another place"
                                                    : "set FAILOVER_HOME to a directory that you may write to";
  return error;
}

std::vector<std::string> run_ids(const fs::path& runs) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    std::error_code ignored;
    if (fs::exists(entry.path() / "journal.jsonl", ignored)) out.push_back(entry.path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

base::Result<std::string> find_run(const fs::path& runs, const std::string& text) {
  const auto ids = run_ids(runs);
  if (text == "last" && !ids.empty()) return ids.back();
  std::vector<std::string> matching;
  for (const auto& id : ids) {
    if (id == text) return id;
    const bool begins = id.compare(0, text.size(), text) == 0;
    const bool ends = id.size() >= text.size() && id.compare(id.size() - text.size(), text.size(), text) == 0;
    if (!text.empty() && (begins || ends)) matching.push_back(id);
  }
  if (matching.size() == 1) return matching.front();
  const std::string shown = base::printable(text, 80);
  if (matching.size() > 1) {
    return base::Error{base::Fault::invalid, "ambiguous_run",
                       "`" + shown + "` fits " + std::to_string(matching.size()) + " runs",
                       "give more of the id: " + base::join(matching)};
  }
  const std::string there = ids.empty() ? "there are no runs" : "the latest is " + ids.back();
  return base::Error{base::Fault::not_found, "no_such_run", "no run `" + shown + "` below " + runs.string(), there};
}

bool is_unfinished(const std::vector<event::Event>& events) {
  if (events.empty()) return false;  // it ended before it had begun
  run::Ledger ledger;
  bool ended = false;
  for (const auto& event : events) {
    ledger.on(event);
    ended = ended || event.type == event::type::run_finished;
  }
  return !ended || !ledger.open().empty();
}

event::Event beginning_of(const std::vector<event::Event>& events) {
  if (events.empty() || events.front().type != event::type::run_started) return {};
  return events.front();
}

void prune(const fs::path& runs, std::size_t keep) {
  const auto ids = run_ids(runs);
  for (std::size_t i = 0; i + keep < ids.size(); ++i) {
    const auto reading = event::read_journal(runs / ids[i]);
    if (!reading || reading->locked || is_unfinished(reading->events)) continue;
    std::error_code ignored;
    fs::remove_all(runs / ids[i], ignored);
  }
}

}  // namespace failover::cli
