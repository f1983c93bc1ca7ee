#include "tools/cli/parts/shell.h"

#include <CLI/CLI.hpp>
#include <vector>

namespace failover::cli {
namespace {

// `--input`, `-h`: as they are typed.
std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const auto& name : option.get_lnames()) out.push_back("--" + name);
  for (const auto& name : option.get_snames()) out.push_back("-" + name);
  return out;
}

std::vector<const CLI::App*> commands(const CLI::App& app) {
  std::vector<const CLI::App*> out;
  // Without a group: not for people.
  for (const auto* sub : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    out.push_back(sub);
  }
  return out;
}

std::vector<const CLI::Option*> options(const CLI::App& app) {
  std::vector<const CLI::Option*> out;
  for (const auto* option : app.get_options([](const CLI::Option*) { return true; })) {
    if (!spellings(*option).empty()) out.push_back(option);
  }
  return out;
}

// The command whose lines begin with the legal words of another command's argument; empty: anything goes.
std::string lister(const CLI::App& command) {
  for (const auto* option : command.get_options([](const CLI::Option*) { return true; })) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    if (name == "scenario") return "list";
    if (name == "code") return "explain";
    if (name == "step") return "steps";
  }
  return "";
}

constexpr const char* kFirstWords = R"y(2>/dev/null | grep -o "^[^ ][^ ]*")y";

std::string words(const CLI::App& command) {
  std::string out;
  for (const auto* option : options(command)) {
    for (const auto& word : spellings(*option)) out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

std::string bash(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const auto* command : commands(app)) {
    names += (names.empty() ? "" : " ") + command->get_name();
    cases += "    " + command->get_name() + ") words=\"" + words(*command) + "\"";
    if (const auto list = lister(*command); !list.empty()) {
      cases += "; [[ $current == -* ]] || words=$(failover " + list + " " + kFirstWords + ")";
    }
    cases += " ;;\n";
  }
  return "# bash completion of failover: eval \"$(failover completion bash)\"\n"
         "_failover() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} command= word words=\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) ;; *) command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n"
         "    '') words=\"" +
         names + " " + words(app) + "\" ;;\n" + cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _failover failover\n";
}

std::string quoted(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += ' ';
      continue;
    }
    if (special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh(const CLI::App& app) {
  std::string list;
  std::string cases;
  const auto arguments = [](const CLI::App& command) {
    std::string out;
    for (const auto* option : options(command)) {
      for (const auto& word : spellings(*option))
        out += " \\\n        '" + word + "[" + quoted(option->get_description(), "'[]\\") + "]'";
    }
    return out;
  };
  for (const auto* command : commands(app)) {
    list += "    '" + command->get_name() + ":" + quoted(command->get_description(), "':\\") + "'\n";
    cases += "      " + command->get_name() + ") _arguments" + arguments(*command) +
             (lister(*command).empty() ? " \\\n        '*:file:_files'"
                                       : " \\\n        '*:name:($(_failover_names " + lister(*command) + "))'") +
             " ;;\n";
  }
  return "#compdef failover\n"
         "_failover_names() { failover $1 " +
         std::string(kFirstWords) +
         " }\n"
         "_failover() {\n"
         "  local -a commands=(\n" +
         list +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "  else\n"
         "    local command=$words[2]\n"
         "    shift words; (( CURRENT-- ))\n"
         "    case $command in\n" +
         cases +
         "    esac\n"
         "  fi\n"
         "}\n"
         "if [[ $funcstack[1] = _failover ]]; then _failover \"$@\"; else compdef _failover failover; fi\n";
}

std::string fish(const CLI::App& app) {
  std::string out =
      "# fish completion of failover: failover completion fish | source\n"
      "complete -c failover -f\n";
  for (const auto* command : commands(app)) {
    const std::string name = command->get_name();
    out += "complete -c failover -n __fish_use_subcommand -a " + name + " -d '" +
           quoted(command->get_description(), "'\\") + "'\n";
    const std::string inside = "complete -c failover -n '__fish_seen_subcommand_from " + name + "'";
    for (const auto* option : options(*command)) {
      out += inside;
      for (const auto& word : option->get_lnames()) out += " -l " + word;
      for (const auto& word : option->get_snames()) out += " -s " + word;
      out += " -d '" + quoted(option->get_description(), "'\\") + "'\n";
    }
    if (const auto list = lister(*command); !list.empty()) {
      out += inside + " -a '(failover " + list + " " + kFirstWords + ")'\n";
    }
  }
  return out;
}

// Text as roff reads it: no line begins with a dot or a quote, backslashes and minus signs are themselves.
std::string roff(const std::string& text) {
  std::string out;
  bool begin = true;
  for (const char c : text) {
    if (begin && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    begin = c == '\n';
  }
  return out;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  if (shell == "fish") return fish(app);
  return {};
}

std::string manual(const CLI::App& app, const std::string& version) {
  std::string out =
      ".TH FAILOVER 1 \"\" \"failover " + version + "\" \"User Commands\"\n.SH NAME\nfailover \\- " +
      roff(app.get_description()) +
      "\n.SH SYNOPSIS\n.B failover\n.I command\n[\\fIoption\\fR ...] [\\fIargument\\fR ...]\n.SH COMMANDS\n";
  for (const auto* command : commands(app)) {
    out += ".SS " + command->get_name() + "\n" + roff(command->get_description()) + ".\n";
    for (const auto* option : command->get_options([](const CLI::Option*) { return true; })) {
      std::string name;
      for (const auto& word : spellings(*option)) name += (name.empty() ? "" : ", ") + roff(word);
      out += ".TP\n" + (name.empty() ? "\\fI" + roff(option->get_name(true)) + "\\fR" : "\\fB" + name + "\\fR") + "\n" +
             roff(option->get_description()) + "\n";
    }
    if (!command->get_footer().empty()) out += ".PP\n.nf\n" + roff(command->get_footer()) + ".fi\n";
  }
  out += ".SH EXIT STATUS\n.nf\n" + roff(app.get_footer()) + "\n.fi\n";
  out +=
      ".SH ENVIRONMENT\nVAST_API_KEY, B2_ENDPOINT, B2_REGION, B2_KEY_ID, B2_APPLICATION_KEY, B2_BUCKET: the "
      "providers.\n"
      ".br\nFAILOVER_HOME: where runs are kept. FAILOVER_SCENARIOS: folders of scenarios, `:` between them.\n";
  return out;
}

}  // namespace failover::cli
