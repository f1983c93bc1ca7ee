#include "engine/run/timing.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace failover::run {

using base::Duration;
using base::Value;
using scenario::Mark;

bool Marks::set(Mark mark, Duration since_start) {
  const std::lock_guard lock(mutex_);
  return at_.emplace(mark, since_start).second;
}

std::optional<Duration> Marks::at(Mark mark) const {
  const std::lock_guard lock(mutex_);
  const auto known = at_.find(mark);
  return known == at_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<Duration> Marks::between(Mark from, Mark to) const {
  const auto first = at(from);
  const auto second = at(to);
  if (!first || !second) return std::nullopt;
  // The other way round measures nothing.
  if (*second < *first) return std::nullopt;
  return *second - *first;
}

namespace {

std::string text_of(const Value& map, std::string_view name) {
  const Value* member = map.find(name);
  return member == nullptr || member->text() == nullptr ? std::string() : *member->text();
}

std::int64_t size_of(const Value& row) {
  const Value* size = row.find("size");
  const auto* bytes = size == nullptr ? nullptr : size->get<std::int64_t>();
  return bytes == nullptr ? -1 : *bytes;
}

// Without `.` and a slash at its end.
std::string bare(const std::string& path) {
  std::string out = std::filesystem::path(path).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

// Of `drill/a/x` these are `a/x` and `x`; until `visit` says that it has enough.
template <class Visit>
void each_ending(std::string_view path, Visit visit) {
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (visit(path.substr(slash + 1))) return;
  }
}

}  // namespace

// --- losses ---

// A file as one or several steps told of it.
struct Losses::Known {
  const File* file = nullptr;
  Duration begin{0};
  std::vector<std::string_view> digests;  // one of each algorithm
  bool shown = false;

  // nullptr: none of the digest's algorithm.
  [[nodiscard]] const std::string_view* comparable(std::string_view digest) const {
    const auto at =
        std::find_if(digests.begin(), digests.end(), [&](std::string_view own) { return own.size() == digest.size(); });
    return at == digests.end() ? nullptr : &*at;
  }
  [[nodiscard]] bool is(const File& other) const {
    const auto* own = comparable(other.digest);
    return own != nullptr ? *own == other.digest : file->size == other.size;
  }
};

Losses::Call Losses::begun(Duration since_start, bool within_failure) const {
  const std::lock_guard lock(mutex_);
  return {since_start, marks_.at(Mark::failure).has_value(), within_failure, "", recorded_.size()};
}

void Losses::passed(const Call& call, const plugin::StepType& type, const Value& outputs) {
  if (call.within_failure) return;
  const bool records = !type.records_files.empty() && !call.after_failure;
  const bool shows = !type.shows_files.empty() && call.after_failure;
  // What was found when the failure had begun may be what was left of it.
  const bool written = type.effect != plugin::Effect::reads;
  if (records && (written || !marks_.at(Mark::failure))) {
    const Value* manifest = outputs.find(type.records_files);
    if (manifest != nullptr) record(call, written, *manifest);
  }
  if (!shows || marks_.at(Mark::recovered)) return;
  const Value* rows = outputs.find(type.shows_files);
  if (rows != nullptr && rows->is_list()) show(*rows);
}

void Losses::record(const Call& call, bool written, const Value& manifest) {
  const Value* files = manifest.find("files");
  if (files == nullptr || !files->is_list()) return;
  const std::filesystem::path directory(text_of(manifest, "directory"));
  const std::lock_guard lock(mutex_);
  if (!written) forget_absent(call, manifest);
  for (const auto& one : *files->list()) {
    const std::string path = text_of(one, "path");
    recorded_.push_back({path, (directory / path).lexically_normal().string(), call.machine, text_of(one, "digest"),
                         size_of(one), call.begin, written});
  }
}

// What a list of a whole directory does not name any more was gone before the failure: nothing lost it but the journey.
void Losses::forget_absent(const Call& call, const Value& manifest) {
  const std::filesystem::path directory(text_of(manifest, "directory"));
  std::vector<std::string> covered;
  const Value* paths = manifest.find("paths");
  if (paths != nullptr && paths->is_list()) {
    for (const auto& path : *paths->list())
      covered.push_back(path.text() != nullptr ? bare(*path.text()) : std::string());
  }
  if (covered.empty()) covered.push_back(bare(directory.string()));
  std::unordered_set<std::string> listed;
  for (const auto& one : *manifest.find("files")->list())
    listed.insert((directory / text_of(one, "path")).lexically_normal().string());
  for (std::size_t i = 0; i < call.before; ++i) {
    File& file = recorded_[i];
    const bool within = std::any_of(covered.begin(), covered.end(), [&](const std::string& path) {
      return !path.empty() && (path == "/" || file.whole == path || file.whole.starts_with(path + "/"));
    });
    file.gone = file.gone || (within && file.machine == call.machine && listed.count(file.whole) == 0);
  }
}

void Losses::show(const Value& rows) {
  std::vector<File> seen;
  for (const auto& one : *rows.list()) {
    const Value* intact = one.find("intact");
    if (intact == nullptr) intact = one.find("ok");
    if (intact != nullptr && *intact == Value(true))
      seen.push_back({text_of(one, "path"), "", "", text_of(one, "md5"), size_of(one)});
  }
  const std::lock_guard lock(mutex_);
  shown_.push_back(std::move(seen));
}

// Of each path of a machine what stood there last: as old as the first step that told of it, unless another one has
// written it since.
std::vector<Losses::Known> Losses::known() const {
  std::vector<Known> out;
  std::unordered_map<std::string, std::size_t> by_place;
  for (const auto& file : recorded_) {
    if (file.gone) continue;
    const auto [at, fresh] = by_place.emplace(file.machine + "\n" + file.whole, out.size());
    if (fresh) {
      out.push_back({&file, file.begin, {file.digest}});
      continue;
    }
    Known& known = out[at->second];
    if (file.written || !known.is(file)) {
      known = {&file, file.begin, {file.digest}};
    } else if (known.comparable(file.digest) == nullptr) {
      known.digests.push_back(file.digest);
    }
  }
  return out;
}

// A row of a comparison shows one file of each machine: of this very path below its directory, or else one whose path
// ends in it, or in whose path it ends, since a copy may stand elsewhere. Which of several alike it was cannot be
// known: another one than before.
void Losses::match(std::vector<Known>& known) const {
  std::unordered_map<std::string_view, std::vector<Known*>> by_path;
  std::unordered_map<std::string_view, std::vector<Known*>> by_ending;
  for (auto& one : known) {
    by_path[one.file->path].push_back(&one);
    each_ending(one.file->whole, [&](std::string_view ending) {
      by_ending[ending].push_back(&one);
      return false;
    });
  }
  const auto take = [](const auto& index, std::string_view path, const File& row) {
    const auto at = index.find(path);
    if (at == index.end()) return false;
    bool alike = false;
    std::vector<std::string_view> served;  // machines
    for (Known* one : at->second) {
      if (!one->is(row)) continue;
      alike = true;
      const bool other = std::find(served.begin(), served.end(), one->file->machine) == served.end();
      if (other && !std::exchange(one->shown, true)) served.emplace_back(one->file->machine);
    }
    return alike;
  };
  for (const auto& rows : shown_) {
    std::vector<const File*> others;
    for (const auto& row : rows) {
      if (!take(by_path, row.path, row)) others.push_back(&row);
    }
    for (const File* row : others) {
      if (take(by_ending, row->path, *row)) continue;
      each_ending(row->path, [&](std::string_view ending) { return take(by_path, ending, *row); });
    }
  }
}

std::optional<Duration> Losses::reach() const {
  const auto failure = marks_.at(Mark::failure);
  const std::lock_guard lock(mutex_);
  if (!marks_.between(Mark::failure, Mark::recovered) || shown_.empty()) return std::nullopt;
  auto files = known();
  match(files);
  Duration out{0};
  for (const auto& one : files) {
    if (!one.shown) out = std::max(out, *failure - one.begin);
  }
  return out;
}

std::optional<Duration> measured(const std::string& objective, const Marks& marks, const Losses& losses) {
  if (objective == "mttd") return marks.between(Mark::failure, Mark::detected);
  if (objective == "rpo") return losses.reach();
  return marks.between(Mark::failure, Mark::recovered);
}

}  // namespace failover::run
