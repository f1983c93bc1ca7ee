// The folder of runs: what may be removed of it, and what not.
#include "tools/cli/parts/runs.h"

#include "engine/base/file.h"
#include "engine/base/secret.h"
#include "engine/event/journal.h"
#include "tests/cli/program.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

// A run of two records, or of the first of them.
void write_run(const fs::path& folder, bool finished) {
  base::SystemClock clock;
  const base::Redactor redactor;
  event::Stream stream(clock, redactor);
  auto journal = event::Journal::create(folder);
  REQUIRE(journal.ok());
  stream.attach(journal->get());
  REQUIRE(stream.emit(event::type::run_started, {{"run_id", folder.filename().string()}}, true).ok());
  if (finished) REQUIRE(stream.emit(event::type::run_finished, {{"verdict", "passed"}, {"exit_code", 0}}, true).ok());
}

}  // namespace

TEST_CASE("the oldest finished runs go; what is unfinished, damaged or being written stays") {
  const testing::Folder place;
  const fs::path& runs = place.path();
  for (const char* id : {"20260101T000000Z-aaaaaaaaaa", "20260102T000000Z-bbbbbbbbbb", "20260103T000000Z-cccccccccc",
                         "20260104T000000Z-dddddddddd", "20260105T000000Z-eeeeeeeeee"}) {
    write_run(runs / id, std::string(id).find('c') == std::string::npos);
  }
  {
    auto text = base::read_file(runs / "20260104T000000Z-dddddddddd" / "journal.jsonl", 1 << 20);
    REQUIRE(text.ok());
    text->insert(text->find("run_started"), "x");
    REQUIRE(base::write_file(runs / "20260104T000000Z-dddddddddd" / "journal.jsonl", *text, 0600).ok());
  }
  {
    // Somebody asks for a finished run's charges just now.
    const auto writer = event::Journal::reopen(runs / "20260102T000000Z-bbbbbbbbbb");
    REQUIRE(writer.ok());
    cli::prune(runs, 1);
    CHECK(cli::find_runs(runs).ids ==
          std::vector<std::string>{"20260102T000000Z-bbbbbbbbbb", "20260103T000000Z-cccccccccc",
                                   "20260104T000000Z-dddddddddd", "20260105T000000Z-eeeeeeeeee"});
  }
  cli::prune(runs, 0);
  CHECK(cli::find_runs(runs).ids ==
        std::vector<std::string>{"20260103T000000Z-cccccccccc", "20260104T000000Z-dddddddddd"});
}
