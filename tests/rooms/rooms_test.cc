// The table of engine/README.md against every #include of the project.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/text.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

using Table = std::map<std::string, std::set<std::string>>;

Table read_table(const std::string& text) {
  Table table;
  bool inside = false;
  for (const auto& line : base::split(text, '\n')) {
    if (line.rfind("| room | may look into |", 0) == 0) inside = true;
    if (!inside || line.rfind("| ", 0) != 0) continue;
    const auto cells = base::split(line, '|');
    if (cells.size() < 3) continue;
    const std::string room(base::trim(cells[1]));
    if (room.find('/') == std::string::npos) continue;
    auto& allowed = table[room];
    for (const auto& one : base::split(cells[2], ',')) {
      const std::string name(base::trim(one));
      if (name != "-" && !name.empty()) allowed.insert(name);
    }
  }
  return table;
}

// `#include "a/b/c.h"` of a text: the folders they lead to.
std::vector<std::string> included_folders(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& line : base::split(text, '\n')) {
    if (line.rfind("#include \"", 0) != 0) continue;
    const std::string path = line.substr(10, line.find('"', 10) - 10);
    out.push_back(fs::path(path).parent_path().generic_string());
  }
  return out;
}

std::vector<std::string> violations(const Table& table, const std::string& room, const std::string& text) {
  std::vector<std::string> out;
  const auto rule = table.find(room);
  if (rule == table.end()) return {room + " is not in the table"};
  if (rule->second.count("everything") > 0) return out;
  for (const auto& folder : included_folders(text)) {
    if (folder != room && rule->second.count(folder) == 0) out.push_back(room + " looks into " + folder);
  }
  return out;
}

}  // namespace

TEST_CASE("the checker finds what it is for") {
  const Table table = read_table(
      "| room | may look into |\n| --- | --- |\n| engine/a | engine/b |\n| engine/b | - |\n| tools/x | everything |\n");
  CHECK(table.size() == 3);
  CHECK(violations(table, "engine/a", "#include \"engine/b/x.h\"\n#include <vector>\n").empty());
  CHECK(violations(table, "engine/b", "#include \"engine/a/x.h\"\n") ==
        std::vector<std::string>{"engine/b looks into engine/a"});
  CHECK(violations(table, "engine/c", "").size() == 1);
  CHECK(violations(table, "tools/x", "#include \"engine/a/x.h\"\n").empty());
}

TEST_CASE("nobody looks where the table does not let him") {
  const fs::path root = FAILOVER_SOURCE_DIR;
  const auto text = base::read_file(root / "engine/README.md", 1 << 20);
  REQUIRE(text.ok());
  const Table table = read_table(*text);
  REQUIRE(table.size() > 20);
  int files = 0;
  for (const char* top : {"engine", "steps", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h") continue;
      ++files;
      const auto source = base::read_file(entry.path(), 1 << 22);
      REQUIRE(source.ok());
      const std::string room = fs::relative(entry.path(), root).parent_path().generic_string();
      CAPTURE(entry.path().string());
      CHECK(violations(table, room, *source) == std::vector<std::string>{});
    }
  }
  CHECK(files > 100);
}
