// The syntax tree of an expression. Inside the room only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/expression.h"

namespace failover::expr {

using NodePtr = std::shared_ptr<const Node>;

struct Node {
  enum class Kind {
    literal,      // value
    name,         // text
    field,        // args[0].text
    index,        // args[0][args[1]]
    call,         // text(args...), or args[0].text(args[1]...) when `member`
    unary,        // text is `!` or `-`
    binary,       // text is the operator
    conditional,  // args: condition, then, else
    list,         // args
    map,          // args: key, value, key, value
    has,          // has(args[0]), a field
    macro,        // args[0].text(variable, args[1] [, args[2]])
  };

  Kind kind = Kind::literal;
  std::size_t begin = 0;
  std::size_t end = 0;
  base::Value value{};
  std::string text{};
  std::string variable{};  // of a macro
  std::vector<NodePtr> args{};
  bool member = false;
  std::size_t name_begin = 0;  // of the field's or function's own name, or of the operator
  std::size_t name_end = 0;
};

// The static path that ends in this node (`a.b["c"]`), or an empty one.
Path path_of(const Node& node);

}  // namespace failover::expr
