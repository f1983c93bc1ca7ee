// A scenario as its author wrote it, typed as far as that goes without knowing step types. Places are kept everywhere:
// the plan room checks `uses`, `with` and every reference, and must point at the exact key.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/base/value.h"
#include "engine/expr/expression.h"
#include "engine/scenario/given.h"
#include "engine/source/tree.h"

namespace failover::scenario {

// Something the file says, with its place. `key` is the key's span (the value's own in a list).
template <class T>
struct At {
  T value{};
  source::Span span{};
  source::Span key{};
};

// A bare expression (`when`, `until`, `assert`).
struct Condition {
  expr::Expression expression;
  const source::Node* node = nullptr;
  std::size_t offset = 0;  // of the expression in node->text (past `${{ ` where the author wrote it)
  source::Span key{};
};

// An optional value that few steps have: it takes room only where it is there, since a scenario may have thousands of
// steps.
template <class T>
class Seldom {
 public:
  Seldom() = default;
  Seldom(std::optional<T> value) {  // NOLINT(google-explicit-constructor): stands where an optional stood
    if (value) value_ = std::make_unique<T>(*std::move(value));
  }
  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

 private:
  std::unique_ptr<const T> value_;
};

struct Assertion {
  Condition that;
  Seldom<Given> message;  // a string, perhaps with expressions
};

enum class Jitter { none, full };
struct Retry {
  std::vector<At<base::Fault>> errors;
  std::optional<Given> attempts;   // integer >= 1, all tries counted
  std::optional<Given> delay;      // duration
  std::optional<Given> backoff;    // number >= 1
  std::optional<Given> max_delay;  // duration
  Jitter jitter = Jitter::none;
  source::Span key{};
};

enum class Mark { failure, detected, degraded, recovered };
std::string_view to_string(Mark mark);

enum class Wait { all, first };

struct Step;
struct Branch {
  At<std::string> name;
  std::vector<Step> steps;
};

// What kind of step it is follows from which of `uses`, `steps`, `branches` is there: exactly one is.
struct Step {
  std::optional<At<std::string>> id;
  Seldom<At<std::string>> name;
  std::optional<At<std::string>> uses;
  const source::Node* with = nullptr;  // a mapping, or nullptr
  source::Span with_key{};
  // `with` could not be read, or not all of it: what it lacks was not looked for.
  bool with_unread = false;
  // Keys that no step has, and what they may stand for: fields, perhaps, that belong below `with`.
  Seldom<std::set<std::string>> strays;
  Seldom<At<std::string>> phase;
  Seldom<Given> timeout;  // duration
  Seldom<Retry> retry;
  std::optional<Condition> when;
  std::vector<Assertion> asserts;
  Seldom<Condition> until;
  Seldom<Given> every;  // duration; only with `until`
  std::vector<At<Mark>> marks;
  std::vector<Step> on_failure;
  Seldom<Given> keep;  // duration
  Seldom<At<bool>> must_fail;
  Seldom<Given> foreach;  // a list
  Seldom<At<std::int64_t>> max_parallel;
  std::vector<Step> steps;       // a group
  std::vector<Branch> branches;  // side by side
  Wait wait = Wait::all;
  source::Span shape{};  // of `uses`' value, or of the key `steps` or `branches`
  source::Span span{};   // the step's whole mapping
  source::Span head{};   // its first key: where a finding about the step as such goes

  // Where a missing `with` field is placed: the `with` key, or `uses`.
  [[nodiscard]] source::Span missing_field_place() const;
};

// The types that an input may declare, by the author's words.
// `unknown`: the file does not say it in words that mean something; a finding was reported.
// `any`: of a fragment alone; it is typed where the fragment is used, by what is given there.
enum class InputKind { string, integer, number, boolean, money, duration, size, path, choice, any, unknown };

struct InputDeclaration {
  At<std::string> name;
  InputKind kind = InputKind::string;
  std::string description;
  std::optional<base::Value> fallback;  // `default`; an input without one is required
  std::optional<base::Value> minimum;
  std::optional<base::Value> maximum;
  std::vector<std::string> choices;       // of a choice (`enum`)
  [[nodiscard]] base::Type type() const;  // path and choice are strings
};

struct EnvName {
  At<std::string> name;
  bool secret = false;
};

// What a fragment gives back to the step that uses it.
struct OutputDeclaration {
  At<std::string> name;
  Given value;  // any type; sees the fragment's own inputs and steps
  std::string description;
};

struct Objective {
  At<std::string> name;  // `rto`, `rpo`, `mttd`, ...
  Given limit;           // duration
};

struct Scenario {
  source::DocumentPtr document;  // every node pointer leads into it
  At<std::string> name;
  std::string description;
  std::vector<std::string> tags;
  std::vector<EnvName> env;
  std::vector<InputDeclaration> inputs;  // in the file's order
  std::optional<Given> cost_limit;       // money
  std::optional<Given> duration_limit;   // duration
  std::vector<Objective> objectives;
  std::vector<Step> preflight;
  std::vector<Step> steps;
  std::vector<Step> finally;
  std::optional<At<bool>> must_fail;
  std::vector<OutputDeclaration> outputs;  // of a fragment
  // Names that something wrong declares, in the ways in which they may be used: they are no mistakes there.
  std::set<std::string> hidden;

  [[nodiscard]] const source::FilePtr& file() const { return document->file; }
  [[nodiscard]] const InputDeclaration* input(std::string_view input_name) const;
  [[nodiscard]] const EnvName* variable(std::string_view variable_name) const;
};

// Reads `file`, reporting every finding that needs no knowledge of step types. The scenario is there whenever the file
// has a tree with a mapping at its root: with errors reported it holds what could be understood, for further checks.
std::optional<Scenario> load(const source::FilePtr& file, source::Diagnostics& diagnostics);

// Reads a fragment: `inputs`, `outputs`, `steps`, `env`, `description` and no more; otherwise like load().
std::optional<Scenario> load_fragment(const source::FilePtr& file, source::Diagnostics& diagnostics);
// Does `uses` name a file instead of a step type: `./x.yaml` or `../x.yaml`?
bool is_fragment(std::string_view uses);

// The places of the whole condition and of bytes [begin, end) of its expression.
source::Span span_of(const source::File& file, const Condition& condition);
source::Span span_of(const source::File& file, const Condition& condition, std::size_t begin, std::size_t end);
// Types the condition as a boolean.
void check(const source::FilePtr& file, const Condition& condition, const expr::Scope& scope,
           source::Diagnostics& diagnostics);

// `--input name=text`: the value, or Error{invalid} that says what is wanted.
base::Result<base::Value> parse_input(const InputDeclaration& declaration, std::string_view text);

// The value, when it is of the declared type, within its bounds and choices; else Error{invalid}.
base::Result<base::Value> check_input(const InputDeclaration& declaration, base::Value value);

// Is `a` less than `b`? Values of one type that has an order; false for all others.
bool below(const base::Value& a, const base::Value& b);

// The objectives' names, in the language's order.
const std::vector<std::string>& objective_names();

}  // namespace failover::scenario
