#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/ssh/parts.h"

namespace failover::steps::ssh {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using namespace std::chrono_literals;

struct In {
  client::Endpoint host;
  std::vector<std::string> command;
  std::string script;
  std::string input;
};
struct Out {
  std::int64_t exit_code = 0;
  std::string out;
  std::string err;
  std::string signal;
};

Result<void> check_script(const std::string& script) {
  if (!base::trim(script).empty()) return {};
  return Error{Fault::invalid, "no_command", "the script is empty", "write what the machine's `sh` shall do"};
}

Result<Out> run(client::Ssh& machine, const In& in, const plugin::Context& context) {
  client::Command command;
  command.script = in.script;
  command.operation = {"sh", in.script};
  command.input = in.input;
  if (!in.command.empty()) {
    std::vector<std::string> words;
    for (const auto& word : in.command) {
      words.push_back(base::shell_quote(word));
    }
    command.script = base::join(words, " ");
    command.operation = in.command;
    command.operation.insert(command.operation.begin(), "exec");
  }
  auto finished = machine.run(in.host, command, context);
  if (!finished) return std::move(finished).error();
  return Out{finished->exit_code, std::move(finished->out), std::move(finished->err), finished->signal};
}

}  // namespace

plugin::StepType exec(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "ssh.exec",
      .summary = "Run a command on a machine; a status other than 0 fails the step unless it asserts its own.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("host", &In::host, "The machine: the output `ssh` of a step that waited for it.",
                                  client::check_endpoint)
                     .of_what_runs(),
                 plugin::optional("command", &In::command, "Program and arguments, each one word; no shell reads them.",
                                  client::check_command)
                     .words_of_a_program()
                     .doubted(client::doubt_command),
                 plugin::optional("script", &In::script, "Or a script for `sh -c`.", check_script)
                     .read_by_a_shell()
                     .doubted(client::doubt_script),
                 plugin::optional("stdin", &In::input, "Its standard input.").may_be_secret()},
      .outputs = {plugin::output("exit_code", &Out::exit_code, "Its status; -1 when a signal ended it.")
                      .at_least(-1)
                      .at_most(255),
                  plugin::output("stdout", &Out::out, "What it wrote, at most 16 MiB.").of_a_program(),
                  plugin::output("stderr", &Out::err, "What it wrote there, at most 16 MiB.").of_a_program(),
                  plugin::output("signal", &Out::signal, "The signal that ended it, like KILL; else empty.")},
      .errors = machine_errors({}),
      .one_of = {{"command", "script"}},
      .asserts = {{"outputs.exit_code == 0"}},
      .example = "{host: {host: 127.0.0.1, port: 22}, command: [nvidia-smi, -L]}",
      .estimate =
          [](const In& in) {
            const base::Duration least = client::least_time(in.command);
            return plugin::Estimate{{200ms + least, 5s + least, 10min}, {}, {}, least};
          },
      .run = [&services](const In& in, const plugin::Context& context) { return run(*services.ssh, in, context); },
  });
}

}  // namespace failover::steps::ssh
