#include <algorithm>
#include <cstdlib>

#include "engine/base/process.h"
#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/local/local.h"

namespace failover::steps {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using namespace std::chrono_literals;

struct In {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::string directory;
};
struct Out {
  std::int64_t exit_code = 0;
  std::string out;
  std::string err;
};

bool is_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<void> check_env(const std::map<std::string, std::string>& env) {
  for (const auto& [name, value] : env) {
    if (!is_name(name)) {
      return Error{Fault::invalid, "bad_env", "'" + base::printable(name, 60) + "' cannot be a variable",
                   "a name has letters, digits and _, no digit first"}
          .in_name(name);
    }
    if (value.find('\0') == std::string::npos) continue;
    return Error{Fault::invalid, "bad_env", "the value of '" + name + "' holds a NUL", "no program can be given one"}
        .in(name);
  }
  return {};
}

// PATH, HOME and what the scenario declares; nothing else of ours, keys least of all.
std::map<std::string, std::string> environment(const client::Settings& settings, const In& in) {
  std::map<std::string, std::string> out;
  for (const char* name : {"PATH", "HOME"}) {
    if (const char* value = std::getenv(name)) out[name] = value;
  }
  for (const auto& [name, value] : settings.declared_environment) out[name] = value;
  for (const auto& [name, value] : in.env) {
    out[name] = value;
  }
  return out;
}

Result<Out> run(const client::Settings& settings, const In& in, const plugin::Context& context) {
  base::ProcessSpec spec;
  spec.command = in.command;
  spec.environment = environment(settings, in);
  spec.directory = in.directory;
  auto ended = base::run_process(spec, context.patience());
  if (!ended) return std::move(ended).error();
  if (ended->truncated) {
    return Error{
        Fault::refused, "too_much_output",
        base::printable(in.command.front(), 120) + " wrote more than " + base::format(base::Size{spec.output_limit}),
        "let it write to a file"};
  }
  return Out{ended->exit_code, std::move(ended->out), std::move(ended->err)};
}

}  // namespace

std::vector<plugin::StepType> local_steps(client::Services& services) {
  return {plugin::step<In, Out>({
      .name = "local.exec",
      .summary = "Run a program on the runner; a status other than 0 fails the step unless it asserts its own.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("command", &In::command, "Program and arguments, each one word; no shell reads them.",
                                  client::check_command)
                     .words_of_a_program()
                     .doubted(client::doubt_command)
                     .on_the_runner(plugin::Local::program),
                 plugin::optional("env", &In::env, "Variables beside PATH, HOME and those that the scenario declares.",
                                  check_env)
                     .doubted(client::doubt_env)
                     .may_be_secret(),
                 plugin::optional("directory", &In::directory, "Where it runs; where failover was started when empty.",
                                  client::check_path_or_empty)
                     .doubted(client::doubt_path)
                     .on_the_runner(plugin::Local::directory)},
      .outputs = {plugin::output("exit_code", &Out::exit_code, "Its status; -1 when a signal ended it.")
                      .at_least(-1)
                      .at_most(255),
                  plugin::output("stdout", &Out::out, "What it wrote, at most 16 MiB.").of_a_program(),
                  plugin::output("stderr", &Out::err, "What it wrote there, at most 16 MiB.").of_a_program()},
      .writes_locally = true,
      .errors = {Fault::not_found, Fault::refused},
      .asserts = {{"outputs.exit_code == 0"}},
      .example = "{command: [git, rev-parse, HEAD]}",
      .estimate =
          [](const In& in) {
            const base::Duration least = client::least_time(in.command);
            return plugin::Estimate{{std::max<base::Duration>(50ms, least), 2s + least, 10min}, {}, {}, least};
          },
      .run = [&settings = services.settings](const In& in,
                                             const plugin::Context& context) { return run(settings, in, context); },
  })};
}

}  // namespace failover::steps
