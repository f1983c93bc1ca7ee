#include "engine/base/json_tree.h"

#include <bit>
#include <limits>

#include "engine/base/json_read.h"

namespace failover::base {

class JsonTree::Builder final : public JsonReader {
 public:
  explicit Builder(JsonTree& tree) : tree_(tree) {}
  void null() override { add(Kind::null); }
  void boolean(bool value) override { add(Kind::boolean).number = value ? 1 : 0; }
  void number(std::int64_t value) override { add(Kind::integer).number = static_cast<std::uint64_t>(value); }
  void number(std::uint64_t value) override { add(Kind::large).number = value; }
  void number(double value) override { add(Kind::real).number = std::bit_cast<std::uint64_t>(value); }
  void text(std::string_view value) override {
    const Part kept = keep(value);
    add(Kind::text).text = kept;
  }
  void key(std::string_view name) override { name_ = keep(name); }
  void begin_object() override { open(Kind::object); }
  void begin_array() override { open(Kind::array); }
  void end_object() override { close(); }
  void end_array() override { close(); }

 private:
  using Kind = JsonNode::Kind;

  Part keep(std::string_view text) {
    const Part out{static_cast<std::uint32_t>(tree_.texts_.size()), static_cast<std::uint32_t>(text.size())};
    tree_.texts_ += text;
    return out;
  }
  Node& add(Kind kind) {
    if (!open_.empty()) ++tree_.nodes_[open_.back()].size;
    Node& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.name = name_;
    node.next = static_cast<std::uint32_t>(tree_.nodes_.size());
    name_ = {};
    return node;
  }
  void open(Kind kind) {
    add(kind);
    open_.push_back(static_cast<std::uint32_t>(tree_.nodes_.size() - 1));
  }
  void close() {
    tree_.nodes_[open_.back()].next = static_cast<std::uint32_t>(tree_.nodes_.size());
    open_.pop_back();
  }

  JsonTree& tree_;
  std::vector<std::uint32_t> open_;
  Part name_{};
};

std::shared_ptr<const JsonTree> JsonTree::read(std::string_view text) {
  auto tree = std::make_shared<JsonTree>();
  // Answers are bounded far below what the places of a tree can count.
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) return tree;
  constexpr std::size_t kBytesOfMember = 20;
  tree->nodes_.reserve(2 + text.size() / kBytesOfMember);
  tree->texts_.reserve(text.size());
  Builder builder(*tree);
  if (!read_json(text, builder)) tree->nodes_.clear();
  return tree;
}

bool JsonNode::is_number_unsigned() const {
  return kind() == Kind::large || (kind() == Kind::integer && static_cast<std::int64_t>(whole()) >= 0);
}

std::uint64_t JsonNode::whole() const {
  const bool held = is_number_integer() || is_boolean();
  return held ? tree_->nodes_[at_].number : 0;
}

double JsonNode::real() const {
  if (is_number_float()) return std::bit_cast<double>(tree_->nodes_[at_].number);
  return kind() == Kind::large ? static_cast<double>(whole()) : static_cast<double>(static_cast<std::int64_t>(whole()));
}

std::string_view JsonNode::text() const {
  return is_string() ? tree_->part(tree_->nodes_[at_].text) : std::string_view();
}

std::size_t JsonNode::size() const { return is_array() || is_object() ? tree_->nodes_[at_].size : 0; }

JsonNode JsonNode::front() const { return empty() ? JsonNode() : *begin(); }

JsonNode::Iterator JsonNode::find(std::string_view name) const {
  if (!is_object()) return end();
  const std::uint32_t last = tree_->nodes_[at_].next;
  std::uint32_t found = last;
  for (std::uint32_t at = at_ + 1; at < last; at = tree_->nodes_[at].next) {
    const JsonTree::Part& its = tree_->nodes_[at].name;
    if (std::string_view(tree_->texts_.data() + its.from, its.length) == name) found = at;
  }
  return Iterator({tree_, found});
}

JsonNode JsonNode::operator[](std::string_view name) const {
  const Iterator found = find(name);
  return found == end() ? JsonNode() : *found;
}

}  // namespace failover::base
