#include "steps/client/checks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string in_quotes(std::string_view text) { return "'" + base::printable(text, 120) + "'"; }

constexpr const char* kOneLine =
    "write it in one line: YAML's `|` and `>` leave a line break at the end, `>-` does not";

constexpr const char* kOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

// `$NAME`, `${NAME}`, `${NAME:-...}` or `$(...)` at the beginning of the text.
bool is_variable(std::string_view text) {
  if (text.size() < 2 || text[0] != '$') return false;
  if (text[1] != '{') return std::isupper(static_cast<unsigned char>(text[1])) != 0 || text[1] == '(';
  const std::size_t end = text.find_first_not_of(kOfNames, 2);
  return end > 2 && end != std::string_view::npos && (text[end] == '}' || text[end] == ':');
}

// A path that the machine or the runner could have, but that no author means.
Result<void> one_line(const std::string& path) {
  if (path.find_first_of("\r\n") == std::string::npos) return {};
  return Error{Fault::invalid, "bad_path", in_quotes(path) + " has a line break in it", kOneLine};
}

}  // namespace

Result<void> check_endpoint(const Endpoint& at) {
  // `10.0.0.1:22` has one colon, an IPv6 address more.
  const auto colons = std::count(at.host.begin(), at.host.end(), ':');
  if (colons == 1)
    return Error{Fault::invalid, "bad_host", in_quotes(at.host) + " is an address with a port",
                 "the port has a member of its own: {host: " + at.host.substr(0, at.host.find(':')) +
                     ", port: " + base::printable(at.host.substr(at.host.find(':') + 1), 10) + "}"}
        .in("host");
  if (at.host.find('[') != std::string::npos)
    return Error{Fault::invalid, "bad_host", in_quotes(at.host) + " is no address", "leave the brackets out"}.in(
        "host");
  if (at.host.empty() || at.host.front() == '-' || at.host.find_first_of(" \t\r\n/@") != std::string::npos ||
      has_nul(at.host))
    return Error{Fault::invalid, "bad_host", in_quotes(at.host) + " is no name or address of a machine",
                 "give it the output `ssh` of the step that waited for the machine"}
        .in("host");
  if (at.port < 1 || at.port > 65535)
    return Error{Fault::invalid, "bad_port", std::to_string(at.port) + " is no port", "ports go from 1 to 65535"}.in(
        "port");
  if (at.user.empty()) return Error{Fault::invalid, "bad_user", "`user` is empty", "leave it out for root"}.in("user");
  if (at.user.front() == '-' || at.user.find_first_of(" \t\r\n/@:") != std::string::npos || has_nul(at.user))
    return Error{Fault::invalid, "bad_user", in_quotes(at.user) + " is no name of a user", "as in root"}.in("user");
  return {};
}

Result<void> check_absolute(const std::string& path) {
  const auto refuse = [&](const char* why) {
    return Error{Fault::invalid, "bad_path", in_quotes(path) + " " + why,
                 "give an absolute path on the machine, like /workspace/data"};
  };
  if (path.empty() || path.front() != '/') return refuse("is not absolute");
  if (has_nul(path)) return refuse("holds a NUL");
  for (const auto& part : base::split(path, '/')) {
    if (part == "..") return refuse("has a `..` in it");
  }
  return one_line(path);
}

Result<void> check_absolute_or_empty(const std::string& path) {
  return path.empty() ? Result<void>() : check_absolute(path);
}

Result<void> check_absolute_paths(const std::vector<std::string>& paths) {
  if (paths.empty()) return Error{Fault::invalid, "no_paths", "the list is empty", "name at least one path"};
  // What is below two of them would be there twice. Sorted, a tree comes right before what is in it.
  std::vector<std::pair<std::string, std::size_t>> trees;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (auto fits = check_absolute(paths[i]); !fits) return std::move(fits).error().in(std::to_string(i));
    trees.emplace_back((std::filesystem::path(paths[i]) / "").lexically_normal().string(), i);
  }
  std::sort(trees.begin(), trees.end());
  const auto twice = std::adjacent_find(trees.begin(), trees.end(), [](const auto& outer, const auto& inner) {
    return inner.first.rfind(outer.first, 0) == 0;
  });
  if (twice == trees.end()) return {};
  const auto& [inner, place] = *std::next(twice);
  return Error{Fault::invalid, "paths_overlap", in_quotes(inner) + " is in " + in_quotes(twice->first) + " already",
               "name each tree once"}
      .in(std::to_string(place));
}

Result<void> check_path(const std::string& path) {
  if (path.empty()) return Error{Fault::invalid, "bad_path", "the path is empty", "name a file"};
  if (has_nul(path)) return Error{Fault::invalid, "bad_path", in_quotes(path) + " holds a NUL", "name a file"};
  return one_line(path);
}

