// The folders of runs under $FAILOVER_HOME/runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/event/journal.h"

namespace failover::cli {

// Makes `folder` and tries to write in it. Error{invalid}: not writable; Error{no_space}: full.
base::Result<void> check_writable(const std::filesystem::path& folder);

// What is below a folder of runs.
struct RunsFound {
  std::vector<std::string> ids;  // of the folders that hold a journal, oldest first (the id sorts by time)
  // What could not be looked at: the folder itself, or one in it. A run that holds something may be there.
  std::vector<base::Error> unread;
};
// A folder that does not exist has no runs.
RunsFound find_runs(const std::filesystem::path& runs);
// Is it an error of RunsFound::unread?
bool is_unread(const base::Error& error);

// A run's id, a unique beginning or end of one, or `last`. Error{not_found} with what there is; one of
// RunsFound::unread when the run may be where that is.
base::Result<std::string> find_run(const std::filesystem::path& runs, const std::string& text);

// Does this journal leave something to do? Its run has no end, or holds something.
bool is_unfinished(const std::vector<event::Event>& events);
// What the run said of itself; an empty event when the journal ends before that.
event::Event beginning_of(const std::vector<event::Event>& events);

// Removes the oldest finished runs beyond `keep`. Unfinished, damaged and running ones stay.
void prune(const std::filesystem::path& runs, std::size_t keep);

}  // namespace failover::cli
