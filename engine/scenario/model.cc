#include "engine/scenario/model.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::scenario {

using base::Value;

bool below(const Value& a, const Value& b) {
  const auto number = [](const Value& value) -> std::optional<double> {
    if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
    if (const auto* d = value.get<double>()) return *d;
    return std::nullopt;
  };
  if (const auto x = number(a), y = number(b); x && y) return *x < *y;
  if (const auto* x = a.get<base::Money>()) return b.is<base::Money>() && *x < *b.get<base::Money>();
  if (const auto* x = a.get<base::Size>()) return b.is<base::Size>() && *x < *b.get<base::Size>();
  if (const auto* x = a.get<base::Duration>()) return b.is<base::Duration>() && *x < *b.get<base::Duration>();
  return false;
}

std::string_view to_string(Mark mark) {
  switch (mark) {
    case Mark::failure: return "failure";
    case Mark::detected: return "detected";
    case Mark::degraded: return "degraded";
    case Mark::recovered: return "recovered";
  }
  return "";
}

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> kNames = {"rto", "rpo", "mttd"};
  return kNames;
}

source::Span Step::missing_field_place() const {
  if (with != nullptr) return with_key;
  return uses ? uses->span : head;
}

base::Type InputDeclaration::type() const {
  using K = base::Type::Kind;
  switch (kind) {
    case InputKind::integer: return K::integer;
    case InputKind::number: return K::number;
    case InputKind::boolean: return K::boolean;
    case InputKind::money: return K::money;
    case InputKind::duration: return K::duration;
    case InputKind::size: return K::size;
    case InputKind::any:
    case InputKind::unknown: return K::any;
    case InputKind::string:
    case InputKind::path:
    case InputKind::choice: break;
  }
  return K::string;
}

const InputDeclaration* Scenario::input(std::string_view input_name) const {
  for (const auto& one : inputs) {
    if (one.name.value == input_name) return &one;
  }
  return nullptr;
}

const EnvName* Scenario::variable(std::string_view variable_name) const {
  for (const auto& one : env) {
    if (one.name.value == variable_name) return &one;
  }
  return nullptr;
}

source::Span span_of(const source::File& file, const Condition& condition) {
  return span_of(file, condition, 0, condition.expression.empty() ? 0 : condition.expression.text().size());
}

source::Span span_of(const source::File& file, const Condition& condition, std::size_t begin, std::size_t end) {
  return source::locate(file, *condition.node, condition.offset + begin, condition.offset + end);
}

void check(const source::FilePtr& file, const Condition& condition, const expr::Scope& scope,
           source::Diagnostics& diagnostics) {
  if (condition.expression.empty()) return;
  const auto checked = expr::check(condition.expression, scope);
  for (const auto& problem : checked.problems) {
    diagnostics.error(file, span_of(*file, condition, problem.begin, problem.end), problem.code, problem.message,
                      problem.hint);
  }
  const auto kind = checked.type.kind();
  if (!checked.problems.empty() || kind == base::Type::Kind::boolean || kind == base::Type::Kind::any) return;
  diagnostics.error(file, span_of(*file, condition), "wrong-type",
                    "a condition is true or false; this is " + checked.type.name(), "compare it with something");
}

base::Result<Value> check_input(const InputDeclaration& declaration, Value value) {
  const auto refuse = [&](const std::string& message, std::string hint) {
    return base::Error{base::Fault::invalid, "bad_input", "input `" + declaration.name.value + "`: " + message,
                       std::move(hint)};
  };
  if (!declaration.type().holds(value)) {
    return refuse("expected " + declaration.type().name() + ", found " + base::printable(value.literal(), 60), "");
  }
  const auto& choices = declaration.choices;
  if (declaration.kind == InputKind::choice &&
      std::find(choices.begin(), choices.end(), *value.text()) == choices.end()) {
    const auto near = base::nearest(*value.text(), choices);
    return refuse("`" + base::printable(*value.text(), 60) + "` is not one of its values",
                  (near ? "did you mean `" + *near + "`? " : "") + "legal: " + base::join(choices));
  }
  if (declaration.minimum && below(value, *declaration.minimum)) {
    return refuse(value.display() + " is below the minimum of " + declaration.minimum->display(), "");
  }
  if (declaration.maximum && below(*declaration.maximum, value)) {
    return refuse(value.display() + " is above the maximum of " + declaration.maximum->display(), "");
  }
  return value;
}

base::Result<Value> parse_input(const InputDeclaration& declaration, std::string_view text) {
  // On a command line every text is plain; text inputs take all of it as it is.
  const bool is_text = declaration.type().kind() == base::Type::Kind::string;
  Literal literal = read_literal(text, is_text, declaration.type());
  if (literal.value) return check_input(declaration, *std::move(literal.value));
  return base::Error{base::Fault::invalid, "bad_input", "input `" + declaration.name.value + "`: " + literal.message,
                     literal.hint};
}

}  // namespace failover::scenario
