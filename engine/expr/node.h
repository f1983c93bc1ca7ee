// The syntax tree of an expression. Inside the room only.
//
// A tree owns one copy of the text and one block of memory: nodes are made in it and freed with it, and their names are
// views into the text. So parsing costs a few allocations an expression, however many nodes it has.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

#include "engine/expr/expression.h"

namespace failover::expr {

struct Function;
class Pattern;

enum class Op : std::uint8_t { none, either, both, eq, ne, lt, le, gt, ge, in, add, sub, mul, div, mod, no, minus };

// As it is written: `||`, `in`.
std::string_view text_of(Op op);
// 1 binds least; 0 is no operator between two values.
int precedence(Op op);
constexpr bool is_ordering(Op op) { return op >= Op::lt && op <= Op::ge; }
// Gives a boolean: everything from || to in.
constexpr bool is_test(Op op) { return op >= Op::either && op <= Op::in; }

struct Node {
  enum class Kind : std::uint8_t {
    literal,      // value
    name,         // name
    field,        // args[0].name
    index,        // args[0][args[1]]
    call,         // name(args...), or args[0].name(args[1]...) when `member`
    unary,        // op is `no` or `minus`
    binary,       // args[0] op args[1]
    conditional,  // args: condition, then, else
    list,         // args
    map,          // args: key, value, key, value
    has,          // has(args[0]), a field
    macro,        // args[0].name(variable, args[1] [, args[2]])
  };
  enum class Macro : std::uint8_t { none, all, exists, exists_one, map, filter };

  Kind kind = Kind::literal;
  Op op = Op::none;
  Macro macro = Macro::none;
  bool member = false;
  std::uint16_t depth = 1;      // of the tree that begins here
  std::uint16_t path_size = 0;  // parts of the static path that ends here (`a.b["c"]` has 3); 0: no such path
  std::uint32_t begin = 0;      // bytes of the text
  std::uint32_t end = 0;
  std::uint32_t name_begin = 0;  // of the field's or function's own name, or of the operator
  std::uint32_t name_end = 0;
  std::string_view name{};
  std::string_view variable{};          // of a macro
  const base::Value* value = nullptr;   // of a literal
  const Function* function = nullptr;   // of a call; nullptr: there is none of this name
  const Pattern* pattern = nullptr;     // of a call of matches() with a literal pattern
  std::span<const Node* const> args{};  // from left to right
};

struct Tree {
  explicit Tree(std::string_view source);
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  std::string text;
  const Node* root = nullptr;
  std::pmr::monotonic_buffer_resource memory;  // nodes and their lists of arguments
  std::forward_list<base::Value> values;       // of literals; they stay where they are
  std::forward_list<Pattern> patterns;
  std::vector<Path> paths;  // what references() gives: asked for often, collected once
};
// Every use of a name under `root`.
std::vector<Path> collect_paths(const Node& root);

// A name of a path as it is written in the tree: the name of a variable or field, or the text of a literal index.
struct PartView {
  std::string_view name;
  std::size_t begin = 0;
  std::size_t end = 0;
};
// The last part of the path that ends in `node`; node.path_size is above 0.
PartView last_part(const Node& node);
// The name that the path that ends in `node` begins with; node.path_size is above 0.
std::string_view first_name(const Node& node);
// The static path that ends in this node, or an empty one.
Path path_of(const Node& node);

// `my-step`: a difference of which the author may not know, as nothing stands around its minus.
bool is_hyphen(const Node& node);

// --- guards: what conditions prove ---

// As Fact, with views into the tree.
struct Proof {
  std::string_view first;
  std::string_view second;
  std::string_view third;
  std::optional<std::string_view> word;
  bool holds;
};
// The guards that hold at one place while a tree is walked.
class Guards {
 public:
  // Adds what is there whenever `condition` is `outcome`; gives what to restore() afterwards.
  std::size_t assume(const Node& condition, bool outcome);
  void restore(std::size_t before) {
    proofs_.erase(proofs_.begin() + static_cast<std::ptrdiff_t>(before), proofs_.end());
  }
  // Is the path there whenever it is used?
  [[nodiscard]] bool cover(const Node& path) const;
  [[nodiscard]] std::vector<Fact> facts() const;

 private:
  void compare(const Node& one, const Node& other, bool same);

  std::vector<Proof> proofs_;
};

}  // namespace failover::expr
