// Findings about keys, ids and the words of the language.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr Rule kRules[] = {
    {"bad-name",
     "This is no name.",
     "Ids, inputs, outputs, branches and environment variables are named in expressions: letters, digits and `_`, no "
     "digit first.",
     {R"y(name: example
steps:
  - id: first-step
    uses: local.exec
    with: {command: [date]}
)y"},
     {R"y(name: example
steps:
  - id: first_step
    uses: local.exec
    with: {command: [date]}
)y"}},
    {"conflicting-keys",
     "A step says two things at once.",
     "A step either uses a step type, or is a group with `steps`, or has `branches`. Split it, or put one inside of "
     "the "
     "other.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    steps:
      - uses: local.exec
        with: {command: [uptime]}
)y"},
     {R"y(name: example
steps:
  - steps:
      - uses: local.exec
        with: {command: [date]}
      - uses: local.exec
        with: {command: [uptime]}
)y"}},
    {"duplicate-env",
     "An environment variable is declared twice.",
     "One of the two may say that it is a secret, and the other not. Keep one.",
     {R"y(name: example
env: [REGION, REGION]
steps:
  - uses: local.exec
    with: {command: [echo, "${{ env.REGION }}"]}
)y"},
     {R"y(name: example
env: [REGION]
steps:
  - uses: local.exec
    with: {command: [echo, "${{ env.REGION }}"]}
)y"}},
    {"duplicate-id",
     "Two steps have one id.",
     "`steps.ID` would not say which of them is meant. Ids are unique in a file, also across groups and branches.",
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - id: look
    uses: local.exec
    with: {command: [uptime]}
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - id: look_again
    uses: local.exec
    with: {command: [uptime]}
)y"}},
    {"empty-list",
     "A list that needs an element is empty.",
     "Without steps nothing is tested, and an enum without values has no legal one. Fill the list, or remove its key "
     "if "
     "that may be left out.",
     {R"y(name: example
steps: []
)y"},
     kPlain},
    {"key-does-not-fit",
     "This key makes no sense on this kind of step.",
     "Groups, branches and fragments do nothing themselves, so there is nothing to retry or to keep. Write the key on "
     "the step inside that it is meant for.",
     {R"y(name: example
steps:
  - retry: {errors: [unavailable], attempts: 3}
    steps:
      - uses: http.check
        with: {url: http://localhost/}
)y"},
     {R"y(name: example
steps:
  - steps:
      - uses: http.check
        with: {url: http://localhost/}
        retry: {errors: [unavailable], attempts: 3}
)y"}},
    {"missing-key",
     "A key that must be there is not.",
     "A scenario has a `name` and `steps`, a step says what it `uses`, an input has a `type`. The message names the "
     "key.",
     {R"y(name: example
steps:
  - with: {command: [date]}
)y"},
     kPlain},
    {"name-differs",
     "The scenario's name is not the file's.",
     "`failover run NAME` finds a scenario by its file, and reports carry its `name`: with two names for one journey "
     "neither can be trusted. Make them equal.",
     {R"y(name: exmaple
steps:
  - uses: local.exec
    with: {command: [date]}
)y"},
     kPlain},
    {"no-expression-here",
     "An expression is not possible here.",
     "This is read before the run, when no expression has a value yet: ids, names, defaults, choices. Write the value "
     "itself.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    phase: "${{ run.id }}"
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    phase: Look at the clock
)y"}},
    {"unknown-error",
     "There is no such class of error to try again after.",
     "`retry.errors` names the classes after which a step is tried again. One that does not exist would never match; "
     "after others, like `no_space`, trying again changes nothing. The hint lists those that there are.",
     {R"y(name: example
steps:
  - uses: http.check
    with: {url: http://localhost/}
    retry: {errors: [unavailible], attempts: 3}
)y"},
     {R"y(name: example
steps:
  - uses: http.check
    with: {url: http://localhost/}
    retry: {errors: [unavailable], attempts: 3}
)y"}},
    {"unknown-key",
     "There is no such key here.",
     "A key that nobody reads has no effect, and the author believes that it has. The hint lists the legal ones, and "
     "the "
     "nearest.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeuot: 1m
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 1m
)y"}},
    {"unknown-mark",
     "There is no such mark.",
     "Marks say where the objectives are measured: `failure`, `detected`, `degraded`, `recovered`. Another word would "
     "measure nothing.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failed]
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
)y"}},
    {"unknown-type",
     "There is no such type of input.",
     "The type decides how `--input` is read and what the input may be used for. The hint lists the types; `any` is "
     "for "
     "fragments alone.",
     {R"y(name: example
inputs:
  price: {type: dollars, default: $0.50}
steps:
  - uses: local.exec
    with: {command: [echo, "at most ${{ inputs.price }}"]}
)y"},
     {R"y(name: example
inputs:
  price: {type: money, default: $0.50}
steps:
  - uses: local.exec
    with: {command: [echo, "at most ${{ inputs.price }}"]}
)y"}},
};

}  // namespace

std::span<const Rule> key_rules() { return kRules; }

}  // namespace failover::source
