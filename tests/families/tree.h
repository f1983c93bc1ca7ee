// A tree that snapshots are taken of, and brought back.
#pragma once

#include "tests/families/yard.h"

namespace failover::testing {

inline std::string failure(const base::Result<base::Value>& result) {
  return result.ok() ? std::string() : result.error().code + ": " + result.error().line();
}

// A tree with what trees have.
inline fs::path make_tree(Yard& yard) {
  const fs::path tree = yard.folder / "tree";
  yard.write(tree / "a file", std::string(200'000, 'a'));
  yard.write(tree / "sub/new\nline", base::random_bytes(70'000), fs::perms::owner_all);
  yard.write(tree / "sub/empty", "");
  fs::create_directories(tree / "hollow");
  fs::permissions(tree / "hollow", fs::perms::owner_all);
  fs::create_symlink("/etc/passwd", tree / "link");
  return tree;
}

inline base::Result<base::Value> take(Yard& yard, const fs::path& tree) {
  return yard.run("snapshot.create", {{"paths", base::Value::List{tree.string()}}, {"bucket", yard.bucket}});
}

inline base::Result<base::Value> bring(Yard& yard, const std::string& id, const char* where) {
  return yard.run("snapshot.restore", {{"snapshot", id}, {"bucket", yard.bucket}, {"directory", yard.dir(where)}});
}

inline bool is_empty_folder(const fs::path& path) { return !fs::exists(path) || fs::is_empty(path); }

}  // namespace failover::testing
