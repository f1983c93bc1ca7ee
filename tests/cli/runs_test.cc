// The folder of runs: what may be removed of it, and what not. What is played of several journeys.
#include "tools/cli/parts/runs.h"

#include <atomic>
#include <stop_token>

#include "engine/base/file.h"
#include "engine/base/secret.h"
#include "engine/event/journal.h"
#include "tests/cli/program.h"
#include "tests/client/fake_host.h"
#include "tools/cli/parts/doctor.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/rota.h"
#include "tools/cli/parts/stage.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;
using namespace std::chrono_literals;

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

// Says what it was asked, and a time.
class Dated final : public client::Http {
 public:
  Dated(std::string* asked, std::string date) : asked_(asked), date_(std::move(date)) {}
  base::Result<client::HttpResponse> send(const client::HttpRequest& request, const plugin::Context&) override {
    *asked_ = request.url;
    client::HttpResponse answer;
    answer.status = 403;
    if (!date_.empty()) answer.headers.emplace_back("date", date_);
    return answer;
  }

 private:
  std::string* asked_;
  std::string date_;
};

}  // namespace

TEST_CASE("doctor asks B2's clock at the endpoint as the client sees it, also when it is a bare host") {
  for (const char* written : {"s3.us-west-004.backblazeb2.com", "https://s3.us-west-004.backblazeb2.com",
                              "https://s3.us-west-004.backblazeb2.com/"}) {
    CAPTURE(written);
    auto company = cli::hire({{"B2_ENDPOINT", written}}, {});
    REQUIRE(company.ok());
    base::FakeClock clock(base::WallTime(1'800'000'000s));
    testing::FakeHost host;
    const plugin::Context context(host, base::Patience(clock, clock.now() + 1min, {}));
    std::string asked;
    const auto off = [&](const std::string& date) {
      company->services->b2_http = std::make_unique<Dated>(&asked, date);
      return *cli::clock_off(*company->services, context, clock);
    };
    CHECK(off("Fri, 15 Jan 2027 08:00:30 GMT") == 30s);
    CHECK(off("Fri, 15 Jan 2027 07:59:00 GMT") == 60s);
    CHECK_FALSE(off("").has_value());
    CHECK(asked == "https://s3.us-west-004.backblazeb2.com/");
  }
}

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

TEST_CASE("journeys in turn: the worst code of all, and what a stop kept from its turn is named") {
  using Names = std::vector<std::string>;
  struct Row {
    Names names;
    int repeat;
    int jobs;
    int stop_in;  // comes during this call; 0: before the first, -1: never
    std::vector<int> codes;
    int code;
    Names unplayed;
  };
  const std::vector<Row> rows{
      {{"a"}, 1, 1, -1, {0}, cli::passed, {}},
      {{"a"}, 1, 1, 0, {}, cli::interrupted, {"a"}},
      {{"a"}, 1, 1, 1, {0}, cli::passed, {}},
      {{"a"}, 3, 1, 2, {0, 0}, cli::interrupted, {"a (1 of 3)"}},
      {{"a", "b"}, 2, 1, 1, {0}, cli::interrupted, {"a (1 of 2)", "b (2 of 2)"}},
      {{"a", "b", "c"}, 1, 1, 1, {3}, cli::interrupted, {"b", "c"}},
      {{"a", "b"}, 1, 1, 1, {4}, cli::may_be_held, {"b"}},
      {{"a", "b", "c"}, 1, 1, -1, {1, 3, 2}, cli::world_failed, {}},
      {{"a", "b"}, 20, 4, 0, {}, cli::interrupted, {"a (20 of 20)", "b (20 of 20)"}},
      {{"a", "b"}, 2, 4, -1, {0, 0, 1, 0}, cli::assertion_failed, {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.names.size());
    CAPTURE(row.repeat);
    CAPTURE(row.stop_in);
    std::stop_source stop;
    std::atomic<int> calls{0};
    if (row.stop_in == 0) stop.request_stop();
    const auto played = cli::play_each({row.names, row.repeat, row.jobs}, stop.get_token(), [&](std::size_t which) {
      const int call = ++calls;
      if (which >= row.names.size() || static_cast<std::size_t>(call) > row.codes.size()) return -1;
      if (call == row.stop_in) stop.request_stop();
      return row.codes[static_cast<std::size_t>(call) - 1];
    });
    CHECK(calls == static_cast<int>(row.codes.size()));
    CHECK(played.code == row.code);
    CHECK(played.unplayed == row.unplayed);
  }
}
