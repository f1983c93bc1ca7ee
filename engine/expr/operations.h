// What operators and functions do with values, and which types they take. Inside the room only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/expr/node.h"

namespace failover::expr {

base::Error broken(std::string code, std::string message);
base::Error overflow();
base::Error by_zero();
// `no such overload: int + string`.
base::Error no_overload(const std::string& what);
base::Error no_overload(Op op, const base::Value& left, const base::Value& right);
std::string kind_name(const base::Value& value);

constexpr std::int64_t kMostSteps = 1'000'000;

// What an evaluation may still do, in steps: a node is one, an element that is copied or compared is one, 64 bytes of
// text are one. Negative: nothing any more.
class Budget {
 public:
  explicit Budget(std::int64_t steps) : left_(steps) {}
  // False when there is too little left, from then on for ever.
  bool spend(std::int64_t steps);
  bool spend_text(std::size_t bytes) { return bytes < 64 || spend(static_cast<std::int64_t>(bytes / 64)); }
  // All of a value's elements and texts.
  bool spend_value(const base::Value& value);
  [[nodiscard]] bool exhausted() const { return left_ < 0; }
  [[nodiscard]] std::int64_t left() const { return left_; }

 private:
  std::int64_t left_;
};
base::Error too_costly();

// Every operator but && and ||.
base::Result<base::Value> operate(Op op, const base::Value& left, const base::Value& right, Budget& budget);
base::Result<base::Value> arithmetic(Op op, const base::Value& left, const base::Value& right, Budget& budget);
// Of two values of which one is money, a size, a rate, a duration or a timestamp.
base::Result<base::Value> unit_arithmetic(Op op, const base::Value& left, const base::Value& right);
base::Result<base::Value> negate(const base::Value& value);
// CEL's equality: numbers by value across kinds, lists and maps deep. Any answer when the budget is exhausted.
bool equal(const base::Value& left, const base::Value& right, Budget& budget);

// The type of `left op right`, or nullopt when there is no such overload. Not for && and ||.
std::optional<base::Type> result_type(Op op, const base::Type& left, const base::Type& right);
// May values of these types be told apart with == at all?
bool comparable(const base::Type& left, const base::Type& right);
// What holds for values of both; any when nothing does.
base::Type joined(const base::Type& left, const base::Type& right);

// --- functions; a receiver is the first argument ---

constexpr std::size_t kMostArguments = 2;

struct Function {
  using Types = std::span<const base::Type>;
  using Arguments = std::span<const base::Value* const>;
  std::string_view name;
  bool global = true;   // written f(x)
  bool member = false;  // written x.f()
  std::size_t least = 1;
  std::size_t most = 1;
  // May fail for the text of a literal: tried when all arguments behind the receiver are literals.
  bool reads = false;
  // The result's type for these; nullopt: no such overload.
  std::optional<base::Type> (*type)(Types arguments) = nullptr;
  base::Result<base::Value> (*call)(Arguments arguments) = nullptr;
};
std::span<const Function> functions();
const Function* function(std::string_view name);
// The function that the evaluator gives compiled patterns to.
bool is_matches(const Function* function);
// `size('20 GB')` with a literal that is a size with a unit.
bool is_size_literal(std::string_view text);

base::Result<base::Value> match(const base::Value& text, const Pattern& pattern, Budget& budget);

// --- families of functions ---

base::Error cannot_read(const base::Value& value, const std::string& as);
base::Error wrong_arguments(const char* name, Function::Arguments arguments);
base::Result<base::Value> to_int(Function::Arguments arguments);
base::Result<base::Value> to_uint(Function::Arguments arguments);
base::Result<base::Value> to_double(Function::Arguments arguments);
base::Result<base::Value> to_text(Function::Arguments arguments);
base::Result<base::Value> to_bool(Function::Arguments arguments);
base::Result<base::Value> to_bytes(Function::Arguments arguments);
base::Result<base::Value> to_duration(Function::Arguments arguments);
base::Result<base::Value> to_timestamp(Function::Arguments arguments);
base::Result<base::Value> to_money(Function::Arguments arguments);
base::Result<base::Value> to_rate(Function::Arguments arguments);

// A part of a moment in a time zone, or a whole duration in a unit.
enum class TimePart {
  year,
  month,
  date,
  day_of_month,
  day_of_week,
  day_of_year,
  hours,
  minutes,
  seconds,
  milliseconds
};
base::Result<base::Value> time_part(TimePart part, Function::Arguments arguments);
std::string format_timestamp(base::WallTime at);
// `UTC`, `Z`, `+02:00`, `-09:30`, `02:00`.
std::optional<base::Duration> read_zone(std::string_view text);

}  // namespace failover::expr