Result<void> check_path_or_empty(const std::string& path) { return path.empty() ? Result<void>() : check_path(path); }

Result<void> doubt_path(const std::string& path) {
  const auto doubt = [&](const char* why, const char* remedy) {
    return Error{Fault::invalid, "doubtful_path", in_quotes(path) + " " + why, remedy};
  };
  if (path != base::trim(path)) return doubt("has blanks at an end, and they are part of the name", "leave them out");
  if (path == "~" || path.rfind("~/", 0) == 0) return doubt("begins with a `~` that no shell reads", "write it out");
  for (std::size_t at = path.find('$'); at != std::string::npos; at = path.find('$', at + 1)) {
    if (is_variable(std::string_view(path).substr(at)))
      return doubt("has a `$` in it that no shell reads",
                   "write it out; ${{ env.NAME }} and ${{ inputs.NAME }} are read");
  }
  if (path.find('*') != std::string::npos) return doubt("has a `*` in it that no shell reads", "name a directory");
  return {};
}

Result<void> doubt_env(const std::map<std::string, std::string>& env) {
  for (const auto& [name, value] : env) {
    for (std::size_t at = value.find('$'); at != std::string::npos; at = value.find('$', at + 1)) {
      if (!is_variable(std::string_view(value).substr(at))) continue;
      return Error{Fault::invalid, "of_a_shell", "the value of '" + name + "' has a `$` in it that no shell reads",
                   "${{ env.NAME }} is filled in, when the file's `env` declares it"}
          .in(name);
    }
  }
  return {};
}

Result<void> doubt_paths(const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (auto fits = doubt_path(paths[i]); !fits) return std::move(fits).error().in(std::to_string(i));
  }
  return {};
}

Result<void> doubt_script(const std::string& script) {
  struct Word {
    const char* text;
    const char* instead;
  };
  static constexpr std::array<Word, 6> kOfBash = {{
      {"[[ ", "`[ ... ]` is every shell's"},
      {"<<<", "`printf ... |` is every shell's"},
      {"&>", "`>file 2>&1` is every shell's"},
      {"pipefail", "end with the command whose status counts"},
      {"source ", "`. ./file` is every shell's"},
      {"declare ", "`name=value` is every shell's"},
  }};
  for (const auto& [text, instead] : kOfBash) {
    const std::size_t at = script.find(text);
    if (at == std::string::npos) continue;
    const std::string before = script.substr(0, at);
    // A word of a text is none of the shell's.
    const bool begins = before.empty() || std::string_view(" \t\n;(|&").find(before.back()) != std::string_view::npos;
    const bool quoted = std::count(before.begin(), before.end(), '\'') % 2 == 1 ||
                        std::count(before.begin(), before.end(), '"') % 2 == 1;
    if (!begins || quoted) continue;
    return Error{Fault::invalid, "of_bash",
                 "`" + std::string(base::trim(text)) + "` is bash's, and the machine's `sh` may not know it",
                 std::string(instead) + "; or write command: [bash, -c, \"...\"]"};
  }
  return {};
}

base::Duration least_time(const std::vector<std::string>& words) {
  if (words.size() != 2 || words[0] != "sleep" || words[1].empty()) return base::Duration(0);
  constexpr std::string_view kUnits = "smhd";
  constexpr std::array<std::int64_t, 4> kSeconds = {1, 60, 3'600, 86'400};
  const std::size_t unit = kUnits.find(words[1].back());
  const bool bare = unit == std::string_view::npos;
  const auto number = base::parse_integer(words[1].substr(0, words[1].size() - (bare ? 0 : 1)));
  if (!number || *number < 0 || *number > 1'000'000) return base::Duration(0);
  return std::chrono::seconds(*number * (bare ? 1 : kSeconds.at(unit)));
}

Result<void> check_command(const std::vector<std::string>& words) {
  if (words.empty() || base::trim(words.front()).empty())
    return Error{Fault::invalid, "no_command", "it names no program", "give the program and its arguments as a list"}
        .in("0");
  if (words.front().find_first_of("\r\n") != std::string::npos)
    return Error{Fault::invalid, "bad_word", in_quotes(words.front()) + " has a line break in it, and is no program",
                 kOneLine}
        .in("0");
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!has_nul(words[i])) continue;
    return Error{Fault::invalid, "bad_word", "a word of it holds a NUL", "no program can be given one"}.in(
        std::to_string(i));
  }
  return {};
}

