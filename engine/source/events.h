// YAML text as a row of events with places in bytes; libyaml reads, this room judges. Inside the room only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/source/tree.h"

namespace failover::source {

// Offsets are bytes into the file's text.
struct Event {
  enum class Kind { document, scalar, alias, sequence, mapping, close, end };
  Kind kind = Kind::end;
  // From its tag or anchor, if it has one, to just past it. Of `sequence` and `mapping`: the opening alone; of a
  // `close` in block style, and of a scalar that is not written: empty.
  Span span{};
  Node::Style style = Node::Style::plain;  // scalars
  bool tagged = false;
  bool anchored = false;
  std::string_view text{};  // scalar: decoded, until the next call of next()
};

// Why there is no next event, in libyaml's words (scanner.c, parser.c, reader.c of 0.2.5).
struct Problem {
  std::string what;     // `could not find expected ':'`
  std::string context;  // `while scanning a simple key`, or empty
  std::size_t at = 0;
  std::size_t context_at = 0;  // where the thing of `context` begins; `at` without one
  Span quoted{};               // the scalar in quotes that was read last, when nothing but space stands between
};

// Reads `text` from `origin` on, which is past a byte order mark. The text must be UTF-8 and outlives the reader.
class Events {
 public:
  Events(std::string_view text, std::size_t origin);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  // False when it cannot go on: problem() says why. After Event::Kind::end there is nothing more.
  bool next(Event& event);
  [[nodiscard]] Problem problem() const;

 private:
  struct Parser;
  [[nodiscard]] std::size_t offset(std::size_t characters) const;
  std::string_view text_;
  std::size_t origin_;
  std::unique_ptr<Parser> parser_;
  bool ascii_;  // a character is a byte
  // libyaml counts characters: the pair that was asked for last, from which the next one is not far.
  mutable std::size_t known_characters_ = 0;
  mutable std::size_t known_offset_;
  Span quoted_{};  // the scalar in quotes that was read last
};

}  // namespace failover::source
