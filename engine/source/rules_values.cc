// Findings about step types, their fields and the values of them.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr Rule kRules[] = {
    {"bad-bounds",
     "Two bounds exclude each other.",
     "A `minimum` above the `maximum` lets no value through, a `delay` above the `max_delay` is never waited for, and "
     "an "
     "`every` longer than the `timeout` asks only once.",
     {R"y(name: example
inputs:
  count: {type: integer, minimum: 10, maximum: 1}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"},
     {R"y(name: example
inputs:
  count: {type: integer, minimum: 1, maximum: 10}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"}},
    {"bad-default",
     "The default of an input does not fit the input.",
     "A run without `--input` would fail at once. Bring the default within the minimum, the maximum and the choices.",
     {R"y(name: example
inputs:
  count: {type: integer, default: 0, minimum: 1}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"},
     {R"y(name: example
inputs:
  count: {type: integer, default: 1, minimum: 1}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"}},
    {"bad-value",
     "A step or a fragment is given a value that it can do nothing with.",
     "The value has the right type, and lies outside of the minimum, the maximum or the choices that the fragment "
     "declares, or is none that the step takes: a path that is not absolute, a URL without a host, a share above 1.",
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
    with: {count: 0}
)y",
      R"y(inputs:
  count: {type: integer, minimum: 1}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"},
     {R"y(name: example
steps:
  - uses: ./fragment.yaml
    with: {count: 2}
)y",
      R"y(inputs:
  count: {type: integer, minimum: 1}
steps:
  - uses: local.exec
    with: {command: [echo, "${{ inputs.count }} times"]}
)y"}},
    {"conflicting-fields",
     "A step is given two fields of which only one may be there.",
     "The step would have to guess which of them is meant. Keep one.",
     {R"y(name: example
steps:
  - uses: ssh.exec
    with:
      host: {host: localhost, port: 22, user: root}
      command: [date]
      script: date
)y"},
     {R"y(name: example
steps:
  - uses: ssh.exec
    with:
      host: {host: localhost, port: 22, user: root}
      command: [date]
)y"}},
    {"missing-field",
     "A field that the step needs is not given.",
     "The step cannot run without it. `failover steps NAME` shows every field, which are required, and an example.",
     {R"y(name: example
steps:
  - uses: http.check
    with: {status: 200}
)y"},
     {R"y(name: example
steps:
  - uses: http.check
    with: {url: http://localhost/, status: 200}
)y"}},
    {"not-a-choice",
     "The word is not one of the legal ones.",
     "Where there are only a few legal words, another one has no meaning. The hint lists them, and the nearest.",
     {R"y(name: example
steps:
  - uses: checksum.manifest
    with:
      host: {host: localhost, port: 22, user: root}
      paths: [/workspace]
      algorithm: sha265
)y"},
     {R"y(name: example
steps:
  - uses: checksum.manifest
    with:
      host: {host: localhost, port: 22, user: root}
      paths: [/workspace]
      algorithm: sha256
)y"}},
    {"cannot-compute",
     "The value can never be computed.",
     "What is written, with the inputs' defaults, has an error in it: a division by zero, an index outside of its "
     "list, a "
     "number that does not fit. A run would end there.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ string(5 / 0) }}"]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ string(5 / 2) }}"]}
)y"}},
    {"seldom-meant",
     "A value that can be used, and is seldom what its author means.",
     "The words of a `command` go to the program as they stand: no shell takes a line apart, replaces a variable or "
     "reads `|` and `&&`. Write each word as an element of its own, or name the shell. `{{ inputs.x }}` and "
     "`${ inputs.x }` stay as they are: an expression is written `${{ }}`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: ["ls -l /tmp"]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [ls, -l, /tmp]}
)y"},
     Severity::warning},
    {"too-small",
     "The value is below the least that makes sense.",
     "A timeout of nothing ends a step before it begins, and zero attempts are none. The message says what is the "
     "least.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 0s
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 30s
)y"}},
    {"unknown-field",
     "There is no such field.",
     "What is given in `with` must be an input of the step type or fragment, and what an expression reads must be a "
     "field "
     "of the value. The hint lists the fields, and the nearest.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {comand: [date]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"unknown-step",
     "There is no such step type.",
     "`failover steps` lists all of them. A fragment is named as a path from the file that uses it, with `./` before "
     "it.",
     {R"y(name: example
steps:
  - uses: local.exce
    with: {command: [date]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"wrong-type",
     "The value is of another type than is wanted.",
     "Money is `$0.50`, sizes and times have units, a list has brackets, and a condition is true or false. The message "
     "says what is wanted and what was found; a whole value that is one `${{ }}` keeps the type of its expression.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 30
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 30s
)y"}},
    {"value-in-script",
     "What a machine or a service said stands in a script.",
     "A shell would read it as commands: a hostile host decides what it says. So it would the word that `sh -c` takes "
     "in a `command`, which `local.exec` runs on the runner itself. Give it as a word behind that one, its `$1`, or on "
     "`stdin` of `ssh.exec`. Numbers, and the scenario's own inputs, may stand there.",
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: ssh.exec
    with:
      host: {host: localhost, port: 22, user: root}
      script: "echo it is ${{ steps.look.stdout }}"
)y"},
     {R"y(name: example
steps:
  - id: look
    uses: local.exec
    with: {command: [date]}
  - uses: ssh.exec
    with:
      host: {host: localhost, port: 22, user: root}
      command: [sh, -c, 'echo "it is $1"', sh, "${{ steps.look.stdout }}"]
)y"}},
};

}  // namespace

std::span<const Rule> value_rules() { return kRules; }

}  // namespace failover::source