namespace {

// `sh -c` takes one word as its script, and what follows as `$0`, `$1`...
Result<void> doubt_shell(const std::vector<std::string>& words) {
  if (words.size() < 2) return {};
  const Error no_script{Fault::invalid, "of_a_shell",
                        in_quotes(words[1]) + " is no script for `-c` to " + in_quotes(words[0]),
                        "write [sh, -c, \"...\"], with each word as an element of its own"};
  if (words[1].rfind("-c ", 0) == 0 || (words.size() == 2 && words[1].find(' ') != std::string::npos))
    return Error(no_script).in("1");
  if (words[1] != "-c") return {};
  if (words.size() == 2)
    return Error{Fault::invalid, "of_a_shell", "'-c' has no script behind it", "write [sh, -c, \"...\"]"}.in("1");
  if (words.size() == 3 || words[2].find('$') != std::string::npos) return {};
  return Error{Fault::invalid, "of_a_shell",
               in_quotes(words[2]) + " alone is the script: the words behind it are its `$0`, `$1`...",
               "write the whole script as one word, as in [sh, -c, \"cd /tmp && ls\"]"}
      .in("2");
}

}  // namespace

Result<void> doubt_command(const std::vector<std::string>& words) {
  static const std::set<std::string, std::less<>> kOfShells = {"cd",   "export", "source", ".",      "alias", "eval",
                                                               "exec", "set",    "unset",  "trap",   "if",    "for",
                                                               "wait", "while",  "until",  "ulimit", "[["};
  static const std::set<std::string, std::less<>> kOperators = {"||",   "&&",         ">",           ">>",
                                                                "2>&1", ">/dev/null", "2>/dev/null", "<<EOF"};
  // What stands behind a `|`.
  static const std::set<std::string, std::less<>> kFilters = {
      "awk", "cat", "cut", "grep", "gzip", "head", "jq", "sed", "sort", "tail", "tee", "tr", "uniq", "wc", "xargs"};
  // The operators of these are words of their own.
  static const std::set<std::string, std::less<>> kOfTests = {"expr", "test", "["};
  // They do nothing with a `$` or `~` of their own.
  static const std::set<std::string, std::less<>> kPlain = {"cat",   "chmod", "cp", "echo", "ls",
                                                            "mkdir", "mv",    "rm", "touch"};
  // They take files by their names, and know no patterns.
  static const std::set<std::string, std::less<>> kOfFiles = {"cat",       "chmod", "chown", "cp",    "du",    "gzip",
                                                              "head",      "ls",    "mv",    "rm",    "rmdir", "md5sum",
                                                              "sha256sum", "stat",  "tail",  "touch", "wc",    "zstd"};
  constexpr const char* kRemedy = "for a shell write [sh, -c, \"...\"], or `script` where the step has it";
  if (words.empty()) return {};
  const std::string& program = words.front();
  if (program.find(' ') != std::string::npos && program.find('/') > program.find(' ')) {
    return Error{Fault::invalid, "one_word", in_quotes(program) + " is one word, the name of a program",
                 "no shell takes it apart: write each word as an element of its own"}
        .in("0");
  }
  if (kOfShells.count(program) > 0)
    return Error{Fault::invalid, "of_a_shell", in_quotes(program) + " is a command of shells, and no program", kRemedy}
        .in("0");
  const std::size_t equals = program.find('=');
  if (equals != std::string::npos && equals > 0 && program.find_first_not_of(kOfNames) == equals)
    return Error{Fault::invalid, "of_a_shell", in_quotes(program) + " sets a variable in a shell, and is no program",
                 "begin with `env`, as in [env, NAME=value, program]"}
        .in("0");
  const std::string name = program.substr(program.rfind('/') + 1);
  if (name == "sh" || (name.size() > 2 && name.compare(name.size() - 2, 2, "sh") == 0)) return doubt_shell(words);
  if (kOfTests.count(name) > 0) return {};
  const bool plain = kPlain.count(name) > 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool variable = is_variable(word) && word.find_first_of(". ") == std::string::npos;
    const bool computed = word.rfind("$(", 0) == 0 || (word.size() > 2 && word.front() == '`' && word.back() == '`');
    const bool meant = variable || computed || word.rfind("~/", 0) == 0 || word == "|";
    const bool pattern = kOfFiles.count(name) > 0 && word.find('*') != std::string::npos && word[0] != '-' &&
                         word.find('=') == std::string::npos;
    const bool pipe = word == "|" && i + 1 < words.size() && kFilters.count(words[i + 1]) > 0;
    const bool program_next = i + 1 < words.size() && words[i + 1].size() > 1 &&
                              std::islower(static_cast<unsigned char>(words[i + 1].front())) != 0;
    const bool ends = (word == "&" && i + 1 == words.size()) ||
                      (word == ";" && program_next && name != "find" && words[i - 1].front() != '-');
    const bool options = (plain || kOfFiles.count(name) > 0) && word.size() > 2 && word[0] == '-' &&
                         word.find(' ') != std::string::npos && word.find('=') == std::string::npos;
    if (options) {
      return Error{Fault::invalid, "one_word", in_quotes(word) + " is one word to " + in_quotes(program),
                   "no shell takes it apart: write each word as an element of its own"}
          .in(std::to_string(i));
    }
    if (kOperators.count(word) == 0 && !(plain && meant) && !pattern && !pipe && !ends) continue;
    return Error{Fault::invalid, "of_a_shell",
                 in_quotes(word) + " is given to " + in_quotes(program) + " as it stands: no shell reads it", kRemedy}
        .in(std::to_string(i));
  }
  return {};
}

