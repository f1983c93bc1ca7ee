// The expression language: CEL's syntax and semantics for the subset that the scenario language names, plus the units
// money, size and rate. Parsed once, typed offline, evaluated in bounded time and memory. No I/O, no globals.
// README.md lists what CEL has and this has not, and where the two differ; a test reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/base/value.h"
#include "engine/source/code.h"

namespace failover::expr {

// A mistake in an expression. Offsets are bytes of the text that was parsed.
struct Problem {
  std::size_t begin = 0;
  std::size_t end = 0;
  source::Code code;
  std::string message;
  std::string hint{};
};

struct Node;
struct Path;
struct Tree;

// Immutable, cheap to copy; copies share one tree. Default-constructed: empty(); nothing below may be asked of it.
class Expression {
 public:
  Expression() = default;
  explicit Expression(std::shared_ptr<const Tree> tree);
  [[nodiscard]] bool empty() const { return tree_ == nullptr; }
  [[nodiscard]] const Node& root() const;
  [[nodiscard]] const std::string& text() const;
  friend const std::vector<Path>& references(const Expression& expression);

 private:
  std::shared_ptr<const Tree> tree_;
};

struct Parsed {
  Expression expression;          // empty when there are problems
  std::vector<Problem> problems;  // syntax ends at the first one
};

constexpr std::size_t kLongestExpression = 16 * 1024;  // bytes
constexpr int kDeepestExpression = 100;                // levels of nesting

Parsed parse(std::string_view text);

// --- names ---

struct PathPart {
  std::string name;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What conditions say of a path of two parts or more: that has() finds it, or that it is this text.
struct Fact {
  std::string first;                  // `steps`
  std::string second;                 // `race`
  std::string third{};                // `winner`; empty where has() asks for two parts alone
  std::optional<std::string> word{};  // the text; nullopt: it is about has()
  bool holds = true;                  // false: has() does not find it, it is another text
};

// A name and the constant fields after it: `steps.offer.best.id`, `outputs["files"]`. Stops before a computed index
// or a call.
struct Path {
  std::vector<PathPart> parts;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool in_has = false;        // the argument of has()
  bool guarded = false;       // or used only where a has() of the same first two parts is true
  std::vector<Fact> facts{};  // all that the conditions around it say
};

// Every use of a name, macro variables excluded, in order of place. Lives as long as the expression.
const std::vector<Path>& references(const Expression& expression);

// Where a path's text is taken to its last character.
struct TakenWhole {
  Path path;
  std::string text{};         // the literal that it is compared with
  std::string_view reader{};  // or the conversion that reads it: `int`
};
// In order of place; macro variables excluded.
std::vector<TakenWhole> taken_whole(const Expression& expression);

// What a whole number can be, or how many elements a list can have.
struct Range {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  bool operator==(const Range&) const = default;
};
// What is in both.
Range both(const Range& a, const Range& b);
// Of the path, or, with `size`, of the size of what it names; nothing when nothing is known.
using RangeOf = std::function<std::optional<Range>(const Path& path, bool size)>;
// What the condition is, whatever the numbers are within their ranges; nothing when that is open.
std::optional<bool> decided(const Expression& condition, const RangeOf& range);

// What holds of a path whenever the condition is true: that it lies in the range, and equals the other one, if it has
// parts.
struct Bound {
  Path path;
  Range range{};
  Path same{};
};
std::vector<Bound> bounds(const Expression& condition);

// What holds whenever the condition is true: both sides of `&&`, what `!` turns round, neither side of `||`.
std::vector<Fact> proven(const Expression& condition);

// --- types ---

// What the first `parts` parts of a path are; the checker goes on from there by the type's own fields.
struct Known {
  base::Type type;
  std::size_t parts = 1;
  // What a text, or each element of a list of texts, always is one of; nullptr: any. Lives as long as the scope.
  const std::vector<std::string>* words = nullptr;
  std::optional<Range> length{};  // of a list: how many elements it has
};
// Why a path leads nowhere. `part` says which part is to blame. An empty message: it was said elsewhere, be silent.
struct Refusal {
  std::size_t part = 0;
  source::Code code;
  std::string message;
  std::string hint;
};
using Answer = std::variant<Known, Refusal>;
using Resolver = std::function<Answer(const Path&)>;

struct Scope {
  std::map<std::string, base::Type, std::less<>> names;
  std::map<std::string, Resolver, std::less<>> resolvers;  // by first part; asked before `names`
  std::int64_t* work_left = nullptr;      // steps of evaluation that parts without names may take; nullptr: any
  std::int64_t* patterns_left = nullptr;  // instructions of regular expressions that may be compiled; nullptr: any
};

struct Checked {
  base::Type type;  // any when unknown
  std::vector<Problem> problems;
  // Some part has a type that only the run knows (dyn, mixed lists, null or a value). Without it and without problems
  // an evaluation ends in a value of `type`, or in an error that no type foresees: overflow, division by zero, an index
  // out of range, a missing key of a map, a text that cannot be converted, too costly. Those of parts that no name
  // takes part in are problems.
  bool dynamic = false;
};

Checked check(const Expression& expression, const Scope& scope);

// What makes a `to` of `text`, an expression of type `from`: `money(each)`. Empty when nothing does. `literal` is its
// value, when it is one.
std::string conversion(std::string_view text, const base::Value* literal, const base::Type& from, const base::Type& to);

// --- values ---

using Values = base::Value::Map;  // by first part

// RFC 3339, with any offset; nothing for a moment that 64 bits of nanoseconds cannot hold.
std::optional<base::WallTime> read_timestamp(std::string_view text);

// Error{invalid, code, message} with CEL's causes: overflow, division_by_zero, no_such_key, repeated_key,
// index_out_of_range, no_such_overload, bad_conversion, bad_pattern, bad_time_zone; `too_costly` past a million steps
// (a node, an element made or compared, 64 bytes of text) or when one text becomes longer than a mebibyte.
// `spent`: gets the steps that it took added.
base::Result<base::Value> evaluate(const Expression& expression, const Values& values, std::int64_t* spent = nullptr);

// One line of an assertion's tree: a part of the expression and what it was.
struct Operand {
  std::string text;   // the source of the part
  std::string value;  // as a literal, or `error: ...`
  int depth = 0;      // the whole expression is 0
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string difference{};  // of a `==` that is false between two texts, lists or maps: in what, in lines; else empty
};

// The whole expression, then its paths, calls and sides of operators, outermost first; literals are left out, and what
// stands there twice is shown once. Parts that short circuits skip are still shown. A value's text is cut at 400 bytes;
// no more than 200 parts; all of it costs no more than one evaluation may.
std::vector<Operand> operands(const Expression& expression, const Values& values);

}  // namespace failover::expr
