// What operators and functions do with values, and which types they take. Inside the room only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/expr/expression.h"

namespace failover::expr {

base::Error broken(std::string code, std::string message);
// `no such overload: int + string`.
base::Error no_overload(const std::string& what);
std::string kind_name(const base::Value& value);

// Every operator but && and ||.
base::Result<base::Value> operate(const std::string& op, const base::Value& left, const base::Value& right);
base::Result<base::Value> negate(const base::Value& value);
// CEL's equality: numbers by value across kinds, lists and maps deep.
bool equal(const base::Value& left, const base::Value& right);

// The type of `left op right`, or nullopt when there is no such overload.
std::optional<base::Type> result_type(const std::string& op, const base::Type& left, const base::Type& right);
// May values of these types be told apart with == at all?
bool comparable(const base::Type& left, const base::Type& right);

// --- functions; a receiver is the first argument ---

struct Function {
  std::string name;
  bool global = true;   // written f(x)
  bool member = false;  // written x.f()
  std::size_t arguments = 1;
  // The result's type for these; nullopt: no such overload.
  std::optional<base::Type> (*type)(const std::vector<base::Type>& arguments) = nullptr;
  base::Result<base::Value> (*call)(const std::vector<base::Value>& arguments) = nullptr;
};
const std::vector<Function>& functions();
const Function* function(std::string_view name);
// `size('20 GB')` with a literal that is a size with a unit.
bool is_size_literal(std::string_view text);

}  // namespace failover::expr
