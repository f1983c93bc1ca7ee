// Which files there were and which of them were seen again. A journal tells of a verified file its path below a
// directory, and of which manifest only what the manifests of earlier steps give away: one that lists just these paths.
// Rows are told apart as far as that goes, and where it cannot be known, what was found damaged stays in sight.
#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "engine/report/fields.h"
#include "engine/report/report.h"

namespace failover::report {
namespace {

using base::Value;

File file_of(const Value& value) {
  File file;
  file.path = text_of(value, "path");
  file.size = whole_of(value, "size");
  file.md5 = text_of(value, "md5");
  file.mode = text_of(value, "mode");
  file.mtime = text_of(value, "mtime");
  const Value* ok = value.find("ok");
  file.ok = ok != nullptr && *ok == Value(true);
  const Value* intact = value.find("intact");
  file.intact = intact != nullptr ? *intact == Value(true) : file.ok;
  return file;
}

std::string below(const std::string& directory, const std::string& path) {
  if (directory.empty()) return {};
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

std::string directory_of(const Value& outputs) {
  const Value* manifest = outputs.find("manifest");
  return manifest == nullptr ? std::string() : text_of(*manifest, "directory");
}

// Does it list just these paths, and what was found to be as it says?
bool is_of(const Value& outputs, const std::vector<File>& seen) {
  const Value* manifest = outputs.find("manifest");
  const Value* files = manifest == nullptr ? nullptr : manifest->find("files");
  if (files == nullptr || !files->is_list() || files->list()->size() != seen.size()) return false;
  return std::equal(seen.begin(), seen.end(), files->list()->begin(), [](const File& file, const Value& listed) {
    return text_of(listed, "path") == file.path &&
           (!file.intact || (text_of(listed, "digest") == file.md5 && whole_of(listed, "size") == file.size));
  });
}

// What a verification compared with.
struct Origin {
  std::string step;       // whose manifest; empty: not known
  std::string directory;  // of that manifest; empty: not known
  bool doubted = false;   // it may have been one of several directories
  bool timely = false;    // it was made before the failure, or there was none: what it lists has been there
};

// Only what a drill has written can be challenged.
Origin origin_of(const Report& report, const std::vector<File>& seen, const std::string& proof) {
  const auto failure = report.marks.find("failure");
  const std::string made_by = proof == "challenge" ? "files.create" : "checksum.manifest";
  Origin out;
  int found = 0;
  for (const auto& one : report.steps) {
    if (one.uses != made_by || !one.shape.empty() || !is_of(one.outputs, seen)) continue;
    const std::string directory = directory_of(one.outputs);
    if (++found > 1 && directory != out.directory) out.doubted = true;
    out.step = one.id;
    out.directory = directory;
    out.timely = out.timely || failure == report.marks.end() || one.end <= failure->second;
  }
  // One that was saved before the run, as far as anybody knows.
  if (found == 0) out.timely = true;
  if (found > 1) out.step.clear();
  if (out.doubted) out.directory.clear();
  return out;
}

// The rows that were there before a verification, and which of them it has taken: each is one file of it at most.
class Known {
 public:
  Known(std::vector<File>& rows, const Origin& origin) : rows_(rows), origin_(origin), taken_(rows.size(), false) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      by_path_[rows[i].path].push_back(i);
      if (!rows[i].whole.empty()) by_whole_[rows[i].whole].push_back(i);
    }
  }

  // The row of this very path; the last one where several may be it.
  File* exact(const File& seen) {
    for (const auto* index : {&by_whole_, &by_path_}) {
      const auto at = index->find(index == &by_whole_ ? seen.whole : seen.path);
      if (at == index->end()) continue;
      for (auto row = at->second.rbegin(); row != at->second.rend(); ++row) {
        if (fits(*row, seen)) return take(*row);
      }
    }
    return nullptr;
  }

  // The one row whose whole path ends in this relative one; a manifest of several directories begins further up.
  std::optional<std::size_t> ending_in(const File& seen) {
    if (!seen.whole.empty() || origin_.doubted || seen.path.empty() || seen.path.front() == '/') return std::nullopt;
    if (by_ending_.empty()) index_endings();
    const auto at = by_ending_.find(seen.path);
    if (at == by_ending_.end() || at->second.size() != 1 || !fits(at->second.front(), seen)) return std::nullopt;
    return at->second.front();
  }

  File* take(std::size_t row) {
    taken_[row] = true;
    return &rows_[row];
  }

