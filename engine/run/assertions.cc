#include "engine/run/assertions.h"

#include "engine/base/text.h"

namespace failover::run {
namespace {

using base::Value;

struct Verdict {
  bool passed = false;
  std::string message;
};

Verdict verdict_of(const expr::Expression& that, const expr::Values& values) {
  auto value = expr::evaluate(that, values);
  if (!value) return {false, "cannot be evaluated: " + value.error().message};
  const bool* held = value->get<bool>();
  return {held != nullptr && *held, ""};
}

std::string own_message(const scenario::Assertion& assertion, const expr::Values& values) {
  if (!assertion.message) return {};
  auto text = scenario::evaluate(*assertion.message, values);
  return text ? text->display() : std::string();
}

void add(Judgement& judgement, const expr::Expression& that, const expr::Values& values, const std::string& own) {
  Verdict verdict = verdict_of(that, values);
  if (!verdict.passed && !own.empty()) verdict.message = own;
  Value::List shown;
  for (const auto& operand : expr::operands(that, values)) {
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
      base::Fault::assertion, "assertion",
      "the assertion `" + that.text() + "` does not hold" + (verdict.message.empty() ? "" : ": " + verdict.message)};
}

}  // namespace

Judgement judge(const plan::Step& step, const expr::Values& values) {
  Judgement judgement;
  for (const auto& assertion : step.written->asserts) {
    add(judgement, assertion.that.expression, values, own_message(assertion, values));
  }
  for (const auto& fallback : step.default_asserts) add(judgement, fallback.that, values, "");
  return judgement;
}

}  // namespace failover::run
