// Keys and names: which are legal, and what is meant by those that are not.
#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/scenario/loader.h"

namespace failover::scenario {
namespace {

// Words of other tools. `ours` is the key that is meant, where it is legal; the hint, when `ours` alone says too
// little.
struct Foreign {
  std::string_view theirs;
  std::string_view ours;
  std::string_view hint{};
};

constexpr std::string_view kExec =
    "what a step does is its `uses`: a command is `uses: local.exec` (or ssh.exec) with "
    "`with: {command: [...]}`";
constexpr std::string_view kOrder =
    "steps run in the order they are written in; what runs side by side goes into `branches`";
constexpr std::string_view kRetry = "as in `retry: { errors: [unavailable], attempts: 3 }`";
constexpr std::string_view kBelow = "it belongs below `with`, where the step type has it";

constexpr std::array<Foreign, 68> kForeign = {{
    {"action", "uses"},
    {"after", "finally"},
    {"args", "with"},
    {"arguments", "with"},
    {"assertions", "assert"},
    {"asserts", "assert"},
    {"backoff_factor", "backoff"},
    {"before", "preflight"},
    {"budget", "limits", "as in `limits: { cost: $1.00 }`"},
    {"check", "assert"},
    {"checks", "assert"},
    {"cleanup", "finally"},
    {"cmd", "uses", kExec},
    {"command", "uses", kExec},
    {"concurrency", "max_parallel"},
    {"condition", "when"},
    {"conditions", "when"},
    {"continue_on_error", "must_fail",
     "a step that fails ends the run; `must_fail: true` is for one that has to, `finally` for what always runs"},
    {"depends_on", "branches", kOrder},
    {"description", "name"},
    {"enum", "values"},
    {"env", "with", kBelow},
    {"environment", "env"},
    {"expect", "assert"},
    {"fail_message", "message"},
    {"for_each", "foreach"},
    {"if", "when"},
    {"ignore_errors", "must_fail",
     "a step that fails ends the run; `must_fail: true` is for one that has to, `finally` for what always runs"},
    {"inputs", "with"},
    {"interval", "every"},
    {"jobs", "steps", "a scenario is one list of `steps`; what runs side by side goes into `branches`"},
    {"label", "name"},
    {"loop", "foreach"},
    {"matrix", "foreach", "as in `foreach: [a, b]`, and `${{ each }}` in the step"},
    {"max", "maximum"},
    {"max_attempts", "attempts"},
    {"max_cost", "cost"},
    {"min", "minimum"},
    {"msg", "message"},
    {"needs", "branches", kOrder},
    {"on_error", "on_failure"},
    {"on_failure", "finally", "`on_failure` belongs to a step; what runs at the end in any case is `finally`"},
    {"options", "values"},
    {"outputs", "id", "what a step gives follows from what it `uses`: give it an `id`, and read `steps.ID.NAME`"},
    {"parallel", "branches", kOrder},
    {"parameters", "inputs"},
    {"params", "inputs"},
    {"post", "finally"},
    {"pre", "preflight"},
    {"register", "id", "give the step an `id`; its outputs are `steps.ID.NAME`"},
    {"repeat", "foreach"},
    {"required", "default", "an input without a `default` is required"},
    {"retries", "attempts"},
    {"retries", "retry", kRetry},
    {"run", "uses", kExec},
    {"script", "uses", kExec},
    {"setup", "preflight"},
    {"shell", "uses", kExec},
    {"stages", "steps"},
    {"strategy", "foreach", "as in `foreach: [a, b]`, and `${{ each }}` in the step"},
    {"tasks", "steps"},
    {"teardown", "finally"},
    {"time", "duration"},
    {"timeout", "duration"},
    {"times", "attempts"},
    {"title", "name"},
    {"variables", "inputs"},
    {"with_items", "foreach"},
}};

bool legal_in(const std::vector<std::string>& legal, std::string_view word) {
  return std::find(legal.begin(), legal.end(), word) != legal.end();
}

// Lower case, with `_`: `Uses` is `uses`, `on-failure` is `on_failure`.
std::string folded(std::string_view word) {
  std::string out = base::lower(word);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

// `timeout-minutes: 10` is `timeout: 10m`.
std::string with_unit(const source::Entry& entry, const std::string& folded_key,
                      const std::vector<std::string>& legal) {
  for (const std::string_view key : {"timeout", "every", "keep", "delay", "duration"}) {
    if (!legal_in(legal, key) || !folded_key.starts_with(std::string(key) + "_")) continue;
    const std::string_view unit = std::string_view(folded_key).substr(key.size() + 1);
    const bool known = unit == "minutes" || unit == "seconds" || unit == "hours";
    const bool number = !entry.value.text.empty() && base::parse_integer(entry.value.text);
    if (known) return "write `" + std::string(key) + ": " + (number ? entry.value.text : "10") + unit[0] + "`";
  }
  return {};
}

// `local.exec`, as a key.
bool is_step_type(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot != 0 && dot < key.size() - 1 && key.find_first_of(" /") == std::string_view::npos;
}

// The first character outside of ASCII: it may look like one inside.
std::string no_latin(std::string_view key) {
  const auto at = std::find_if(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (at == key.end()) return {};
  const auto end =
      std::find_if(at + 1, key.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
  return "`" + base::printable(std::string(at, end), 8) + "` is none of the letters a to z, however it looks";
}

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return letter(c) || (c >= '0' && c <= '9'); }

// A name like it that is one: `my-step` -> `my_step`.
std::string as_name(std::string_view text) {
  std::string out(text.substr(0, 60));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !in_name(c); }, '_');
  if (out.empty() || !letter(out.front())) out.insert(0, 1, '_');
  return out;
}

}  // namespace

std::string legal_names(std::string_view word, const std::vector<std::string>& legal) {
  const auto near = base::nearest(word, legal);
  return (near ? "did you mean `" + *near + "`? " : "") + "legal here: " + base::join(legal);
}

// `[A-Za-z_][A-Za-z0-9_]*`
bool Loader::want_name(const std::string& text, source::Span span, const char* what) {
  if (!text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), in_name)) return true;
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  error(span, "bad-name", "`" + base::printable(text, 60) + "` is no " + what,
        (ascii && !text.empty() && letter(text.front()) ? "write `" + as_name(text) + "`: " : "") +
            "letters, digits and _, no digit first");
  // `steps.my-step` begins with `steps.my`.
  const auto end = std::find_if_not(text.begin(), text.end(), in_name);
  hidden_.emplace(text.begin(), end);
  hidden_.insert(as_name(text));
  return false;
}

