// YAML text as a tree with places. One document, no anchors, aliases, tags or merge keys, no duplicate keys; bounded in
// bytes, nodes and depth. Scalars keep their text: source/scalar.h says what a plain one means.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/diagnostic.h"
#include "engine/source/file.h"

namespace failover::source {

constexpr std::size_t kLargestFile = 1 << 20;  // bytes
constexpr std::size_t kMostNodes = 400'000;
constexpr std::size_t kDeepest = 32;

struct Entry;

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  enum class Style { plain, single_quoted, double_quoted, literal, folded, flow, block };

  Kind kind = Kind::null;
  Style style = Style::plain;  // flow and block for sequences and mappings
  // The whole value, quotes and brackets included. A null that is not written has its key's (or its dash's) span.
  Span span{};
  std::string text{};          // scalar: decoded
  std::vector<Node> items;     // sequence
  std::vector<Entry> entries;  // mapping, in order, keys unique
  bool broken = false;         // a mistake was reported for it already: say no more

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::mapping; }
  [[nodiscard]] bool is_plain() const { return is_scalar() && style == Style::plain; }
  // The entry of a mapping with this key, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Span key_span;
  Node value;
};

// Owns the tree. Nodes stay where they are as long as the document lives: others keep pointers to them.
struct Document {
  FilePtr file;
  Node root;
};

using DocumentPtr = std::shared_ptr<const Document>;

// Reads `file`. Every mistake goes to `diagnostics`; nullptr when there is no tree at all (not YAML, too large, empty).
DocumentPtr parse(const FilePtr& file, Diagnostics& diagnostics);

// Where the bytes [begin, end) of node.text stand in the file: exact through quotes, escapes, folding, block
// indentation and CRLF. For a node that is not a scalar, and when begin is past the text: the node's own span.
Span locate(const File& file, const Node& node, std::size_t begin, std::size_t end);

// The same for many places of one node, whose text is walked once. Views: both must outlive it.
class Places {
 public:
  Places(const File& file, const Node& node) : file_(file), node_(node) {}
  Span of(std::size_t begin, std::size_t end);

 private:
  const File& file_;
  const Node& node_;
  bool walked_ = false;
  std::optional<std::vector<std::size_t>> aligned_;
};

}  // namespace failover::source
