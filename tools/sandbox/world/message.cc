#include "tools/sandbox/world/message.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "engine/base/text.h"

namespace failover::sandbox {
namespace {

constexpr std::size_t kInMemory = std::size_t{1} << 20;

std::string decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return base::percent_decode(spaced);
}

}  // namespace

Blob::Blob(std::string bytes, std::filesystem::path path, std::int64_t size)
    : bytes_(std::move(bytes)), path_(std::move(path)), size_(size) {}

std::shared_ptr<const Blob> Blob::of(std::string bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  return std::shared_ptr<const Blob>(new Blob(std::move(bytes), {}, size));
}

std::shared_ptr<const Blob> Blob::of_file(std::filesystem::path path, std::int64_t size) {
  return std::shared_ptr<const Blob>(new Blob({}, std::move(path), size));
}

Blob::~Blob() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

std::string Blob::read(std::int64_t offset, std::int64_t length) const {
  if (offset < 0 || offset >= size_ || length <= 0) return {};
  length = std::min(length, size_ - offset);
  if (path_.empty()) return bytes_.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  std::ifstream file(path_, std::ios::binary);
  std::string out(static_cast<std::size_t>(length), '\0');
  file.seekg(offset);
  file.read(out.data(), length);
  out.resize(static_cast<std::size_t>(file.gcount()));
  return out;
}

std::int64_t size_of(const std::vector<Piece>& pieces) {
  std::int64_t total = 0;
  for (const Piece& piece : pieces) total += piece.length;
  return total;
}

std::vector<Piece> slice(const std::vector<Piece>& pieces, std::int64_t offset, std::int64_t length) {
  std::vector<Piece> out;
  for (const Piece& piece : pieces) {
    if (length <= 0) break;
    if (offset >= piece.length) {
      offset -= piece.length;
      continue;
    }
    const std::int64_t take = std::min(piece.length - offset, length);
    out.push_back({piece.blob, piece.offset + offset, take});
    length -= take;
    offset = 0;
  }
  return out;
}

std::string read_all(const std::vector<Piece>& pieces) {
  std::string out;
  for (const Piece& piece : pieces) out += piece.blob->read(piece.offset, piece.length);
  return out;
}

Body make_body(std::string bytes) {
  static const Body nothing{nullptr, base::digest(base::Algorithm::md5, ""),
                            base::digest_hex(base::Algorithm::sha256, "")};
  if (bytes.empty()) return nothing;
  Body body;
  body.md5 = base::digest(base::Algorithm::md5, bytes);
  body.sha256 = base::digest_hex(base::Algorithm::sha256, bytes);
  body.blob = Blob::of(std::move(bytes));
  return body;
}

struct BodySink::State {
  std::filesystem::path directory;
  std::string memory;
  std::filesystem::path path;
  std::ofstream file;
  std::int64_t size = 0;
  base::Digest md5{base::Algorithm::md5};
  base::Digest sha256{base::Algorithm::sha256};

  bool spill() {
    path = directory / ("body-" + base::random_id(20));
    file.open(path, std::ios::binary | std::ios::trunc);
    file.write(memory.data(), static_cast<std::streamsize>(memory.size()));
    memory = {};
    return file.good();
  }
};

BodySink::BodySink(std::filesystem::path directory) : state_(std::make_unique<State>()) {
  state_->directory = std::move(directory);
}
BodySink::BodySink(BodySink&&) noexcept = default;
BodySink::~BodySink() {
  std::error_code ignored;
  if (state_ && !state_->path.empty()) std::filesystem::remove(state_->path, ignored);
}

bool BodySink::write(std::string_view bytes) {
  State& to = *state_;
  to.md5.update(bytes);
  to.sha256.update(bytes);
  to.size += static_cast<std::int64_t>(bytes.size());
  if (to.path.empty() && to.memory.size() + bytes.size() <= kInMemory) {
    to.memory += bytes;
    return true;
  }
  if (to.path.empty() && !to.spill()) return false;
  to.file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return to.file.good();
}

Body BodySink::finish() {
  State& from = *state_;
  Body body;
  body.md5 = from.md5.finish();
  body.sha256 = base::hex(from.sha256.finish());
  if (!from.path.empty()) {
    from.file.close();
    body.blob = Blob::of_file(std::exchange(from.path, {}), from.size);
  } else if (from.size > 0) {
    body.blob = Blob::of(std::move(from.memory));
  }
  return body;
}

std::string Request::raw_path() const { return target.substr(0, target.find('?')); }

std::string Request::raw_query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string() : target.substr(mark + 1);
}

std::string Request::path() const { return base::percent_decode(raw_path()); }

Query Request::query() const {
  Query out;
  const std::string raw = raw_query();
  if (raw.empty()) return out;
  for (const std::string& pair : base::split(raw, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    out.emplace_back(decoded(pair.substr(0, equals)),
                     equals == std::string::npos ? std::string() : decoded(pair.substr(equals + 1)));
  }
  return out;
}

// Decodes only what it is asked for: a door asks for a dozen names, and a presigned URL is long.
std::optional<std::string> Request::parameter(std::string_view name) const {
  const auto mark = target.find('?');
  if (mark == std::string::npos) return std::nullopt;
  for (std::string_view rest = std::string_view(target).substr(mark + 1); !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) continue;
    const std::string_view key = pair.substr(0, equals);
    const bool encoded = key.find_first_of("%+") != std::string_view::npos;
    if (encoded ? decoded(key) == name : key == name) return decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

std::string Request::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string() : found->second;
}

std::string body_of(const Answer& answer) {
  std::string out = answer.pieces.empty() ? answer.text : read_all(answer.pieces);
  if (answer.flip >= 0 && answer.flip < static_cast<std::int64_t>(out.size())) {
    char& byte = out[static_cast<std::size_t>(answer.flip)];
    byte = static_cast<char>(byte ^ 1);
  }
  return out;
}

}  // namespace failover::sandbox
