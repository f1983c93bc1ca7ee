#include <sys/stat.h>

#include "steps/snapshot/parts.h"
#include "tests/families/yard.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

std::string failure(const base::Result<Value>& result) {
  return result.ok() ? std::string() : result.error().code + ": " + result.error().line();
}

// A tree with what trees have.
fs::path make_tree(Yard& yard) {
  const fs::path tree = yard.folder / "tree";
  yard.write(tree / "a file", std::string(200'000, 'a'));
  yard.write(tree / "sub/new\nline", base::random_bytes(70'000), fs::perms::owner_all);
  yard.write(tree / "sub/empty", "");
  fs::create_directories(tree / "hollow");
  fs::permissions(tree / "hollow", fs::perms::owner_all);
  fs::create_symlink("/etc/passwd", tree / "link");
  return tree;
}

base::Result<Value> take(Yard& yard, const fs::path& tree) {
  return yard.run("snapshot.create", {{"paths", Value::List{tree.string()}}, {"bucket", yard.bucket}});
}

base::Result<Value> bring(Yard& yard, const std::string& id, const char* where) {
  return yard.run("snapshot.restore", {{"snapshot", id}, {"bucket", yard.bucket}, {"directory", yard.dir(where)}});
}

bool is_empty_folder(const fs::path& path) { return !fs::exists(path) || fs::is_empty(path); }

}  // namespace

TEST_CASE("a tree goes to B2 and back with modes and times; no key is on the machine, no spool stays") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  const auto truth = yard.run("checksum.manifest", {{"paths", Value::List{tree.string()}}});
  REQUIRE(truth.ok());
  const auto taken = take(yard, tree);
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  CHECK(number(*taken, "files") == 3);
  CHECK(number(*taken, "skipped") == 1);
  CHECK(number(*taken, "bytes") == 270'000);
  CHECK(number(*taken, "compressed_bytes") < 200'000);
  CHECK(is_empty_folder(yard.folder / "spool"));

  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  CHECK(number(*brought, "files") == 3);
  const auto seen =
      yard.run("checksum.verify", {{"expect", *truth->find("manifest")}, {"directory", yard.dir("copy")}});
  REQUIRE(seen.ok());
  CHECK(number(*seen, "matched") == 3);
  CHECK(number(*seen, "mode_changed") == 0);
  CHECK(number(*seen, "mtime_changed") == 0);
  CHECK(count(*seen, "extra") == 0);
  CHECK((fs::status(yard.folder / "copy/hollow").permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK_FALSE(fs::exists(fs::symlink_status(yard.folder / "copy/link")));
  for (const auto& secret : {yard.services->settings.b2_key.reveal(), yard.services->settings.vast_key.reveal(),
                             std::string("X-Amz-Signature")}) {
    CHECK_FALSE(base::contains(yard.shell->scripts, secret));
  }
}

TEST_CASE("giving a snapshot back removes every object of it") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  CHECK(yard.sandbox->meter().objects.size() == 2);
  const std::string id = *taken->find("id")->text();
  plugin::Held held;
  held.kind = "snapshot";
  held.name = id;
  held.attributes = {{"bucket", yard.bucket}, {"prefix", ""}};
  const auto* kind = yard.registry.kind("snapshot");
  CHECK(kind->undo(held, yard.context()).ok());
  CHECK(kind->undo(held, yard.context()).ok());
  CHECK(yard.sandbox->meter().objects.empty());
  CHECK(yard.sandbox->meter().hidden_versions == 0);
  CHECK(bring(yard, id, "copy").error().code == "no_such_snapshot");
}

TEST_CASE("set-id files are refused when they are packed") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  REQUIRE(::chmod((tree / "a file").c_str(), 04755) == 0);
  CHECK(take(yard, tree).error().code == "set_id");
}

TEST_CASE("bytes that went wrong are never put in place") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const std::string id = *taken->find("id")->text();
  SUBCASE("on the way, once: fetched again") {
    const auto lock = yard.sandbox->world().enter();
    REQUIRE(yard.sandbox->world().faults.arm("download_corrupted").ok());
  }
  SUBCASE("a manifest that was changed") {
    auto text = yard.services->b2->get(yard.bucket, steps::snapshot::manifest_key(id), "", 1 << 20, yard.context());
    REQUIRE(text.ok());
    auto contents = steps::snapshot::contents_from_json(*text, id);
    REQUIRE(contents.ok());
    SUBCASE("another digest") {
      contents->files.files[0].digest[0] = contents->files.files[0].digest[0] == '0' ? '1' : '0';
    }
    SUBCASE("a file less") { contents->files.files.pop_back(); }
    SUBCASE("a file more") { contents->files.files.push_back({"more", 1, "0644", {}, "00"}); }
    SUBCASE("another part") { contents->parts[0].md5 = std::string(32, '0'); }
    REQUIRE(
        yard.services->b2
            ->put(
                {yard.bucket, steps::snapshot::manifest_key(id), steps::snapshot::to_json_text(*contents), "", {}, ""},
                yard.context())
            .ok());
    const auto brought = bring(yard, id, "copy");
    REQUIRE_FALSE(brought.ok());
    CHECK(brought.error().fault == base::Fault::corrupt);
    CHECK(is_empty_folder(yard.folder / "copy"));
    return;
  }
  const auto brought = bring(yard, id, "copy");
  CHECK_MESSAGE(brought.ok(), failure(brought));
}

TEST_CASE("a part that the store lost is named") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const std::string id = *taken->find("id")->text();
  REQUIRE(yard.services->b2->remove(yard.bucket, steps::snapshot::prefix_of(id) + "part-00001", yard.context()).ok());
  const auto brought = bring(yard, id, "copy");
  REQUIRE_FALSE(brought.ok());
  CHECK(brought.error().code == "part_missing");
  CHECK(is_empty_folder(yard.folder / "copy"));
}

TEST_CASE("an archive that wants out of its place stays in") {
  Yard yard;
  const fs::path evil = yard.folder / "evil";
  yard.write(evil / "good", "good");
  fs::create_symlink(yard.folder / "victim", evil / "door");
  base::ProcessSpec spec;
  spec.command = {"/bin/sh", "-c", "tar -C " + base::shell_quote(evil.string()) + " -cf - . | gzip -c"};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  const auto packed = base::run_process(spec, yard.context().patience());
  REQUIRE(packed.ok());
  steps::snapshot::Contents contents;
  const std::string id = "failover-evil";
  contents.id = id;
  contents.codec = "gzip";
  contents.files = {"sha256", "/x", {{"good", 4, "0600", {}, base::digest_hex(base::Algorithm::sha256, "good")}}};
  contents.parts = {{"snapshots/" + id + "/part-00001", static_cast<std::int64_t>(packed->out.size()),
                     base::digest_hex(base::Algorithm::md5, packed->out)}};
  REQUIRE(yard.services->b2->put({yard.bucket, contents.parts[0].key, packed->out, "", {}, ""}, yard.context()).ok());
  REQUIRE(
      yard.services->b2
          ->put({yard.bucket, steps::snapshot::manifest_key(id), steps::snapshot::to_json_text(contents), "", {}, ""},
                yard.context())
          .ok());
  const auto brought = bring(yard, id, "copy");
  REQUIRE_FALSE(brought.ok());
  CHECK(brought.error().code == "not_as_listed");
  CHECK(is_empty_folder(yard.folder / "copy"));
}
