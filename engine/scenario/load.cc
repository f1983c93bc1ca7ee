#include <algorithm>
#include <filesystem>

#include "engine/base/text.h"
#include "engine/scenario/loader.h"
#include "engine/source/scalar.h"

namespace failover::scenario {

using base::Type;

void Loader::error(source::Span span, source::Code code, std::string message, std::string hint) {
  diagnostics_.error(file_, span, code, std::move(message), std::move(hint));
}

bool Loader::want_mapping(const Node& node, const char* what, const std::string& hint) {
  if (node.is_mapping()) return true;
  if (node.broken || hollow_.count(&node) > 0) return false;
  const bool dashes = node.is_sequence() && node.style == Node::Style::block;
  error(node.span, "wrong-type", std::string(what) + " is a mapping",
        dashes ? "leave the `- ` out: below it stand keys with values" : hint);
  return false;
}

bool Loader::want_sequence(const Node& node, const char* what) {
  if (node.is_sequence()) return true;
  if (node.broken) return false;
  // One word, or some with commas between them.
  const bool words = node.is_plain() && node.text.size() < 60 &&
                     node.text.find_first_of("[]{}#\n\"'=<>&|!?:()") == std::string::npos &&
                     (node.text.find(' ') == std::string::npos || node.text.find(',') != std::string::npos);
  error(node.span, "wrong-type", std::string(what) + " is a list",
        words ? "write [" + node.text + "]" : "begin each element with `- `");
  return false;
}

void Loader::hide(const Node& node) {
  if (node.is_scalar()) hidden_.insert(node.text);
  for (const auto& item : node.items) hide(item);
  for (const auto& entry : node.entries) {
    hidden_.insert(entry.key);
    if (entry.key == "name") hide(entry.value);
  }
}

std::optional<std::string> Loader::text(const Node& node) {
  const auto given = read_value(file_, node, Type::Kind::string, diagnostics_);
  if (!given) return std::nullopt;
  if (given->kind == Given::Kind::literal) return *given->literal.text();
  error(node.span, "no-expression-here", "an expression is not possible here", "write the text itself");
  return std::nullopt;
}

std::optional<Given> Loader::value(const Entry* entry, const Type& type) {
  if (entry == nullptr) return std::nullopt;
  return read_value(file_, entry->value, type, diagnostics_);
}

std::optional<Given> Loader::time(const Entry* entry) {
  auto given = value(entry, Type::Kind::duration);
  if (!given || given->kind != Given::Kind::literal || given->literal.get<base::Duration>()->count() > 0) return given;
  error(given->node->span, "too-small", "`" + entry->key + "` must be longer than 0s");
  return std::nullopt;
}

std::optional<At<std::string>> Loader::text_at(const Entry* entry) {
  if (entry == nullptr) return std::nullopt;
  auto read = text(entry->value);
  if (!read) return std::nullopt;
  return At<std::string>{*std::move(read), entry->value.span, entry->key_span};
}

std::optional<At<bool>> Loader::flag_at(const Entry* entry) {
  const auto given = value(entry, Type::Kind::boolean);
  if (!given) return std::nullopt;
  if (given->kind == Given::Kind::literal)
    return At<bool>{*given->literal.get<bool>(), given->node->span, entry->key_span};
  error(given->node->span, "no-expression-here", "an expression is not possible here", "write true or false");
  return std::nullopt;
}

std::vector<std::string> Loader::texts(const Entry* entry) {
  std::vector<std::string> out;
  if (entry == nullptr || !want_sequence(entry->value, ("`" + entry->key + "`").c_str())) return out;
  for (const auto& item : entry->value.items) {
    if (auto one = text(item)) out.push_back(*std::move(one));
  }
  return out;
}

std::optional<Condition> Loader::condition(const Entry* entry) {
  if (entry == nullptr) return std::nullopt;
  return condition(entry->value, entry->key_span);
}

std::optional<Condition> Loader::condition(const Node& node, source::Span key) {
  if (node.broken) return std::nullopt;
  if (!node.is_scalar() || node.text.empty()) {
    error(node.span, "wrong-type", "expected an expression", "as in `outputs.count > 0`");
    return std::nullopt;
  }
  Condition out;
  out.node = &node;
  out.key = key;
  const auto problems = [&](const std::vector<expr::Problem>& found) { refuse(file_, node, found, diagnostics_); };
  if (!expr::has_expression(node.text)) {
    auto parsed = expr::parse(node.text);
    problems(parsed.problems);
    out.expression = std::move(parsed.expression);
  } else {
    auto parsed = expr::parse_template(node.text);
    problems(parsed.problems);
    if (!parsed.problems.empty()) return std::nullopt;
    if (!parsed.value.single()) {
      const std::size_t open = node.text.find("${{");
      const bool quoted = open > 0 && (node.text[open - 1] == '\'' || node.text[open - 1] == '"');
      const std::string quote(quoted ? 1 : 0, quoted ? node.text[open - 1] : ' ');
      error(node.span, "wrong-type", "a condition is one expression",
            "leave `" + quote + "${{` and `}}" + quote + "` out: conditions are written bare");
      return std::nullopt;
    }
    out.offset = parsed.value.pieces.front().begin;
    out.expression = std::move(parsed.value.pieces.front().expression);
  }
  if (out.expression.empty()) return std::nullopt;
  return out;
}

void Loader::name(const Entry* entry, Scenario& out) {
  if (entry == nullptr) {
    error({0, 0}, "missing-key", "the scenario has no `name`",
          "begin with `name: " + std::filesystem::path(file_->name()).stem().string() + "`");
    return;
  }
  auto read = text_at(entry);
  if (!read) return;
  out.name = *std::move(read);
  const std::string stem = std::filesystem::path(file_->name()).stem().string();
  if (out.name.value != stem) {
    error(out.name.span, "name-differs",
          "the name `" + base::printable(out.name.value, 60) + "` differs from the file's, `" + stem + "`",
          "`failover run NAME` finds a scenario by its file: make them equal");
  }
}

void Loader::environment(const Entry* entry, Scenario& out) {
  if (entry == nullptr || entry->value.broken || hollow_.count(&entry->value) > 0) return;
  const auto add = [&](const std::string& name, source::Span span, bool secret) {
    if (!want_name(name, span, "name of an environment variable")) return;
    if (out.variable(name) != nullptr) {
      error(span, "duplicate-env", "`" + name + "` is declared twice");
    } else {
      out.env.push_back({{name, span, span}, secret});
    }
  };
  if (entry->value.is_sequence()) {
    for (const auto& item : entry->value.items) {
      if (item.is_mapping() && item.entries.size() == 1) {
        hide(item);
        error(item.span, "wrong-type", "`env` is a list of names, or a mapping",
              "write `env: {" + base::printable(item.entries.front().key, 60) + ": {secret: true}}`, without `- `");
      } else if (const auto name = text(item)) {
        add(*name, item.span, false);
      }
    }
    return;
  }
  if (!entry->value.is_mapping()) {
    hide(entry->value);
    error(entry->value.span, "wrong-type", "`env` is a list of names",
          "as in `env: [" + (entry->value.is_plain() ? base::printable(entry->value.text, 60) : "B2_BUCKET") + "]`");
    return;
  }
  for (const auto& one : entry->value.entries) {
    bool secret = false;
    if (!one.value.is_null() && want_mapping(one.value, "what a variable is",
                                             "its value comes from the environment of the run: leave it out")) {
      known_keys(one.value, {"secret"}, "an environment variable");
      const auto flag = flag_at(one.value.find("secret"));
      secret = flag && flag->value;
    }
    add(one.key, one.key_span, secret);
  }
}

void Loader::limits(const Entry* entry, Scenario& out) {
  if (entry == nullptr || !want_mapping(entry->value, "`limits`", "as in `limits: { cost: $1.00, duration: 1h }`"))
    return;
  known_keys(entry->value, {"cost", "duration"}, "`limits`");
  out.cost_limit = value(entry->value.find("cost"), Type::Kind::money);
  out.duration_limit = time(entry->value.find("duration"));
}

void Loader::objectives(const Entry* entry, Scenario& out) {
  if (entry == nullptr || !want_mapping(entry->value, "`objectives`", "as in `objectives: { rto: 10m }`")) return;
  known_keys(entry->value, objective_names(), "`objectives`");
  for (const auto& name : objective_names()) {
    const Entry* one = entry->value.find(name);
    // Nothing lost is a goal, nothing waited for is none.
    auto limit = name == "rpo" ? value(one, Type::Kind::duration) : time(one);
    if (limit) {
      out.objectives.push_back({{name, one->key_span, one->key_span}, *std::move(limit)});
    }
  }
}

void Loader::top(const Node& root, Scenario& out) {
  root_broken_ = root.broken;
  const auto strange = known_keys(root,
                                  {"name", "description", "tags", "env", "inputs", "limits", "objectives", "preflight",
                                   "steps", "finally", "must_fail"},
                                  "a scenario");
  if (strange.count("name") == 0) name(root.find("name"), out);
  if (auto about = text_at(root.find("description"))) out.description = about->value;
  out.tags = texts(root.find("tags"));
  environment(root.find("env"), out);
  inputs(root.find("inputs"), out);
  limits(root.find("limits"), out);
  objectives(root.find("objectives"), out);
  if (root.find("steps") == nullptr && strange.count("steps") == 0) {
    error({0, 0}, "missing-key", "the scenario has no `steps`", "a journey has at least one");
  }
  // In the file's order: of two steps with one id the lower one is the second.
  for (const auto& entry : root.entries) {
    if (entry.key == "preflight") out.preflight = steps(&entry, "`preflight`");
    if (entry.key == "steps") out.steps = steps(&entry, "`steps`");
    if (entry.key == "finally") out.finally = steps(&entry, "`finally`");
  }
  out.must_fail = flag_at(root.find("must_fail"));
  out.hidden = std::move(hidden_);
}

void Loader::outputs(const Entry* entry, Scenario& out) {
  if (entry == nullptr || !want_mapping(entry->value, "`outputs`")) return;
  for (const auto& one : entry->value.entries) {
    if (!want_name(one.key, one.key_span, "name of an output")) continue;
    OutputDeclaration declared;
    declared.name = {one.key, one.key_span, one.key_span};
    const Entry* given = &one;
    if (one.value.is_mapping() && one.value.find("value") != nullptr) {
      known_keys(one.value, {"value", "description"}, "an output");
      if (const auto about = text_at(one.value.find("description"))) declared.description = about->value;
      given = one.value.find("value");
    }
    auto read = value(given, Type::Kind::any);
    if (!read) continue;
    declared.value = *std::move(read);
    out.outputs.push_back(std::move(declared));
  }
}

void Loader::fragment(const Node& root, Scenario& out) {
  fragment_ = true;
  root_broken_ = root.broken;
  const auto strange = known_keys(root, {"name", "description", "env", "inputs", "outputs", "steps"}, "a fragment");
  if (const Entry* entry = root.find("name")) name(entry, out);
  if (auto about = text_at(root.find("description"))) out.description = about->value;
  environment(root.find("env"), out);
  inputs(root.find("inputs"), out);
  if (root.find("steps") == nullptr && strange.count("steps") == 0) {
    error({0, 0}, "missing-key", "the fragment has no `steps`", "a fragment has at least one");
  }
  out.steps = steps(root.find("steps"), "`steps`");
  outputs(root.find("outputs"), out);
  out.hidden = std::move(hidden_);
}

bool is_fragment(std::string_view uses) { return uses.rfind("./", 0) == 0 || uses.rfind("../", 0) == 0; }

namespace {

template <class Read>
std::optional<Scenario> read(const source::FilePtr& file, source::Diagnostics& diagnostics, const char* what,
                             Read part) {
  auto document = source::parse(file, diagnostics);
  if (document == nullptr) return std::nullopt;
  if (!document->root.is_mapping()) {
    if (!document->root.broken) {
      diagnostics.error(file, document->root.span, "wrong-type", std::string(what) + " is a mapping",
                        "begin with `name: ...`");
    }
    return std::nullopt;
  }
  Scenario out;
  out.document = document;
  Loader loader(file, diagnostics);
  (loader.*part)(document->root, out);
  return out;
}

}  // namespace

std::optional<Scenario> load(const source::FilePtr& file, source::Diagnostics& diagnostics) {
  return read(file, diagnostics, "a scenario", &Loader::top);
}

std::optional<Scenario> load_fragment(const source::FilePtr& file, source::Diagnostics& diagnostics) {
  auto out = read(file, diagnostics, "a fragment", &Loader::fragment);
  // A fragment without a name is called by its file.
  if (out && out->name.value.empty()) out->name.value = std::filesystem::path(file->name()).stem().string();
  return out;
}

}  // namespace failover::scenario
