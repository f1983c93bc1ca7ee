// Builds the tree from the reader's events. Inside the room only.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/source/events.h"
#include "engine/source/tree.h"

namespace failover::source {

class Builder {
 public:
  Builder(FilePtr file, std::size_t origin, Diagnostics& diagnostics);

  // False when going on makes no sense: the reason is in the diagnostics.
  bool on(const Event& event);
  [[nodiscard]] Node take() { return std::move(root_); }
  // Documents that have begun.
  [[nodiscard]] std::size_t documents() const { return documents_; }
  // Where the brackets stand that are open now, outermost first.
  [[nodiscard]] std::vector<std::size_t> open_brackets() const;

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    bool keep = true;     // the entry that is being read takes part
    bool is_key = false;  // this collection stands where a key should be
    Entry entry{};
    std::unordered_map<std::string, Span> seen{};  // only for mappings with many keys
  };

  [[nodiscard]] bool wants_key() const;
  bool count(std::size_t at);
  bool document(const Event& event);
  bool scalar(const Event& event);
  void null(const Event& event);
  void alias(const Event& event);
  bool open(const Event& event);
  void close(const Event& event);
  // Refuses a tag or an anchor where it stands; where the value itself begins.
  std::size_t properties(const Event& event);
  void key(std::string text, Span span);
  void tab_before(std::size_t at);
  // Refuses a plain scalar with a character that only looks like a space, a dash or a colon of its structure.
  bool looks_like(Span span, bool key);
  void add(Node node);
  [[nodiscard]] const Span* first_use(const Frame& frame, const std::string& name) const;
  // The key that is being read takes no part.
  void drop_key();
  [[nodiscard]] Span null_span(Span written) const;

  FilePtr file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  std::vector<Frame> open_;
  Node root_;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  std::size_t cursor_ = 0;    // just past the last thing read
  std::size_t skipping_ = 0;  // collections open inside an unquoted `{{ }}`
};

}  // namespace failover::source
