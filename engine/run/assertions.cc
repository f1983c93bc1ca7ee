#include "engine/run/assertions.h"

#include "engine/base/text.h"

namespace failover::run {
namespace {

using base::Value;

struct Verdict {
  bool passed = false;
  std::string message;
  bool evaluated = true;
};

Verdict verdict_of(const expr::Expression& that, const expr::Values& values) {
  auto value = expr::evaluate(that, values);
  if (!value) return {false, "cannot be evaluated: " + value.error().message, false};
  const bool* held = value->get<bool>();
  return {held != nullptr && *held, "", true};
}

std::string own_message(const scenario::Assertion& assertion, const expr::Values& values) {
  if (!assertion.message) return {};
  auto text = scenario::evaluate(*assertion.message, values);
  return text ? text->display() : std::string();
}

// The values with other texts for the secrets that the file declares; nullopt: it declares none.
std::optional<expr::Values> with_other_secrets(const plan::Step& step, const expr::Values& values) {
  const auto environment = values.find("env");
  const Value::Map* known = environment == values.end() ? nullptr : environment->second.map();
  if (known == nullptr) return std::nullopt;
  Value::Map other = *known;
  bool any = false;
  for (const auto& variable : step.home->env) {
    const auto at = other.find(variable.name.value);
    const std::string* text = at == other.end() || !variable.secret ? nullptr : at->second.text();
    if (text == nullptr) continue;
    std::string changed = *text;
    for (char& c : changed) c = c == '*' ? '#' : '*';
    at->second = Value(std::move(changed));
    any = true;
  }
  if (!any) return std::nullopt;
  expr::Values out = values;
  out.insert_or_assign("env", Value(std::move(other)));
  return out;
}

// What would be another value with another secret is not shown, whatever was done to the secret on the way; whether
// something holds is.
void mask(std::vector<expr::Operand>& operands, const std::vector<expr::Operand>& other) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    expr::Operand& one = operands[i];
    const bool aligned = i < other.size() && other[i].text == one.text && other[i].begin == one.begin;
    if (aligned && other[i].value == one.value && other[i].difference == one.difference) continue;
    one.difference.clear();
    if (one.value != "true" && one.value != "false") one.value = "***";
  }
}

void add(Judgement& judgement, const expr::Expression& that, const expr::Values& values,
         const std::optional<expr::Values>& other, const std::string& own) {
  Verdict verdict = verdict_of(that, values);
  if (other && !verdict.message.empty() && verdict_of(that, *other).message != verdict.message)
    verdict.message = "cannot be evaluated";  // why would say the secret
  if (!verdict.passed && !own.empty()) verdict.message = own;
  auto operands = expr::operands(that, values);
  if (other) mask(operands, expr::operands(that, *other));
  Value::List shown;
  for (const auto& operand : operands) {
    Value::Map one{{"text", operand.text}, {"value", operand.value}, {"depth", operand.depth}};
    if (!operand.difference.empty()) {
      Value::List lines;
      for (auto& line : base::split(operand.difference, '\n')) lines.emplace_back(std::move(line));
      one.emplace("difference", Value(std::move(lines)));
    }
    shown.emplace_back(std::move(one));
  }
  judgement.assertions.push_back(Value::Map{{"expression", that.text()},
                                            {"passed", verdict.passed},
                                            {"message", verdict.message},
                                            {"values", Value(std::move(shown))}});
  if (verdict.passed || judgement.failure) return;
  judgement.failure = base::Error{
      base::Fault::assertion, verdict.evaluated ? "assertion" : "not_evaluated",
      "the assertion `" + that.text() + "` does not hold" + (verdict.message.empty() ? "" : ": " + verdict.message)};
}

}  // namespace

Judgement judge(const plan::Step& step, const expr::Values& values) {
  Judgement judgement;
  const auto other = with_other_secrets(step, values);
  for (const auto& assertion : step.written->asserts) {
    add(judgement, assertion.that.expression, values, other, own_message(assertion, values));
  }
  for (const auto& fallback : step.default_asserts) add(judgement, fallback.that, values, other, "");
  return judgement;
}

}  // namespace failover::run
