// An HTTP request and answer as the doors see them: no sockets, and bodies that may be too big for memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/digest.h"
#include "engine/base/error.h"

namespace failover::sandbox {

// Immutable bytes, in memory or in a file that is removed with the last holder.
class Blob {
 public:
  static std::shared_ptr<const Blob> of(std::string bytes);
  // Takes the file over.
  static std::shared_ptr<const Blob> of_file(std::filesystem::path path, std::int64_t size);
  ~Blob();
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  [[nodiscard]] std::int64_t size() const { return size_; }
  // Up to `length` bytes from `offset`; shorter at the end, empty when the file cannot be read.
  [[nodiscard]] std::string read(std::int64_t offset, std::int64_t length) const;

 private:
  Blob(std::string bytes, std::filesystem::path path, std::int64_t size);
  std::string bytes_;
  std::filesystem::path path_;  // empty: in memory
  std::int64_t size_ = 0;
};

// A run of a blob's bytes; an object is a list of them, so that parts need not be copied together.
struct Piece {
  std::shared_ptr<const Blob> blob;
  std::int64_t offset = 0;
  std::int64_t length = 0;
};
std::int64_t size_of(const std::vector<Piece>& pieces);
// The bytes [offset, offset + length) of the pieces.
std::vector<Piece> slice(const std::vector<Piece>& pieces, std::int64_t offset, std::int64_t length);
std::string read_all(const std::vector<Piece>& pieces);

// A request's body with the digests that a door may ask for.
struct Body {
  std::shared_ptr<const Blob> blob;  // null: none
  std::string md5;                   // raw; of the empty body when there is none
  std::string sha256;                // lower-case hex
  [[nodiscard]] std::int64_t size() const { return blob ? blob->size() : 0; }
  [[nodiscard]] std::string text() const { return blob ? blob->read(0, blob->size()) : std::string(); }
};
Body make_body(std::string bytes);

// Takes a body as it arrives: kept in memory up to 1 MiB, beyond that in a file of `directory`.
class BodySink {
 public:
  explicit BodySink(std::filesystem::path directory);
  ~BodySink();
  BodySink(BodySink&&) noexcept;
  BodySink& operator=(BodySink&&) = delete;
  // false when the disk does not take it.
  bool write(std::string_view bytes);
  // May be called once.
  Body finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using Query = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string target;                          // as sent: path, `?`, query; not decoded
  std::map<std::string, std::string> headers;  // names in lower case
  Body body;
  std::string client = "127.0.0.1";
  std::string connection;  // one value per connection; faults that a reconnect cures look at it

  [[nodiscard]] std::string raw_path() const;
  [[nodiscard]] std::string raw_query() const;
  [[nodiscard]] std::string path() const;  // decoded
  [[nodiscard]] Query query() const;       // decoded, in order
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  [[nodiscard]] std::string header(std::string_view lower_case_name) const;  // empty when absent
};

struct Answer {
  int status = 200;
  std::map<std::string, std::string> headers;  // Content-Type among them; Content-Length is the server's business
  std::string text;
  std::vector<Piece> pieces;                   // the body, when not empty, instead of `text`
  std::int64_t flip = -1;                      // the byte at this place of the body goes out wrong
  std::int64_t cut = -1;                       // the connection is cut after so many bytes of the body
  std::optional<std::int64_t> claimed_length;  // of a HEAD answer
  bool drop = false;                           // the connection is cut without a byte of answer
  base::Duration delay{0};                     // how long the real service takes to say so
};
// The body as the client gets it, `flip` included.
std::string body_of(const Answer& answer);

}  // namespace failover::sandbox
