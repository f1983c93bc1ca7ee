// The rows of files: which of what the steps said is of one file.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/report/report.h"
#include "engine/report/text.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

struct Files {
  using Row = std::pair<std::string, bool>;
  report::Folder folder;
  int at = 0;
  base::Duration clock{0};
  static Value one(const std::string& path, const std::string& digest, bool ok) {
    return Value(Value::Map{{"path", path}, {"size", 10}, {"md5", digest}, {"digest", digest}, {"ok", ok}});
  }
  void tell(const char* type, Value::Map data) {
    event::Event event;
    event.seq = static_cast<std::uint64_t>(++at);
    event.type = type;
    event.since_start = clock;
    event.data = Value(std::move(data));
    folder.on(event);
  }
  void begun(const std::string& id, const std::string& uses, const std::string& section = "steps") {
    tell(event::type::step_started, {{"id", id}, {"uses", uses}, {"section", section}});
  }
  void step(const std::string& id, const std::string& uses, Value::Map outputs) {
    event::Event event;
    event.seq = static_cast<std::uint64_t>(++at);
    event.type = event::type::step_finished;
    event.since_start = clock;
    event.data = Value(Value::Map{{"id", id},
                                  {"uses", uses},
                                  {"status", "passed"},
                                  {"section", "steps"},
                                  {"outputs", Value(std::move(outputs))}});
    folder.on(event);
  }
  // A manifest of `directory` whose digests begin with `content`.
  void listed(const std::string& id, const std::string& uses, const std::string& directory, const std::string& content,
              const std::vector<std::string>& paths) {
    Value::List files;
    for (const auto& path : paths) files.push_back(one(path, content + path, false));
    step(id, uses,
         {{"files", Value(files)}, {"manifest", Value(Value::Map{{"directory", directory}, {"files", Value(files)}})}});
  }
  // What is not ok has bytes that nobody knows.
  void verified(const std::string& content, const std::vector<Row>& rows, const std::string& proof = "claim",
                const std::string& id = "") {
    Value::List files;
    for (const auto& [path, ok] : rows) files.push_back(one(path, ok ? content + path : "other" + path, ok));
    step(id.empty() ? "v" + std::to_string(at) : id, "checksum.verify",
         {{"files", Value(std::move(files))}, {"proof", proof}});
  }
  // `path ok`, `path LOST`, in the order of the report.
  [[nodiscard]] std::string rows() const {
    std::string out;
    for (const auto& file : folder.report().files) {
      out += (out.empty() ? "" : ", ") + file.path + (file.proof.empty() ? " -" : file.ok ? " ok" : " LOST");
    }
    return out;
  }
};

}  // namespace

TEST_CASE("a file is ok where it was seen after the loss") {
  Files files;
  files.listed("f", "files.create", "/w", "1", {"a", "b"});
  files.verified("1", {{"a", true}, {"b", true}}, "challenge");
  CHECK(files.rows() == "a ok, b ok");
  files.begun("beside", "checksum.verify");
  files.begun("loss", "t.destroy");
  files.tell(event::type::mark, {{"name", "failure"}, {"step", "loss"}});
  CHECK(files.rows() == "a -, b -");
  CHECK(base::contains(report::text(files.folder.report(), {}), "not verified since the failure"));
  const auto said = report::to_json(files.folder.report())["validation"];
  CHECK(said["files_verified"] == 0);
  CHECK(said["success_rate"] == 0.0);
  CHECK(said["files"][0]["proof"].is_null());
  // It may have looked before.
  files.verified("1", {{"a", true}, {"b", true}}, "challenge", "beside");
  CHECK(files.rows() == "a -, b -");
  files.verified("1", {{"a", true}, {"b", false}}, "challenge");
  CHECK(files.rows() == "a ok, b LOST");
  CHECK(base::contains(report::text(files.folder.report(), {}), "1/2"));
}

TEST_CASE("what a manifest of after the failure lists shows nothing of what was there before it") {
  for (const bool late : {false, true}) {
    CAPTURE(late);
    Files files;
    files.listed("f", "files.create", "/w", "1", {"a", "b"});
    const auto overwritten = [&] { files.listed("sums", "checksum.manifest", "/w", "2", {"a", "b"}); };
    if (!late) overwritten();
    files.clock = std::chrono::seconds(10);
    files.begun("loss", "t.destroy");
    files.tell(event::type::mark, {{"name", "failure"}, {"step", "loss"}});
    files.clock = std::chrono::seconds(20);
    if (late) overwritten();
    files.verified("2", {{"a", true}, {"b", true}});
    CHECK(files.rows() == (late ? "a LOST, b LOST" : "a ok, b ok"));
    CHECK(files.folder.report().files[0].md5 == (late ? "1a" : "2a"));
    CHECK(base::contains(report::text(files.folder.report(), {}), late ? "0/2  LOST" : "2/2\n"));
    // As they were, by whichever manifest.
    files.listed("again", "checksum.manifest", "/w", late ? "1" : "2", {"a", "b"});
    files.verified(late ? "1" : "2", {{"a", true}, {"b", true}});
    CHECK(files.rows() == "a ok, b ok");
  }
}

