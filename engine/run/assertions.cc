#include "engine/run/assertions.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::run {
namespace {

using base::Value;

struct Verdict {
  bool passed = false;
  std::string message;
  std::string code{};  // why it cannot be evaluated; empty: it can
};

Verdict verdict_of(const expr::Expression& that, const expr::Values& values) {
  auto value = expr::evaluate(that, values);
  if (!value) return {false, "cannot be evaluated: " + value.error().message, value.error().code};
  const bool* held = value->get<bool>();
  return {held != nullptr && *held, ""};
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

// Why would say the secret where it is another with another one.
Verdict verdict_of(const expr::Expression& that, const expr::Values& values, const std::optional<expr::Values>& other) {
  Verdict verdict = verdict_of(that, values);
  if (other && !verdict.message.empty() && verdict_of(that, *other).message != verdict.message)
    verdict.message = "cannot be evaluated";
  return verdict;
}

// Another round may bring what a list, a map or an output has not yet.
bool not_yet(const expr::Expression& that, const expr::Values& values, const std::string& code) {
  if (code == "no_such_key" || code == "index_out_of_range") return true;
  if (code != "no_such_overload") return false;
  const auto operands = expr::operands(that, values);
  return std::any_of(operands.begin(), operands.end(), [](const auto& one) { return one.value == "null"; });
}

void add(Judgement& judgement, const expr::Expression& that, const expr::Values& values,
         const std::optional<expr::Values>& other, const std::string& own) {
  Verdict verdict = verdict_of(that, values, other);
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
      base::Fault::assertion, verdict.code.empty() ? "assertion" : "not_evaluated",
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

Look look(const plan::Step& step, const expr::Values& values) {
  if (!step.written->until) return {true, std::nullopt, ""};
  const expr::Expression& that = step.written->until->expression;
  const Verdict verdict = verdict_of(that, values, with_other_secrets(step, values));
  if (verdict.code.empty()) return {verdict.passed, std::nullopt, ""};
  if (not_yet(that, values, verdict.code)) return {false, std::nullopt, verdict.message};
  return {false,
          base::Error{base::Fault::assertion, "not_evaluated", "`until: " + that.text() + "` " + verdict.message,
                      "let it first ask for what it needs, as in `outputs.stdout != '' && int(outputs.stdout) > 3`"},
          ""};
}

bool proves(const base::Error& error) {
  using base::Fault;
  if (error.fault == Fault::assertion) return error.code != "not_evaluated" && error.code != "unmeasured";
  return error.fault != Fault::cancelled && error.fault != Fault::invalid && error.fault != Fault::internal;
}

}  // namespace failover::run
