// Builds the tree from yaml-cpp's events. Inside the room only.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/source/tree.h"

namespace failover::source {

// Thrown out of the parser when going on makes no sense; the reason is in the diagnostics.
struct Stop {};

class Builder final : public YAML::EventHandler {
 public:
  Builder(FilePtr file, std::size_t origin, Diagnostics& diagnostics);

  [[nodiscard]] Node take() { return std::move(root_); }
  // Just past the last thing that was read.
  [[nodiscard]] std::size_t cursor() const { return cursor_; }
  // Where the brackets stand that are open now, outermost first.
  [[nodiscard]] std::vector<std::size_t> open_brackets() const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    bool keep = true;     // the entry that is being read takes part
    bool is_key = false;  // this collection stands where a key should be
    Entry entry{};
    std::unordered_map<std::string, Span> seen{};  // only for mappings with many keys
  };

  [[nodiscard]] std::size_t offset(const YAML::Mark& mark) const;
  [[nodiscard]] bool wants_key() const;
  void count(std::size_t at);
  std::size_t properties(std::size_t at, const std::string& tag, YAML::anchor_t anchor, bool& tagged);
  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void key(std::string text, Span span);
  void add(Node node);
  [[nodiscard]] const Span* first_use(const Frame& frame, const std::string& name) const;
  [[nodiscard]] std::size_t closing_bracket(char bracket) const;
  [[nodiscard]] Span null_span(std::size_t at) const;

  FilePtr file_;
  std::string_view text_;
  std::size_t origin_;  // bytes before yaml-cpp's position 0: a byte order mark
  Diagnostics& diagnostics_;
  std::vector<Frame> open_;
  Node root_;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  std::size_t cursor_ = 0;    // just past the last thing read
  std::size_t skipping_ = 0;  // collections open inside an unquoted `{{ }}`
};

}  // namespace failover::source
