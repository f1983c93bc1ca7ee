// A step type, declared once. Validation, `failover steps`, the JSON Schema, the plan, cost and cleanup are functions
// of this declaration; whoever writes one of them by hand should stop and extend the declaration instead.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/plugin/context.h"

namespace failover::plugin {

enum class Effect {
  reads,    // changes nothing anywhere: allowed in preflight
  changes,  // changes something that is there: repeatable unless said otherwise
  creates,  // makes a resource of one of its `holds`: never repeated blindly
};

// What must be true of the thing that an input names, or whose address it is.
enum class Needs {
  nothing,
  life,     // it has not been given back
  running,  // nor been halted
};

// What an input names on the runner itself; it must be there when the step begins.
enum class Local {
  nothing,
  file,
  directory,
  parent,   // a file that is written: its directory
  program,  // the first word of a command
};

// What happens at a path on a machine that an input names.
enum class Remote {
  nothing,
  made,  // the step puts something there
  read,  // something must be there
};

struct Input {
  std::string name;
  base::Type type;
  bool required = false;
  base::Value fallback;  // what an absent optional input is; null when there is nothing to say
  std::string summary;
  bool secret = false;                  // may a secret go into it?
  bool shell = false;                   // a shell reads it: what others said must not stand in it
  bool words = false;                   // of a program: the script among those of a shell must be as free of that
  std::vector<std::string> choices;     // legal words of a string; empty: any
  std::optional<std::int64_t> minimum;  // of an integer
  std::vector<base::Type> either;       // of one of type any: what it may be; empty: anything
  std::string unable;                   // why nothing can be given for it in this version; empty: it can
  bool own = false;                     // names a thing that the run made: nothing can know it beforehand
  Needs needs = Needs::nothing;
  Local local = Local::nothing;
  Remote remote = Remote::nothing;  // of a text or a list of texts
  std::string where_of;             // without it the paths are those of the step that this other input is from
  // Error{invalid} for a value that the step can do nothing with: one that its struct cannot hold, or that its own
  // check refuses. Pure: asked offline for what is known before the run, and again when the step is called.
  std::function<base::Result<void>(const base::Value&)> check;
  // Optional: an Error for a value that can be used and is seldom what its author means. Offline a warning; a run does
  // not ask. Pure.
  std::function<base::Result<void>(const base::Value&)> doubt;
};

struct Output {
  std::string name;
  base::Type type;
  std::string summary;
  std::string echoes{};                // the input that it equals whenever the step succeeds; empty: none
  std::vector<std::string> choices{};  // the words that a string, or an element of a list, can be; empty: any
  bool remote = false;                 // a path on a machine
  bool printed = false;                // what a program wrote, which usually ends in a line break
  std::string empty_with{};            // the input with which it is empty
  // Of a whole number, or how many elements a list has; nullopt: anything.
  std::optional<std::int64_t> minimum{};
  std::optional<std::int64_t> maximum{};
  // The input that says how many it counts or has: a number, or what another step's output of this kind is given for.
  std::string counts{};
};

// What two steps must say alike: `input` of this one, and `theirs` of the step whose `output`, or a part of it, is
// given to `via`.
struct Agreement {
  std::string input;
  std::string via;
  std::string output;
  std::string theirs;
  std::string why;       // of a mistake: what would happen
  bool at_most = false;  // a size that may be less: more is a warning
};

// How long a step takes: the plan's interval.
struct Span {
  base::Duration best{0};
  base::Duration expected{0};
  base::Duration worst{0};  // zero: the step's timeout
};

struct Estimate {
  Span time;
  // The most that one hour of a thing found by this step may cost (an offer search); nullopt for every other step.
  std::optional<base::Money> quotes;
  // What that price is for, as the rentals' attributes name it: `RTX 4090`, `2 x RTX 4090`; empty when it quotes none.
  std::string model{};
  base::Duration least{0};  // it never takes less, whatever the machine: of `sleep 20` 20 s
};

// A check that holds unless the author's own assertions read one of the outputs it reads.
struct DefaultAssert {
  std::string expression;
};

struct StepType {
  std::string name;  // `vast.create_instance`
  std::string summary;
  Effect effect = Effect::reads;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<std::string> holds;  // kinds of resources it may make
  std::string priced_by;           // creates: the input whose reference leads to the step that quotes its price
  std::string frees;               // the input that names the resource whose billing this step ends
  std::string halts;               // the input that names what this step halts and keeps
  std::string wakes;               // the input that names what this step lets run again
  std::string waits;               // the input that names what this step waits for, until it runs
  bool writes_locally = false;     // may make files on the runner
  // The output that tells of the files which the step wrote, or found where it only reads: a map with `directory`
  // (absolute), and `files`, each with `path` below it, `size` and `digest`.
  std::string records_files;
  // The output that tells which files were compared with what is known of them: a list, each with `path`, `size`, `md5`
  // (the digest, whatever its algorithm) and `ok`.
  std::string shows_files;
  std::vector<base::Fault> errors;               // what it may answer with, beside timeout and cancelled
  std::vector<std::vector<std::string>> one_of;  // of each group exactly one input must be given
  std::vector<DefaultAssert> asserts;
  std::vector<Agreement> agrees;
  base::Value::Map always;  // what holds of every call as if it were an input, for other steps' `agrees`
  // What no input says alone: Error{invalid} for inputs that do not go together. Asked like Input::check; offline,
  // what is not known yet stands at its initialiser.
  std::function<base::Result<void>(const base::Value& with)> check;
  base::Duration timeout = std::chrono::minutes(10);
  std::string example;  // a YAML flow map for `with`
  std::function<base::Result<Estimate>(const base::Value& with)> estimate;
  std::function<base::Result<base::Value>(const base::Value& with, const Context& context)> run;

  [[nodiscard]] const Input* input(std::string_view input_name) const;
  [[nodiscard]] const Output* output(std::string_view output_name) const;
  // All outputs as one object type.
  [[nodiscard]] base::Type output_type() const;
};

}  // namespace failover::plugin
