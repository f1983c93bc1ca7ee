// Findings about steps, inputs, outputs, variables and fragments that are named.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr std::string_view kEcho = R"y(inputs:
  word: {type: string}
outputs:
  said: "${{ steps.say.stdout }}"
steps:
  - id: say
    uses: local.exec
    with: {command: [echo, "${{ inputs.word }}"]}
)y";

constexpr Rule kRules[] = {
    {"fragment-cycle",
     "A fragment leads back to itself.",
     "It would never end. The message shows the way round; take one of the steps out of it.",
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
)y",
      R"y(steps:
  - uses: ./fragment.yaml
)y"},
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
)y",
      R"y(steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"fragments-too-deep",
     "Fragments use fragments, more than 8 deep or for more than 50,000 steps.",
     "Nobody could follow such a journey in a report. Let the scenario use the inner fragments itself.",
     {R"y(name: example
steps:
  - uses: ./fragment.yaml  # ... which uses another, and so on
)y",
      R"y(steps:
  - uses: ./fragment-2.yaml
)y"},
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
)y",
      R"y(steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"later-step",
     "The step comes later.",
     "Its outputs do not exist yet when this is read. Move one of the two, or use an earlier step.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
  - id: look
    uses: local.exec
    with: {command: [date]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"may-be-skipped",
     "The step may not have run when this is read.",
     "It has a `when`, it is in a branch that may lose, or the journey may have ended before it. Ask with `has()` "
     "first, "
     "in a `when` or before `?`.",
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
finally:
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
finally:
  - uses: local.exec
    when: has(steps.look.stdout)
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"no-such-fragment",
     "There is no file with this fragment.",
     "Paths are relative to the file that says them, not to where the program was started.",
     {R"y(name: example
steps:
  - uses: ./fragmnet.yaml
)y"},
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
)y",
      R"y(steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"other-branch",
     "The step cannot be seen from here.",
     "Branches run side by side, and the rounds of a `foreach` come and go: what happens inside may not have happened "
     "yet. Read it after the whole has ended.",
     {R"y(name: example
steps:
  - branches:
      left:
        - id: look
          uses: local.exec
          with: {command: [date]}
      right:
        - uses: local.exec
          with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"},
     {R"y(name: example
steps:
  - branches:
      left:
        - id: look
          uses: local.exec
          with: {command: [date]}
      right:
        - uses: local.exec
          with: {command: [uptime]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"undeclared-env",
     "The environment variable is not declared.",
     "A scenario sees only the variables that its `env` names, so that a reader knows what it depends on. A fragment's "
     "variables must be declared by the scenario as well.",
     {R"y(name: example
steps:
  - uses: b2.check_bucket
    with: {bucket: "${{ env.B2_BUCKET }}"}
)y"},
     {R"y(name: example
env: [B2_BUCKET]
steps:
  - uses: b2.check_bucket
    with: {bucket: "${{ env.B2_BUCKET }}"}
)y"}},
    {"unknown-input",
     "There is no such input.",
     "Inputs are declared under `inputs`. The hint lists them, and the nearest.",
     {R"y(name: example
inputs:
  word: {type: string, default: hello}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.wrod }}", "${{ inputs.word }}"]}
)y"},
     {R"y(name: example
inputs:
  word: {type: string, default: hello}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.word }}"]}
)y"}},
    {"unknown-output",
     "The step has no such output.",
     "`failover steps NAME` shows what a step type gives. The hint lists it, and the nearest.",
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.output }}"]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"unknown-step-id",
     "There is no step with this id before this one.",
     "Only steps with an `id` can be named, and a fragment's own steps are not seen from outside. The hint lists the "
     "steps so far.",
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.lok.stdout }}"]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.look.stdout }}"]}
)y"}},
    {"unread-output",
     "Nothing reads this output of a fragment.",
     "The step that uses the fragment has an id, so somebody meant to read what it gives. Read it, or remove the "
     "output or "
     "the id.",
     {R"y(name: example
steps:
  - id: greet
    uses: ./fragment.yaml
    with: {word: hello}
)y",
      kEcho},
     {R"y(name: example
steps:
  - id: greet
    uses: ./fragment.yaml
    with: {word: hello}
    assert:
      - outputs.said.contains('hello')
)y",
      kEcho},
     Severity::warning},
    {"unused-input",
     "Nothing uses this input.",
     "Whoever gives it believes that it changes something. Use it, or remove it.",
     {R"y(name: example
inputs:
  word: {type: string, default: hello}
steps:
  - uses: local.exec
    with: {command: [echo, hello]}
)y"},
     {R"y(name: example
inputs:
  word: {type: string, default: hello}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.word }}"]}
)y"},
     Severity::warning},
};

}  // namespace

std::span<const Rule> reference_rules() { return kRules; }

}  // namespace failover::source
