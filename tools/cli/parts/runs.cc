#include "tools/cli/parts/runs.h"

#include <unistd.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/run/ledger.h"

namespace failover::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kJournal = "journal.jsonl";
constexpr const char* kUnread = "runs_unread";

base::Error cannot_look(const fs::path& place, const std::error_code& error) {
  base::Error out = base::system_error(error.value(), "look for runs in", place);
  out.code = kUnread;
  const bool forbidden = error == std::errc::permission_denied || error == std::errc::operation_not_permitted;
  out.hint =
      std::string(forbidden ? "run this as the user whose runs they are" : "make it a folder that can be read") +
      "; what runs there may hold is unknown till then, and `failover cleanup --expired` gives back what is past "
      "its deadline";
  return out;
}

}  // namespace

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

RunsFound find_runs(const fs::path& runs) {
  RunsFound out;
  std::error_code error;
  fs::directory_iterator entry(runs, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code failed;
    const fs::path& folder = entry->path();
    // False without an error also for what is a file where a run would be a folder.
    if (fs::exists(folder / kJournal, failed)) out.ids.push_back(folder.filename().string());
    if (failed) out.unread.push_back(cannot_look(folder, failed));
  }
  if (error && error != std::errc::no_such_file_or_directory) out.unread.push_back(cannot_look(runs, error));
  std::sort(out.ids.begin(), out.ids.end());
  return out;
}

bool is_unread(const base::Error& error) { return error.code == kUnread; }

base::Result<std::string> find_run(const fs::path& runs, const std::string& text) {
  const auto [ids, unread] = find_runs(runs);
  if (std::find(ids.begin(), ids.end(), text) != ids.end()) return text;
  if (!unread.empty()) return unread.front();
  if (text == "last" && !ids.empty()) return ids.back();
  std::vector<std::string> matching;
  for (const auto& id : ids) {
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

namespace {

// Something outside of this process that only this journal still names.
bool keeps(const std::vector<event::Event>& events) {
  run::Ledger ledger;
  for (const auto& event : events) ledger.on(event);
  return beginning_of(events).text("target") != "sandbox" && !ledger.kept().empty();
}

}  // namespace

void prune(const fs::path& runs, std::size_t keep) {
  const auto ids = find_runs(runs).ids;
  for (std::size_t i = 0; i + keep < ids.size(); ++i) {
    const auto reading = event::read_journal(runs / ids[i]);
    if (!reading || reading->locked || is_unfinished(reading->events)) continue;
    // Its lock is kept meanwhile: nobody else goes on with it, `report --charges` say, and what was read still holds.
    const auto journal = event::Journal::reopen(runs / ids[i]);
    if (!journal || is_unfinished((*journal)->past()) || keeps((*journal)->past())) continue;
    std::error_code ignored;
    fs::remove_all(runs / ids[i], ignored);
  }
}

}  // namespace failover::cli