TEST_CASE("bytes that are right under another mode or time are not lost; what was not compared is neither") {
  Files files;
  files.listed("f", "files.create", "/w", "1", {"a", "b", "c"});
  Value changed = Files::one("a", "1a", false);
  changed = Value([&] {
    Value::Map map = *changed.map();
    map.insert_or_assign("intact", true);
    return map;
  }());
  files.step("v", "checksum.verify",
             {{"files", Value(Value::List{changed, Files::one("b", "1b", true)})}, {"proof", "challenge"}});
  const std::string text = report::text(files.folder.report(), {});
  CAPTURE(text);
  CHECK(base::contains(text, "other mode or time\n"));
  CHECK(base::contains(text, "not verified\n"));
  CHECK(base::contains(text, "1/3  other mode or time"));
  CHECK_FALSE(base::contains(text, "LOST"));
}

TEST_CASE("other bytes under another mode are lost, not only changed") {
  Files files;
  files.listed("m1", "checksum.manifest", "/w", "1", {"a"});
  files.verified("1", {{"a", true}});
  files.clock = std::chrono::seconds(10);
  files.begun("loss", "t.destroy");
  files.tell(event::type::mark, {{"name", "failure"}, {"step", "loss"}});
  files.clock = std::chrono::seconds(20);
  files.listed("m2", "checksum.manifest", "/w", "2", {"a"});
  Value::Map changed = *Files::one("a", "2a", false).map();
  changed.insert_or_assign("intact", true);
  files.step("v", "checksum.verify", {{"files", Value(Value::List{Value(changed)})}, {"proof", "claim"}});
  CHECK(files.folder.report().files[0].md5 == "1a");
  CHECK(base::contains(report::text(files.folder.report(), {}), "0/1  LOST"));
}

TEST_CASE("what a challenge has shown stays shown when a machine says it once more") {
  Files files;
  files.listed("f", "files.create", "/w", "1", {"a"});
  files.verified("1", {{"a", true}}, "challenge");
  files.verified("1", {{"a", true}}, "claim");
  CHECK(files.folder.report().files[0].proof == "challenge");
  files.verified("1", {{"a", false}}, "claim");
  CHECK(files.rows() == "a LOST");
  CHECK(files.folder.report().files[0].proof == "claim");
}

TEST_CASE("a comparison that could not be made says nothing of any file") {
  Files files;
  files.listed("f", "files.create", "/w", "1", {"a"});
  files.step("v", "checksum.verify", {});
  CHECK(files.rows() == "a -");
  CHECK_FALSE(base::contains(report::text(files.folder.report(), {}), "LOST"));
}

TEST_CASE("a mark beside the journey loses nothing") {
  Files files;
  files.listed("f", "files.create", "/w", "1", {"a"});
  files.verified("1", {{"a", true}});
  files.begun("last", "t.wait", "finally");
  files.tell(event::type::mark, {{"name", "failure"}, {"step", "last"}});
  CHECK(files.rows() == "a ok");
}

TEST_CASE("files of one name in several directories are several files") {
  Files files;
  const std::vector<std::string> tree{"config.json", "checkpoint-1/config.json", "checkpoint-2/config.json"};
  const std::vector<Files::Row> seen{{tree[0], false}, {tree[1], true}, {tree[2], true}};
  const std::string wanted = "config.json LOST, checkpoint-1/config.json ok, checkpoint-2/config.json ok";
  SUBCASE("of a manifest in the journal") { files.listed("m", "checksum.manifest", "/w", "1", tree); }
  SUBCASE("of one that was saved elsewhere") {}
  files.verified("1", seen);
  CHECK(files.rows() == wanted);
  files.verified("1", seen);
  CHECK(files.rows() == wanted);
  CHECK(base::contains(report::text(files.folder.report(), {}), "2/3"));
  const auto said = report::to_json(files.folder.report())["validation"];
  CHECK(said["files_created"] == 0);  // a manifest creates nothing
  CHECK(said["files_verified"] == 2);
  CHECK(said["success_rate"].get<double>() == doctest::Approx(2.0 / 3));
}

TEST_CASE("the row of the very path is the file's, wherever it stands; one below another name is not") {
  Files files;
  files.listed("f", "files.create", "/w/drill", "1", {"sub/a", "a"});
  files.verified("1", {{"a", false}, {"sub/a", true}}, "challenge");  // another order: of no manifest that is known
  CHECK(files.rows() == "sub/a ok, a LOST");
  files.verified("1", {{"a", true}}, "challenge");  // and again, on another machine
  CHECK(files.rows() == "sub/a ok, a ok");
}

