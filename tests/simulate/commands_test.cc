// A scenario's own commands on machines in memory.
#include "tools/simulate/commands.h"

#include <doctest/doctest.h>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/journey.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Tree;

namespace {

const base::WallTime kNow{std::chrono::seconds(1'767'225'600)};

client::Finished run(Tree& tree, std::vector<std::string> words, const std::string& input = {}) {
  client::Command command;
  words.insert(words.begin(), "exec");
  command.operation = std::move(words);
  command.input = input;
  return simulate::scenario_command(tree, command, kNow, false).value();
}

client::Finished script(Tree& tree, const std::string& text) {
  client::Command command;
  command.script = text;
  command.operation = {"sh", text};
  return simulate::scenario_command(tree, command, kNow, false).value();
}

// The scenario that the README begins with.
std::string hello() {
  const auto readme = base::read_file(FAILOVER_SOURCE_DIR "/README.md", 1 << 20);
  REQUIRE(readme.ok());
  const auto at = readme->find("name: hello");
  REQUIRE(at != std::string::npos);
  return readme->substr(at, readme->find("```", at) - at);
}

}  // namespace

TEST_CASE("what these machines know, and 127 for everything else") {
  Tree tree{{"/workspace/a.txt", {"hello\n", 0644, kNow}}, {"/workspace/b/c.txt", {"deep\n", 0600, kNow}}};
  CHECK(run(tree, {"true"}).exit_code == 0);
  CHECK(run(tree, {"false"}).exit_code == 1);
  CHECK(run(tree, {"sync"}).exit_code == 0);
  CHECK(run(tree, {"echo", "a", "b c"}).out == "a b c\n");
  CHECK(base::contains(run(tree, {"uname", "-a"}).out, "Linux"));
  CHECK(run(tree, {"cat", "/workspace/a.txt"}).out == "hello\n");
  CHECK(run(tree, {"cat"}, "from stdin").out == "from stdin");
  CHECK(run(tree, {"cat", "/nowhere"}).exit_code == 1);
  CHECK(base::contains(run(tree, {"cat", "/nowhere"}).err, "No such file"));
  CHECK(run(tree, {"ls", "/workspace"}).out == "a.txt\nb\n");
  CHECK(run(tree, {"ls", "/nowhere"}).exit_code == 1);
  CHECK(run(tree, {"sha256sum", "/workspace/a.txt"}).out ==
        base::digest_hex(base::Algorithm::sha256, "hello\n") + "  /workspace/a.txt\n");
  CHECK(run(tree, {"nvidia-smi", "-L"}).exit_code == 127);
  CHECK(base::contains(run(tree, {"nvidia-smi"}).err, "not found"));
  CHECK(run(tree, {"rm", "-rf", "--", "/workspace/b"}).exit_code == 0);
  CHECK(tree.count("/workspace/b/c.txt") == 0);
  CHECK(tree.count("/workspace/a.txt") == 1);
}

TEST_CASE("a script is run when it is one plain command; what needs a shell is not there") {
  Tree tree;
  CHECK(script(tree, "  echo one two \n").out == "one two\n");
  for (const char* needs : {"echo a; echo b", "echo $HOME", "true && false", "cat <<E\nE", "for x in a; do :; done"}) {
    CAPTURE(needs);
    CHECK(script(tree, needs).exit_code == 127);
  }
  client::Command unknown;
  unknown.script = "true";
  CHECK(simulate::scenario_command(tree, unknown, kNow, false)->exit_code == 127);
  unknown.operation = {"digest", "md5", "/x"};  // a step's own: not for here
  CHECK_FALSE(simulate::scenario_command(tree, unknown, kNow, false));
}

TEST_CASE("the README's first scenario can be played") {
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("hello.yaml", hello()), diagnostics);
  REQUIRE(loaded.has_value());
  const simulate::Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  const auto result = simulate::journey(play, simulate::Script{});
  CHECK(result.violations.empty());
  CHECK(result.verdict == "passed");
  CHECK(result.exit_code == 0);
}