 private:
  bool fits(std::size_t at, const File& seen) const {
    const File& row = rows_[at];
    const bool elsewhere = !row.whole.empty() && !seen.whole.empty() && row.whole != seen.whole;
    return !taken_[at] && !elsewhere && (!seen.intact || row.ok || row.proof.empty() || is_certainly(row, seen));
  }
  // Enough for taking a damage back? Names that a drill gives are given once.
  bool is_certainly(const File& row, const File& seen) const {
    return row.created ? !origin_.doubted : !row.origin.empty() && row.origin == seen.origin;
  }
  void index_endings() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::string& whole = rows_[i].whole;
      for (auto slash = whole.find('/'); slash != std::string::npos; slash = whole.find('/', slash + 1)) {
        by_ending_[whole.substr(slash + 1)].push_back(i);
      }
    }
  }

  using Index = std::unordered_map<std::string, std::vector<std::size_t>>;
  std::vector<File>& rows_;
  const Origin& origin_;
  std::vector<bool> taken_;
  Index by_path_;
  Index by_whole_;
  Index by_ending_;
};

// Are the bytes the row's? Digests of two algorithms say nothing of each other.
bool is_another(const File& row, const File& seen) {
  const bool comparable = row.md5.size() == seen.md5.size() && !row.md5.empty();
  return row.size != seen.size || (comparable && row.md5 != seen.md5);
}

// What a manifest lists that was made before the failure was there by then, and is what the row is about from now on:
// it has been written once more. What one lists that was made later may be what was left.
void update(File& row, const File& seen, bool timely) {
  const bool another = seen.intact && is_another(row, seen);
  if (another && timely) {
    row.size = seen.size;
    row.md5 = seen.md5;
    row.mode = seen.mode;
    row.mtime = seen.mtime;
  }
  const bool same = !another || timely;
  // What was shown stays shown, whoever says so once more by its word.
  const bool known = row.ok && seen.ok && same && !another;
  row.ok = seen.ok && same;
  row.intact = seen.intact && same;
  if (!known || seen.proof == "challenge") row.proof = seen.proof;
  row.origin = seen.origin;
  if (row.whole.empty()) row.whole = seen.whole;
}

}  // namespace

void Folder::files_created(const Value& outputs) {
  const Value* files = outputs.find("files");
  if (files == nullptr || !files->is_list()) return;
  const std::string directory = directory_of(outputs);
  for (const auto& one : *files->list()) {
    File made = file_of(one);
    made.ok = made.intact = false;  // created is not verified
    made.created = true;
    made.whole = below(directory, made.path);
    report_.files.push_back(std::move(made));
  }
}

// Where a file was seen before is gone, or may be: nothing that was said then is said of now, nor what is being looked
// at meanwhile. A mark beside the journey loses nothing.
void Folder::files_lost(const std::string& step) {
  for (const auto& one : report_.steps) {
    if (one.id == step && one.section != "steps") return;
  }
  for (const auto& one : report_.steps) {
    if (one.status == "running" && one.id != step) overtaken_.insert(one.id);
  }
  for (auto& file : report_.files) {
    file.ok = file.intact = false;
    file.proof.clear();
    file.origin.clear();
  }
}

void Folder::files_verified(const Value& outputs) {
  const Value* files = outputs.find("files");
  if (files == nullptr || !files->is_list()) return;
  const std::string proof = text_of(outputs, "proof");
  std::vector<File> seen;
  for (const auto& value : *files->list()) seen.push_back(file_of(value));
  const Origin origin = origin_of(report_, seen, proof);
  Known known(report_.files, origin);
  std::vector<File*> others;
  for (auto& one : seen) {
    one.proof = proof.empty() ? "claim" : proof;
    one.origin = origin.step;
    one.whole = below(origin.directory, one.path);
    File* row = known.exact(one);
    if (row != nullptr) {
      update(*row, one, origin.timely);
    } else {
      others.push_back(&one);
    }
  }
  std::vector<std::optional<std::size_t>> endings;
  std::map<std::size_t, int> wanted;
  for (const File* one : others) {
    endings.push_back(known.ending_in(*one));
    if (endings.back()) ++wanted[*endings.back()];
  }
  std::vector<File> added;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (endings[i] && wanted[*endings[i]] == 1) {
      update(*known.take(*endings[i]), *others[i], origin.timely);
    } else {
      added.push_back(*others[i]);
    }
  }
  report_.files.insert(report_.files.end(), added.begin(), added.end());
}

}  // namespace failover::report
