// Findings about what stands in ${{ }} and in conditions.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr Rule kRules[] = {
    {"always-true",
     "A condition or an assertion is true on every run.",
     "It asks for nothing that could differ, so it does not do what a condition is for. Remove it, or let it ask for "
     "an input or for an output.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    when: 1 < 2
)y"},
     {R"y(name: example
inputs:
  loud: {type: boolean, default: false}
steps:
  - uses: local.exec
    with: {command: [date]}
    when: inputs.loud
)y"},
     Severity::warning},
    {"bad-literal",
     "A literal in a call cannot be read.",
     "`money('$0.50')`, `size('20 GB')`, `duration('5m')` and the pattern of `matches()` are read before the run, so "
     "that "
     "a mistake in them does not end it.",
     {R"y(name: example
steps:
  - uses: vast.check_account
    assert:
      - outputs.credit > money('1')
)y"},
     {R"y(name: example
steps:
  - uses: vast.check_account
    assert:
      - outputs.credit > money('$1.00')
)y"}},
    {"expression-syntax",
     "The expression cannot be read.",
     "A bracket, a quote or an operator is missing or too much. Expressions are written as in CEL: `==` compares, `&&` "
     "and `||` join.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.exit_code = 0
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.exit_code == 0
)y"}},
    {"incomplete-reference",
     "`steps` alone has no value.",
     "A reference names a step and one of its outputs: `steps.ID.NAME`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - steps.size() == 1
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"never-holds",
     "An assertion or an `until` is false on every run.",
     "It asks for nothing that could differ, so every run would fail at this step, after what was rented before it. "
     "Let "
     "it ask for something that the step answers.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert: [1 == 2]
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert: [outputs.exit_code == 0]
)y"}},
    {"never-runs",
     "The condition of a `when` is false on every run.",
     "The step is dead. Remove it, or let the condition ask for an input or for an output of an earlier step.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    when: 1 > 2
)y"},
     {R"y(name: example
inputs:
  loud: {type: boolean, default: false}
steps:
  - uses: local.exec
    with: {command: [date]}
    when: inputs.loud
)y"},
     Severity::warning},
    {"no-fields",
     "The value has no fields.",
     "`.name` reads a field of a mapping; texts, numbers and lists have none. Sizes of lists and texts are `x.size()`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.length > 0
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.size() > 0
)y"}},
    {"no-outputs-here",
     "`outputs` has no meaning here.",
     "A step's own outputs are there after it ran: in its `assert` and `until`. What an earlier step gave is "
     "`steps.ID.NAME`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ outputs.stdout }}"]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"no-overload",
     "The operator or function does not take values of these types.",
     "Nothing is converted in silence: a number is no text, and money is no size. The hint says how to convert, or how "
     "to "
     "write the other side.",
     {R"y(name: example
steps:
  - uses: vast.check_account
    assert:
      - outputs.credit > 1
)y"},
     {R"y(name: example
steps:
  - uses: vast.check_account
    assert:
      - outputs.credit > money('$1.00')
)y"}},
    {"not-supported",
     "CEL has this, and the language has not.",
     "It is left out, not forgotten: the hint says what to write instead. The whole list stands in the manual of the "
     "expressions.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.indexOf('2026') >= 0
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.contains('2026')
)y"}},
    {"repeated-key",
     "A map in an expression has the same key twice.",
     "Only one of the two values could be meant. Keep one.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - "{'a': 1, 'a': 2}.size() == outputs.exit_code"
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - "{'a': 1, 'b': 2}.size() > outputs.exit_code"
)y"}},
    {"unknown-function",
     "There is no such function.",
     "The functions are CEL's, with units. The hint names the nearest one.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.contain('2026')
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    assert:
      - outputs.stdout.contains('2026')
)y"}},
    {"unknown-name",
     "There is no such name.",
     "In scope are `inputs`, `env`, `steps`, `run`, `elapsed`; `outputs` after the step ran, and `each` in a "
     "`foreach`. A "
     "text in an expression needs quotes of its own.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ run_id }}"]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ run.id }}"]}
)y"}},
};

}  // namespace

std::span<const Rule> expression_rules() { return kRules; }

}  // namespace failover::source