namespace {

// A name or an IPv4 address, as libcurl takes them: labels of letters, digits, `-` and `_`.
bool is_host(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const auto labels = base::split(std::string(host), '.');
  bool numbers = true;
  for (const auto& label : labels) {
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x80 &&
             (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_');
    });
    if (label.empty() || !plain) return false;
    numbers = numbers && label.find_first_not_of("0123456789") == std::string::npos;
  }
  if (!numbers || labels.size() != 4) return true;
  return std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
    const auto number = base::parse_integer(label);
    return number && *number <= 255;
  });
}

// What stands between the brackets of an IPv6 address.
bool is_six(std::string_view host) {
  return host.find(':') != std::string_view::npos &&
         host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

}  // namespace

// By hand, since the offline program has no libcurl: what passes here is parsed in full before it is asked.
Result<void> check_url(const std::string& url) {
  const Error refused{Fault::invalid, "bad_url", in_quotes(url) + " is no http or https URL",
                      "write it like https://backend.example/health"};
  const std::size_t colon = url.find("://");
  const std::string scheme = base::lower(url.substr(0, colon));
  if (colon == std::string::npos || (scheme != "http" && scheme != "https")) return refused;
  if (url.find_first_of("\r\n") != std::string::npos)
    return Error{Fault::invalid, "bad_url", in_quotes(url) + " has a line break in it", kOneLine};
  const bool strange = std::any_of(
      url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\'; });
  const std::string place = url.substr(colon + 3, url.find_first_of("/?#", colon + 3) - (colon + 3));
  const bool six = place.rfind('[', 0) == 0;
  if (six && place.find(']') == std::string::npos) return refused;
  const std::size_t port = place.find(':', six ? place.find(']') : 0);
  if (strange || place.empty() || port == 0 || place.find('@') != std::string::npos) return refused;
  const std::string host = place.substr(0, port);
  const std::size_t closing = host.find(']');
  if (six ? closing + 1 != host.size() || !is_six(std::string_view(host).substr(1, closing - 1)) : !is_host(host)) {
    return Error{Fault::invalid, "bad_url", in_quotes(host) + " is no host of a URL",
                 "write a name like backend.example (an international one in its `xn--` form) or an address; nothing "
                 "in it is filled in but ${{ }}"};
  }
  if (port == std::string::npos || port + 1 == place.size()) return {};  // RFC 3986, 3.2.3: it may be empty
  const auto number = base::parse_integer(place.substr(port + 1));
  if (!number || *number < 1 || *number > 65535)
    return Error{Fault::invalid, "bad_url", in_quotes(place.substr(port + 1)) + " in " + in_quotes(url) + " is no port",
                 "ports go from 1 to 65535"};
  return {};
}

Result<void> check_bucket(const std::string& bucket) {
  const bool name = bucket.size() >= 6 && bucket.size() <= 63 &&
                    bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
                        std::string::npos &&
                    bucket.rfind("b2-", 0) != 0 && bucket.find("..") == std::string::npos &&
                    std::isalnum(static_cast<unsigned char>(bucket.front())) != 0 &&
                    std::isalnum(static_cast<unsigned char>(bucket.back())) != 0;
  if (name) return {};
  return Error{Fault::invalid, "bad_bucket", in_quotes(bucket) + " is no bucket name",
               "6 to 63 letters, digits and hyphens, none at an end, and not b2- at the beginning"};
}

Result<void> check_key(const std::string& key) {
  if (key.empty()) return Error{Fault::invalid, "bad_key", "an object needs a name", "give it a key"};
  const auto segments = base::split(key, '/');
  // URL parsers on the way rewrite these (b2-s3-api.md 3).
  const bool dots =
      std::any_of(segments.begin(), segments.end(), [](const std::string& one) { return one == "." || one == ".."; });
  const bool control =
      std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (dots || control || key.size() > 1024 || base::invalid_utf8(key)) {
    return Error{Fault::invalid, "bad_key", in_quotes(key) + " cannot be the name of an object",
                 "at most 1024 bytes of UTF-8 without control characters and without . or .. between slashes"};
  }
  return {};
}

}  // namespace failover::client