TEST_CASE("a manifest that begins further up lists the drill's files by longer paths") {
  Files files;
  files.listed("f", "files.create", "/w/drill", "1", {"a", "b"});
  SUBCASE("a manifest of the journal") {
    files.listed("m", "checksum.manifest", "/", "1", {"w/drill/a", "w/drill/b"});
    files.verified("1", {{"w/drill/a", true}, {"w/drill/b", false}});
    CHECK(files.rows() == "a ok, b LOST");
    files.verified("1", {{"w/drill/a", true}, {"w/drill/b", true}});
    CHECK(files.rows() == "a ok, b ok");
  }
  SUBCASE("one that nobody knows, of part of the path") {
    files.verified("1", {{"drill/a", true}, {"drill/b", false}});
    CHECK(files.rows() == "a ok, b LOST");
  }
  SUBCASE("two of one verification are two files") {
    files.verified("1", {{"a", false}, {"drill/a", true}, {"b", true}});
    CHECK(files.rows() == "a LOST, b ok, drill/a ok");
  }
  SUBCASE("nor is one of two that both may be it") {
    files.verified("1", {{"drill/a", false}, {"w/drill/a", true}});
    CHECK(files.rows() == "a -, b -, drill/a LOST, w/drill/a ok");
  }
  SUBCASE("another tree has the same end of a path") {
    files.listed("m", "checksum.manifest", "/", "1", {"x/w/drill/a", "drill/b"});
    files.verified("1", {{"x/w/drill/a", true}, {"drill/b", true}});
    CHECK(files.rows() == "a -, b -, x/w/drill/a ok, drill/b ok");
  }
}

TEST_CASE("a path that ends two created files is neither") {
  Files files;
  files.listed("f", "files.create", "/w/one", "1", {"d/a"});
  files.listed("g", "files.create", "/w/two", "1", {"e/d/a"});
  files.verified("1", {{"a", true}});
  CHECK(files.rows() == "d/a -, e/d/a -, a ok");
}

TEST_CASE("what was damaged stays so while another of its name is fine, and until it is seen itself") {
  Files files;
  const std::vector<std::string> one{"config.json", "model"};
  const std::vector<Files::Row> bad{{"config.json", false}, {"model", true}};
  const std::vector<Files::Row> fine{{"config.json", true}, {"model", true}};
  SUBCASE("two directories") {
    files.listed("m", "checksum.manifest", "/w/a", "1", one);
    files.listed("n", "checksum.manifest", "/w/b", "2", one);
    files.verified("1", bad);
    files.verified("2", fine);
    CHECK(files.rows() == "config.json LOST, model ok, config.json ok, model ok");
    files.verified("1", fine);  // on a third machine
    CHECK(files.rows() == "config.json ok, model ok, config.json ok, model ok");
  }
  SUBCASE("one directory of two machines") {
    files.listed("m", "checksum.manifest", "/w", "1", one);
    files.listed("n", "checksum.manifest", "/w", "2", one);
    files.verified("1", bad);
    files.verified("2", fine);
    CHECK(files.folder.report().files.size() - static_cast<std::size_t>(files.folder.report().files_verified()) == 1);
    CHECK(files.rows() == "config.json LOST, model ok, config.json ok");
  }
  SUBCASE("two directories of the same bytes: nobody knows which it was") {
    files.listed("m", "checksum.manifest", "/w/a", "1", one);
    files.listed("n", "checksum.manifest", "/w/b", "1", one);
    files.verified("1", bad);
    files.verified("1", fine);
    CHECK(files.rows() == "config.json LOST, model ok, config.json ok");
  }
  SUBCASE("of manifests that nobody knows") {
    files.verified("1", bad);
    files.verified("2", fine);
    CHECK(files.rows() == "config.json LOST, model ok, config.json ok");
    files.verified("2", bad);
    CHECK(files.rows() == "config.json LOST, model ok, config.json LOST");
  }
  SUBCASE("one manifest on several machines: the last word") {
    files.listed("m", "checksum.manifest", "/w/a", "1", one);
    files.verified("1", bad);
    files.verified("1", fine);
    CHECK(files.rows() == "config.json ok, model ok");
    files.verified("1", bad);
    CHECK(files.rows() == "config.json LOST, model ok");
  }
}

TEST_CASE("the drill's files are the same by the manifest of files.create and by one taken beside it") {
  Files files;
  files.listed("f", "files.create", "/w/drill", "1", {"a", "b"});
  files.listed("m", "checksum.manifest", "/w/drill", "1", {"a", "b"});
  files.listed("n", "checksum.manifest", "/mnt/drill", "1", {"a", "b"});  // of the copy, which is compared with "f"
  files.verified("1", {{"a", true}, {"b", false}}, "challenge");
  CHECK(files.rows() == "a ok, b LOST");
  files.verified("1", {{"a", true}, {"b", true}}, "challenge");
  CHECK(files.rows() == "a ok, b ok");
  CHECK(files.folder.report().files_shown() == 2);
}
