// Findings about the file and its YAML.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr Rule kRules[] = {
    {"bad-key",
     "A key is missing, or is not one word.",
     "YAML allows a list or a mapping as a key, and most readers lose it. Here keys are words; quote one that holds "
     "brackets.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    ? [timeout]
    : 1m
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 1m
)y"}},
    {"control-character",
     "The file holds a control character.",
     "It cannot be seen, and often comes from a terminal or a word processor. Remove it; where it is meant, write it "
     "as "
     "an escape in double quotes.",
     {"name: example\nsteps:\n  - uses: local.exec\n    with: {command: [printf, \"\x07\"]}\n"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [printf, "\a"]}
)y"}},
    {"duplicate-key",
     "A mapping has the same key twice.",
     "Most YAML readers keep the last one in silence, so that half of what was written has no effect. Keep one.",
     {R"y(name: example
steps:
  - uses: local.exec
    timeout: 1m
    with: {command: [date]}
    timeout: 5m
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    timeout: 5m
    with: {command: [date]}
)y"}},
    {"empty-file",
     "The file holds nothing.",
     "It is empty, or all of it is comments. `failover new NAME` writes a scenario to begin with.",
     {"# to be written\n"},
     kPlain},
    {"not-utf8",
     "The file is not UTF-8.",
     "Text in another encoding would arrive on the machines as something else. Save the file as UTF-8; editors call "
     "this its encoding.",
     {"name: example\ndescription: Caf\xE9\nsteps:\n  - uses: local.exec\n    with: {command: [date]}\n"},
     {"name: example\ndescription: Café\nsteps:\n  - uses: local.exec\n    with: {command: [date]}\n"}},
    {"several-documents",
     "A second YAML document starts here.",
     "A file is one scenario, so whatever comes after `---` would never run. Put it into a file of its own.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
---
name: another
)y"},
     kPlain},
    {"too-deep",
     "Lists and mappings are nested too deep.",
     "32 levels are allowed, far more than any scenario needs; the bound keeps a hostile file from exhausting the "
     "reader.",
     {R"y(name: example
steps:
  - uses: http.check
    with:
      url: http://localhost/
      status: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[200]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
)y"},
     {R"y(name: example
steps:
  - uses: http.check
    with:
      url: http://localhost/
      status: 200
)y"}},
    {"too-large",
     "The file is larger than one mebibyte, or its regular expressions multiply.",
     "A scenario is written and read by people. Data belongs into files of its own, which a step reads; a journey that "
     "is really so long becomes several scenarios, or fragments. Regular expressions have a million instructions "
     "together: ten thousand short ones, or some hundred of those that multiply (`(\\w{100}){10}`).",
     {"# ... a million more of these\nname: example\nsteps:\n  - uses: local.exec\n    with: {command: [date]}\n"},
     kPlain},
    {"too-many-nodes",
     "The file holds more than 400,000 values.",
     "The bound keeps a hostile file from exhausting the reader. Data belongs into files of its own, which a step "
     "reads.",
     {"name: example\ntags: [a, a, a]  # ... and 400,000 more\nsteps:\n  - uses: local.exec\n    with: {command: "
      "[date]}\n"},
     {"name: example\ntags: [a]\nsteps:\n  - uses: local.exec\n    with: {command: [date]}\n"}},
    {"unclosed-bracket",
     "A `{` or `[` is never closed.",
     "All that follows is then read as a part of it. Close it with its counterpart; what runs over several lines reads "
     "better with one entry a line and no brackets.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]
  - uses: local.exec
    with: {command: [uptime]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
  - uses: local.exec
    with: {command: [uptime]}
)y"}},
    {"unquoted-expression",
     "An expression needs quotes here.",
     "`{` begins a mapping in YAML, so `${{ }}` inside of brackets, or without its `$`, is not read as text. Put it "
     "into "
     "double quotes.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, ${{ run.id }}]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [echo, "${{ run.id }}"]}
)y"}},
    {"unterminated-quote",
     "A quote is never closed.",
     "The rest of the file is then part of the text. Close the quote; an apostrophe inside of single quotes is written "
     "twice.",
     {R"y(name: example
description: "A machine answers.
steps:
  - uses: local.exec
    with: {command: [date]}
)y"},
     {R"y(name: example
description: "A machine answers."
steps:
  - uses: local.exec
    with: {command: [date]}
)y"}},
    {"yaml-alias",
     "YAML aliases are not used here.",
     "A value that stands elsewhere hides what a step really gets, and few aliases can grow to gigabytes. Write the "
     "value out, or make it an input; where the `*` is meant, quote it.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [ls, &tmp "/tmp", *tmp]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [ls, /tmp, /tmp]}
)y"}},
    {"yaml-anchor",
     "YAML anchors are not used here.",
     "An anchor names a value for aliases, which are not used either. Write the value where it is needed, or make it "
     "an "
     "input.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: &same {command: [date]}
)y"},
     kPlain},
    {"yaml-merge-key",
     "YAML merge keys are not used here.",
     "`<<` copies keys from elsewhere and belongs to an older YAML; readers differ about it. Write the keys out, or "
     "put "
     "the steps into a fragment with inputs.",
     {R"y(name: example
steps:
  - uses: local.exec
    with:
      command: [ls]
      <<: {directory: /tmp}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with:
      command: [ls]
      directory: /tmp
)y"}},
    {"yaml-syntax",
     "The file is not YAML at this place.",
     "Nothing after it can be understood. Look at the indentation, at the quotes and at a missing space after `:`, on "
     "this line and the one above.",
     {R"y(name: example
steps:
  - uses:local.exec
    with: {command: [date]}
)y"},
     kPlain},
    {"yaml-tab",
     "A tab cannot indent.",
     "How far a tab goes depends on who looks, so YAML forbids it. Use spaces; most editors can insert them for the "
     "tab "
     "key.",
     {"name: example\nsteps:\n  - uses: local.exec\n\twith: {command: [date]}\n"},
     kPlain},
    {"yaml-tag",
     "YAML tags are not used here.",
     "Types come from the step types, so `!` is never a tag; it hides the value that follows. Quote a value that "
     "begins "
     "with `!`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [test, !here]}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [test, "!here"]}
)y"}},
};

}  // namespace

std::span<const Rule> text_rules() { return kRules; }

}  // namespace failover::source
