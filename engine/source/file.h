// A text file as the author sees it: bytes, lines and the places in them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace failover::source {

// Byte offsets into a file's text, end excluded.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

// Line and column from 1; columns count characters (code points).
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

// Immutable. `name` is what diagnostics print. A byte order mark stays in the text but counts no column.
class File {
 public:
  File(std::string name, std::string text);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  // Offsets past the end are the end.
  [[nodiscard]] Place place(std::size_t offset) const;
  [[nodiscard]] std::string_view slice(Span span) const;
  // The line (from 1) without its line break.
  [[nodiscard]] std::string_view line(std::size_t number) const;
  [[nodiscard]] std::size_t lines() const { return starts_.size(); }
  // Offset of the first byte of the line (from 1), a byte order mark excluded.
  [[nodiscard]] std::size_t line_start(std::size_t number) const;

 private:
  std::string name_;
  std::string text_;
  [[nodiscard]] std::size_t characters(std::size_t offset) const;
  std::vector<std::size_t> starts_;
  // Characters before each block of the text, so that a place in a long line costs no more than one in a short one.
  // Empty where every byte is one.
  std::vector<std::size_t> counted_;
};

using FilePtr = std::shared_ptr<const File>;

}  // namespace failover::source
