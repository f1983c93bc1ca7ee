// A JSON text that was read: flat and immutable, made with a handful of allocations whatever its size, since providers
// answer with rows of a hundred members of which a client wants fifteen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace failover::base {

class JsonTree;

// A place in a tree, which must outlive it. What does not exist is a discarded node, which is of no kind and has
// nothing.
class JsonNode {
 public:
  class Iterator;
  JsonNode() = default;

  [[nodiscard]] bool is_discarded() const { return tree_ == nullptr; }
  [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
  [[nodiscard]] bool is_boolean() const { return kind() == Kind::boolean; }
  [[nodiscard]] bool is_number() const { return is_number_integer() || is_number_float(); }
  [[nodiscard]] bool is_number_integer() const { return kind() == Kind::integer || kind() == Kind::large; }
  [[nodiscard]] bool is_number_unsigned() const;  // an integer that is not negative
  [[nodiscard]] bool is_number_float() const { return kind() == Kind::real; }
  [[nodiscard]] bool is_string() const { return kind() == Kind::text; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::array; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::object; }

  // bool, std::int64_t, std::uint64_t, double (of any number), std::string, std::string_view: zero or empty when it is
  // of another kind.
  template <class T>
  [[nodiscard]] T get() const {
    if constexpr (std::is_same_v<T, bool>)
      return is_boolean() && whole() != 0;
    else if constexpr (std::is_same_v<T, double>)
      return real();
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>(whole());
    else
      return T(text());
  }

  // Of an array or object; 0 of everything else.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  // The elements of an array, the values of an object's members.
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  [[nodiscard]] JsonNode front() const;
  // The member of an object, the last of that name; end(), or a discarded node, when there is none.
  [[nodiscard]] Iterator find(std::string_view name) const;
  [[nodiscard]] JsonNode operator[](std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return !(*this)[name].is_discarded(); }

 private:
  friend class JsonTree;
  enum class Kind : std::uint8_t { none, null, boolean, integer, large, real, text, array, object };
  JsonNode(const JsonTree* tree, std::uint32_t at) : tree_(tree), at_(at) {}
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] std::uint64_t whole() const;
  [[nodiscard]] double real() const;
  [[nodiscard]] std::string_view text() const;

  const JsonTree* tree_ = nullptr;
  std::uint32_t at_ = 0;
};

class JsonNode::Iterator {
 public:
  explicit Iterator(JsonNode node) : node_(node) {}
  const JsonNode& operator*() const { return node_; }
  const JsonNode* operator->() const { return &node_; }
  Iterator& operator++();
  [[nodiscard]] bool operator==(const Iterator& other) const { return node_.at_ == other.node_.at_; }

 private:
  JsonNode node_;
};

class JsonTree {
 public:
  // Never fails: the root of what is not one whole JSON text (engine/base/json.h) is discarded.
  static std::shared_ptr<const JsonTree> read(std::string_view text);
  [[nodiscard]] JsonNode root() const { return nodes_.empty() ? JsonNode() : JsonNode(this, 0); }

 private:
  friend class JsonNode;
  class Builder;
  struct Part {  // of texts_
    std::uint32_t from, length;
  };
  struct Node {
    JsonNode::Kind kind = JsonNode::Kind::none;
    Part name{};               // of a member
    Part text{};               // of a text
    std::uint32_t next = 0;    // the node behind this one and everything in it
    std::uint32_t size = 0;    // of an array or object
    std::uint64_t number = 0;  // the bits of a number; 0 or 1 of a boolean
  };
  [[nodiscard]] std::string_view part(Part which) const {
    return std::string_view(texts_).substr(which.from, which.length);
  }
  std::vector<Node> nodes_;  // each before what is in it
  std::string texts_;
};

// Here, so that a look through the members of a row is a loop over an array.
inline JsonNode::Kind JsonNode::kind() const { return tree_ == nullptr ? Kind::none : tree_->nodes_[at_].kind; }

// Of what has nothing in it both are the same place.
inline JsonNode::Iterator JsonNode::begin() const { return Iterator({tree_, at_ + 1}); }
inline JsonNode::Iterator JsonNode::end() const {
  return Iterator({tree_, is_array() || is_object() ? tree_->nodes_[at_].next : at_ + 1});
}
inline JsonNode::Iterator& JsonNode::Iterator::operator++() {
  node_.at_ = node_.tree_->nodes_[node_.at_].next;
  return *this;
}

}  // namespace failover::base