// What is meant by `key`, a legal key that is not given; empty when nobody can tell.
std::string Loader::meant(std::string_view key, const Keys& keys) {
  std::string word = folded(key);
  for (const auto& one : kForeign) {
    if (one.theirs == word && legal_in(keys.open, one.ours)) return std::string(one.ours);
  }
  if (legal_in(keys.legal, word)) return word;
  if (is_step_type(key) && legal_in(keys.open, "uses")) return "uses";
  return base::nearest(key, keys.open).value_or(std::string());
}

std::string Loader::key_hint(const Entry& entry, const Keys& keys, const std::string& near) {
  const std::string word = folded(entry.key);
  if (std::string unit = with_unit(entry, word, keys.legal); !unit.empty()) return unit;
  for (const auto& one : kForeign) {
    if (one.theirs != word || !legal_in(keys.open, one.ours)) continue;
    return one.hint.empty() ? "write `" + std::string(one.ours) + "`" : std::string(one.hint);
  }
  if (near == word) return "write `" + word + "`";
  if (const std::string strange = no_latin(entry.key); !strange.empty())
    return strange + "; " + (near.empty() ? "" : "did you mean `" + near + "`? ") +
           "legal here: " + base::join(keys.legal);
  if (near == "uses" && is_step_type(entry.key))
    return "write `uses: " + base::printable(entry.key, 60) + "`, and what is below it below `with`";
  const std::string field = keys.uses.empty() ? "" : "a field of " + keys.uses + " belongs below `with`; ";
  return (near.empty() ? field : "did you mean `" + near + "`? ") + "legal here: " + base::join(keys.legal);
}

std::set<std::string> Loader::known_keys(const Node& node, const std::vector<std::string>& legal, const char* where) {
  static const std::vector<std::string> kMappings = {"inputs", "env",   "limits",  "objectives",
                                                     "with",   "retry", "outputs", "branches"};
  std::set<std::string> strange;
  std::optional<Keys> keys;
  const Entry* empty = nullptr;  // the key before, when nothing is below it and there should be
  for (const auto& entry : node.entries) {
    if (legal_in(legal, entry.key)) {
      empty = entry.value.is_null() && legal_in(kMappings, entry.key) ? &entry : nullptr;
      continue;
    }
    if (!keys) keys.emplace(open_keys(node, legal));
    const std::string near = meant(entry.key, *keys);
    strange.insert({entry.key, near});
    if (empty != nullptr) {
      beside(*empty, entry);
    } else {
      error(entry.key_span, "unknown-key", "unknown key `" + base::printable(entry.key, 60) + "` in " + where,
            key_hint(entry, *keys, near));
    }
  }
  return strange;
}

Loader::Keys Loader::open_keys(const Node& node, const std::vector<std::string>& legal) {
  Keys out{legal, {}, {}};
  for (const auto& key : legal) {
    if (node.find(key) == nullptr) out.open.push_back(key);
  }
  const Entry* uses = legal_in(legal, "with") ? node.find("uses") : nullptr;
  if (uses != nullptr && uses->value.is_scalar()) out.uses = base::printable(uses->value.text, 60);
  return out;
}

// Keys that were meant to stand below another: one finding for all of them.
void Loader::beside(const Entry& empty, const Entry& entry) {
  hidden_.insert(entry.key);
  if (!hollow_.insert(&empty.value).second) return;
  error(entry.key_span, "unknown-key",
        "`" + base::printable(entry.key, 60) + "` stands beside `" + base::printable(empty.key, 60) + "`, not below it",
        "indent it by two spaces more, with all that belongs to `" + base::printable(empty.key, 60) + "`");
}

}  // namespace failover::scenario
