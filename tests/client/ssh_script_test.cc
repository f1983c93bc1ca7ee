// The words that a machine's shell gets, in the shells that machines have.
#include "steps/client/ssh_script.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "engine/base/text.h"
#include "tests/client/sshd.h"

using namespace failover;
using namespace failover::testing;
using client::ssh::MarkFilter;

TEST_CASE("the mark and all before it are taken out of a stream, however it is cut") {
  const std::string stream = "welcome!\nmark-1 4711\nthe output\nmark-1 is not special twice\n";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    MarkFilter filter("mark-1");
    std::string out;
    for (std::size_t at = 0; at < stream.size(); at += piece) out += filter.take(stream.substr(at, piece));
    out += filter.finish();
    CHECK(out == "the output\nmark-1 is not special twice\n");
    CHECK(filter.found());
    CHECK(filter.word() == "4711");
  }
}

TEST_CASE("what ends a group ends all of it, and says whether it is gone") {
  const TempDir dir;
  std::ofstream(dir.file("end")) << client::ssh::group_end("GROUP", "MARK");
  // A group of its own that does not listen to SIGTERM, with a child; its shell takes note of its end meanwhile.
  std::ofstream(dir.file("play")) << "setsid sh -c 'trap \"\" TERM; sleep 600 & : >" + dir.file("ready") + "; wait' &\n"
                                  << "g=$!; while [ ! -e " + dir.file("ready") + " ]; do sleep 0.01; done\n"
                                  << "sh -c \"$(sed \"s/GROUP/$g/\" " + dir.file("end") + ")\" >" + dir.file("out") +
                                         "\n"
                                  << "wait \"$g\"; exit $?\n";
  CHECK(run_program({"sh", dir.file("play")}) == 128 + 9);  // SIGKILL
  std::stringstream out;
  out << std::ifstream(dir.file("out")).rdbuf();
  CHECK(out.str() == "MARK gone\n");
}

TEST_CASE("a stream without the mark comes through whole") {
  MarkFilter filter("mark-1");
  const std::string some(40'000, 'x');
  std::string out;
  for (int i = 0; i < 5; ++i) out += filter.take(some);
  out += filter.finish();
  CHECK(out.size() == 200'000);
  CHECK_FALSE(filter.found());
  MarkFilter brief("mark-1");
  CHECK(brief.take("This account is not available.\n").empty());
  CHECK(brief.finish() == "This account is not available.\n");
}

TEST_CASE("the wrapper runs the script as it is, in every shell, as a group leader") {
  const TempDir dir;
  const std::string script =
      "printf '%s|' \"a'b\" 'c$d' \"e\\\\f\" \"$#\"; echo; kill -0 -\"$$\" && echo leader; exit 7";
  for (const std::string shell : {"dash", "bash", "busybox sh"}) {
    CAPTURE(shell);
    if (run_program({"sh", "-c", shell + " -c true"}) != 0) {
      MESSAGE("not on this machine: ", shell);
      continue;
    }
    // The test is no group leader's child under sshd, so this goes the way over setsid.
    std::ofstream(dir.file("login")) << client::ssh::wrapped(script, "MARK");
    const int code = run_program(
        {"sh", "-c", shell + " -c \"$(cat " + dir.file("login") + ")\" >" + dir.file("out") + " 2>" + dir.file("err")});
    std::stringstream out, err;
    out << std::ifstream(dir.file("out")).rdbuf();
    err << std::ifstream(dir.file("err")).rdbuf();
    CHECK(code == 7);
    CHECK(out.str() == "MARK\na'b|c$d|e\\f|0|\nleader\n");
    MarkFilter filter("MARK");
    CHECK(filter.take(err.str()).empty());
    CHECK(base::parse_integer(filter.word()).value_or(0) > 1);
  }
}
