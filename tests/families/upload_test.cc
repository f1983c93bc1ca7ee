// A machine's own upload, of which the runner sees no answer: sent or not, stored or not.
#include <sys/stat.h>

#include <thread>

#include "steps/client/remote_script.h"
#include "steps/snapshot/parts.h"
#include "tests/client/raw_server.h"
#include "tests/families/yard.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

// A machine with the shell's usual tools, and of those that transfer only this one; false: this system has none.
bool equip(Yard& yard, const std::string& tool) {
  const fs::path bin = yard.folder / "bin";
  fs::create_directories(bin);
  bool any = false;
  for (const char* place : {"/usr/bin", "/bin"}) {
    for (const auto& one : fs::directory_iterator(place)) {
      const std::string name = one.path().filename().string();
      const bool transfers = name == "curl" || name.rfind("python3", 0) == 0 || name == "wget";
      if (transfers && name != tool) continue;
      any = any || name == tool;
      std::error_code ignored;  // both places may be one
      fs::create_symlink(one.path(), bin / name, ignored);
    }
  }
  yard.shell->search_path = bin.string();
  return any;
}

int upload(Yard& yard, const std::string& url) {
  client::Command command;
  const fs::path file = yard.folder / "part";
  yard.write(file, std::string(3'000'000, 'x'));
  command.script = std::string(steps::snapshot::kTransferWords) + "put " + base::shell_quote(file.string()) + " digest";
  command.input = url + "\n";
  const auto done = yard.shell->run({}, command, yard.context());
  REQUIRE_MESSAGE(done.ok(), (done.ok() ? std::string() : done.error().line()));
  CHECK((done->exit_code == 0 || !done->err.empty()));
  return done->exit_code;
}

base::Result<Value> take(Yard& yard) {
  yard.write(yard.folder / "tree/file", "what is stored");
  return yard.run("snapshot.create", {{"paths", Value::List{yard.dir("tree")}}, {"bucket", yard.bucket}});
}

}  // namespace

TEST_CASE("an upload that went out and was not answered is told from one that was answered or never left") {
  for (const std::string tool : {"curl", "python3", "wget"}) {
    CAPTURE(tool);
    Yard yard;
    if (!equip(yard, tool)) {
      skipped("uploading by " + tool + ": this system does not have it", kOnLinux);
      continue;
    }
    const auto told = [&](const std::function<void(Peer&)>& serve) {
      RawServer server(serve);
      return upload(yard, server.url());
    };
    CHECK(told([](Peer& peer) {
            if (!peer.request().empty()) peer.answer(200, "");
          }) == 0);
    for (const int status : {403, 503}) {
      const int code = told([&](Peer& peer) {
        if (!peer.request().empty()) peer.answer(status, "<Error><Code>Refused</Code></Error>");
      });
      CHECK(code != 0);
      CHECK(code != client::kExitUnanswered);
    }
    CHECK(told([](Peer& peer) {
            if (!peer.request().empty()) peer.answer(502, "<html>Bad Gateway</html>");
          }) == client::kExitUnanswered);
    CHECK(told([](Peer& peer) { peer.request(); }) == client::kExitUnanswered);
    CHECK(told([](Peer& peer) {
            peer.request();
            peer.reset();
          }) == client::kExitUnanswered);
    CHECK(told([](Peer& peer) {
            peer.head();
            peer.reset();
          }) == client::kExitUnanswered);
    const int closed = upload(yard, "http://127.0.0.1:" + std::to_string(closed_port()) + "/");
    CHECK(closed != 0);
    // wget does not tell a connection that was refused from one that broke.
    CHECK((closed == client::kExitUnanswered) == (tool == "wget"));
  }
}

TEST_CASE("a part whose upload was not answered is looked for: what is there has arrived") {
  Yard yard;
  {
    const auto lock = yard.sandbox->world().enter();
    REQUIRE(yard.sandbox->world().faults.arm("put_lost_answer").ok());
  }
  const auto taken = take(yard);
  REQUIRE_MESSAGE(taken.ok(), (taken.ok() ? std::string() : taken.error().line()));
  CHECK(yard.host.records().at(0).outcome == "made");
  CHECK(yard.host.records().at(0).unanswered == 0);
  CHECK(yard.sandbox->meter().hidden_versions == 0);  // it was not sent again
}

TEST_CASE("a part that was sent, not answered and is not there is sent again, and may yet arrive twice") {
  Yard yard;
  if (!equip(yard, "curl")) return skipped("this system has no curl", kOnLinux);
  const fs::path mark = yard.folder / "mark";
  fs::remove(yard.folder / "bin/curl");
  yard.write(yard.folder / "bin/curl",
             "#!/bin/sh\n[ -e " + mark.string() + " ] && exec /usr/bin/curl \"$@\"\n: >" + mark.string() +
                 "\ncat >/dev/null\nexit 52\n",
             fs::perms::owner_all);
  const auto taken = take(yard);
  REQUIRE_MESSAGE(taken.ok(), (taken.ok() ? std::string() : taken.error().line()));
  CHECK(fs::exists(mark));
  CHECK(yard.host.records().at(0).outcome == "made");
  CHECK(yard.host.records().at(0).unanswered == 1);
}

TEST_CASE("an upload that a stop cuts off may be stored all the same") {
  Yard yard;
  if (!equip(yard, "curl")) return skipped("this system has no curl", kOnLinux);
  fs::remove(yard.folder / "bin/curl");
  const fs::path mark = yard.folder / "mark";
  yard.write(yard.folder / "bin/curl", "#!/bin/sh\ncat >/dev/null\n: >" + mark.string() + "\nexec sleep 1000\n",
             fs::perms::owner_all);
  std::stop_source stop;
  std::jthread teller([&](const std::stop_token& over) {
    while (!fs::exists(mark) && !over.stop_requested()) std::this_thread::yield();
    stop.request_stop();
  });
  yard.write(yard.folder / "tree/file", "what is stored");
  const Value::Map host{{"host", "127.0.0.1"}, {"port", 22}, {"user", "root"}, {"machine", "m"}};
  const auto taken =
      yard.registry.step("snapshot.create")
          ->run(Value(Value::Map{
                    {"host", Value(host)}, {"paths", Value::List{yard.dir("tree")}}, {"bucket", yard.bucket}}),
                {yard.host, base::Patience(yard.clock, yard.clock.now() + 60s, stop.get_token())});
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().fault == base::Fault::cancelled);
  CHECK(yard.host.records().at(0).outcome == "made");
  CHECK(yard.host.records().at(0).unanswered == 1);
}
