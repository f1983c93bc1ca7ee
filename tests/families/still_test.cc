// What a snapshot does not take, since no restore would: names that no manifest can hold, and trees that do not stand
// still.
#include "tests/families/tree.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// From now on the machine's `program` does `before` and `after` it did what it does.
void beside(Yard& yard, const std::string& program, const std::string& before, const std::string& after) {
  yard.write(yard.folder / "bin" / program,
             "#!/bin/sh\n" + before + "\n/usr/bin/" + program + " \"$@\"; code=$?\n" + after + "\nexit $code\n",
             fs::perms::owner_all);
  yard.shell->search_path = (yard.folder / "bin").string() + ":" + yard.shell->search_path;
}

}  // namespace

TEST_CASE("names that no manifest can hold are refused when it is packed, by name, and no spool stays") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  SUBCASE("a file's") { yard.write(tree / "sub/a\xff.bin", "x"); }
  SUBCASE("a directory's") { fs::create_directories(tree / "sub/a\xff.bin"); }
  SUBCASE("its own, of what lies in it") { yard.write(tree / "a\xff.bin/x", "x"); }
  const auto taken = take(yard, tree);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == "not_utf8");
  CHECK(taken.error().fault == base::Fault::refused);
  CHECK_MESSAGE(base::contains(taken.error().line(), "a\\xff.bin"), taken.error().line());
  CHECK_FALSE(taken.error().hint.empty());
  CHECK(yard.sandbox->meter().objects.empty());
  CHECK(is_empty_folder(yard.folder / "spool"));
}

TEST_CASE("a link of such a name is passed over like every link; UTF-8 of any kind comes back") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  fs::create_symlink("/etc/passwd", tree / "a\xff");
  yard.write(tree / "\xe5\x86\x99\xf0\x9f\x90\x89/\xc3\xa9", "x");
  const auto taken = take(yard, tree);
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  REQUIRE(bring(yard, *taken->find("id")->text(), "copy").ok());
  CHECK(fs::exists(yard.folder / "copy/\xe5\x86\x99\xf0\x9f\x90\x89/\xc3\xa9"));
}

TEST_CASE("what changes while it is packed makes no snapshot, and is named") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  const std::string at = base::shell_quote((tree / "a file").string());
  const std::string beside_it = base::shell_quote((tree / "sub/late").string());
  std::string named = "a file";
  SUBCASE("a log grows between its digest and tar") { beside(yard, "tar", "echo more >>" + at, ""); }
  SUBCASE("other bytes under the old time") {
    beside(yard, "tar",
           "touch -r " + at + " \"$0.was\"; printf b | dd of=" + at +
               " conv=notrunc 2>/dev/null; touch -r \"$0.was\" " + at,
           "");
  }
  SUBCASE("another mode") { beside(yard, "tar", "chmod 0640 " + at, ""); }
  SUBCASE("a file more, before tar") {
    beside(yard, "tar", "echo new >" + beside_it, "");
    named = "sub/late";
  }
  SUBCASE("a file more, and away again after it") {
    beside(yard, "tar", "echo new >" + beside_it, "rm " + beside_it);
    named = "sub";
  }
  SUBCASE("a directory more") {
    beside(yard, "tar", "mkdir " + beside_it, "");
    named = "sub";
  }
  SUBCASE("a file less, which tar misses") { beside(yard, "tar", "rm " + at, ""); }
  SUBCASE("a file less, which nobody can digest") { beside(yard, "sha256sum", "rm -f " + at, ""); }
  SUBCASE("another in its place") {
    beside(yard, "tar", "cp -p " + at + " " + beside_it + "; mv " + beside_it + " " + at, "");
  }
  SUBCASE("behind tar") { beside(yard, "tar", "", "echo more >>" + at); }
  const auto taken = take(yard, tree);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == "changed");
  CHECK(taken.error().fault == base::Fault::corrupt);
  CHECK(taken.error().hint == "stop what writes there first");
  CHECK_MESSAGE(base::contains(taken.error().line(), named), taken.error().line());
  CHECK(yard.sandbox->meter().objects.empty());
  CHECK(is_empty_folder(yard.folder / "spool"));
}

TEST_CASE("what is read and what lies beside the tree may change; its own spool may lie in it") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  SUBCASE("beside and read") {
    beside(yard, "tar",
           "cat " + base::shell_quote((tree / "a file").string()) + " >/dev/null; echo more >>" +
               base::shell_quote((yard.folder / "log").string()),
           "");
  }
  SUBCASE("the spool below it") {
    fs::create_directories(tree / "tmp");
    yard.shell->spool = tree / "tmp";
  }
  SUBCASE("the spool in it") { yard.shell->spool = tree; }
  SUBCASE("with bash, as machines have it") {
    yard.shell->login = {"/bin/sh", "-c", "shift; exec /bin/bash \"$@\"", "bash-for-sh"};
  }
  const auto taken = take(yard, tree);
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  CHECK_MESSAGE(brought.ok(), failure(brought));
}

TEST_CASE("what cannot be packed at all is no change: the machine's own words, and no spool") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  beside(yard, "sort", "echo 'sort: write failed: No space left on device' >&2; exit 2", "");
  const auto taken = take(yard, tree);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().fault == base::Fault::no_space);
  CHECK(is_empty_folder(yard.folder / "spool"));
  CHECK(take(yard, yard.folder / "absent").error().fault == base::Fault::not_found);
}
