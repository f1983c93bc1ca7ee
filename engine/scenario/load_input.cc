#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/scenario/loader.h"

namespace failover::scenario {
namespace {

const std::vector<std::pair<std::string, InputKind>>& kinds() {
  static const std::vector<std::pair<std::string, InputKind>> kAll = {
      {"string", InputKind::string},   {"integer", InputKind::integer}, {"number", InputKind::number},
      {"boolean", InputKind::boolean}, {"money", InputKind::money},     {"duration", InputKind::duration},
      {"size", InputKind::size},       {"path", InputKind::path},       {"enum", InputKind::choice},
      {"any", InputKind::any}};
  return kAll;
}

const std::vector<std::string>& input_keys() {
  static const std::vector<std::string> kKeys = {"type",    "default", "description", "minimum",
                                                 "maximum", "values",  "choices"};
  return kKeys;
}

// The first type that takes it as a literal.
std::string type_of_literal(const source::Node& node) {
  for (const char* word : {"boolean", "integer", "number", "money", "size", "duration"}) {
    const auto kind = std::find_if(kinds().begin(), kinds().end(), [&](const auto& one) { return one.first == word; });
    InputDeclaration declared;
    declared.kind = kind->second;
    if (read_literal(node.text, !node.is_plain(), declared.type()).value) return word;
  }
  return "string";
}

// Words of other languages for a type.
std::string type_hint(const std::string& word, const std::vector<std::string>& legal) {
  static constexpr std::pair<std::string_view, const char*> kWords[] = {
      {"bool", "boolean"},      {"byte", "size"},      {"bytes", "size"},    {"choice", "enum"},
      {"currency", "money"},    {"decimal", "number"}, {"dir", "path"},      {"directory", "path"},
      {"double", "number"},     {"file", "path"},      {"filepath", "path"}, {"float", "number"},
      {"int", "integer"},       {"long", "integer"},   {"price", "money"},   {"select", "enum"},
      {"str", "string"},        {"text", "string"},    {"time", "duration"}, {"timeout", "duration"},
      {"timespan", "duration"}, {"uint", "integer"},   {"url", "string"},    {"usd", "money"}};
  const std::string lowered = base::lower(word);
  for (const auto& [theirs, ours] : kWords) {
    if (theirs == lowered) return std::string("write `") + ours + "`";
  }
  if (std::find(legal.begin(), legal.end(), lowered) != legal.end()) return "write `" + lowered + "`";
  return legal_names(word, legal);
}

bool has_bounds(InputKind kind) {
  return kind == InputKind::integer || kind == InputKind::number || kind == InputKind::money ||
         kind == InputKind::duration || kind == InputKind::size;
}

}  // namespace

void Loader::inputs(const Entry* entry, Scenario& out) {
  if (entry == nullptr) return;
  if (!want_mapping(entry->value, "`inputs`", "as in `inputs: { count: {type: integer, default: 5} }`"))
    return hide(entry->value);
  const Entry* empty = nullptr;  // the input before, when nothing is below it
  for (const auto& one : entry->value.entries) {
    const bool member = std::find(input_keys().begin(), input_keys().end(), one.key) != input_keys().end();
    if (empty != nullptr && member && !one.value.is_mapping()) {
      beside(*empty, one);
      continue;
    }
    if (empty != nullptr && hollow_.count(&empty->value) == 0) written_outright(*empty);
    empty = nullptr;
    if (!want_name(one.key, one.key_span, "name of an input")) continue;
    if (one.value.is_mapping()) {
      input(one, out);
      continue;
    }
    if (one.value.is_null()) {
      empty = &one;
    } else if (!one.value.broken) {
      written_outright(one);
    }
    // What is wrong with it is said here, and not again wherever it is used.
    out.inputs.push_back({{one.key, one.key_span, one.key_span}, InputKind::unknown, {}, {}, {}, {}, {}});
  }
  if (empty != nullptr && hollow_.count(&empty->value) == 0) written_outright(*empty);
}

void Loader::written_outright(const Entry& entry) {
  const Node& value = entry.value;
  const std::string shown = base::printable(value.text, 40);
  const auto& all = kinds();
  const bool type = std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.first == value.text; });
  std::string hint = "write `" + entry.key + ": {type: string}`";
  if (type) {
    hint = "write `" + entry.key + ": {type: " + shown + "}`";
  } else if (value.is_scalar() && value.text.find_first_of("{}[],#\n") == std::string::npos) {
    hint = "write `" + entry.key + ": {type: " + type_of_literal(value) +
           ", default: " + base::printable(file_->slice(value.span), 40) + "}`";
  }
  error(value.span, "wrong-type", "an input is a mapping that says its `type`", hint);
}

std::optional<base::Value> Loader::constant(const Entry* entry, const InputDeclaration& declaration) {
  const auto given = value(entry, declaration.type());
  if (!given) return std::nullopt;
  if (given->kind != Given::Kind::literal) {
    error(given->node->span, "no-expression-here", "an expression is not possible here", "write the value itself");
    return std::nullopt;
  }
  return given->literal;
}

void Loader::choices(const Node& node, InputDeclaration& declaration) {
  const Entry* entry = node.find("values") != nullptr ? node.find("values") : node.find("choices");
  if (declaration.kind == InputKind::choice) {
    if (entry == nullptr) {
      error(node.find("type")->value.span, "missing-key", "an enum needs its `values`",
            "as in `values: [small, large]`");
      return;
    }
    declaration.choices = texts(entry);
    if (declaration.choices.empty() && entry->value.is_sequence() && entry->value.items.empty()) {
      error(entry->value.span, "empty-list", "an enum needs at least one value");
    }
  } else if (entry != nullptr) {
    error(entry->key_span, "unknown-key", "`" + entry->key + "` belongs to inputs of type enum");
  }
}

void Loader::input(const Entry& entry, Scenario& out) {
  known_keys(entry.value, input_keys(), "an input");
  InputDeclaration declaration;
  declaration.name = {entry.key, entry.key_span, entry.key_span};
  // What is wrong with it is said here, and not again wherever it is used.
  const auto give_up = [&] {
    declaration.kind = InputKind::unknown;
    out.inputs.push_back(std::move(declaration));
  };
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds()) {
    if (fragment_ || kind != InputKind::any) names.push_back(name);
  }
  const Entry* type = entry.value.find("type");
  if (type == nullptr) {
    error(entry.key_span, "missing-key", "the input `" + entry.key + "` has no `type`", "types: " + base::join(names));
    return give_up();
  }
  const auto word = text(type->value);
  if (!word) return give_up();
  const auto known = std::find_if(kinds().begin(), kinds().end(), [&](const auto& one) { return one.first == *word; });
  if (known == kinds().end() || std::find(names.begin(), names.end(), *word) == names.end()) {
    error(type->value.span, "unknown-type", "no input type `" + base::printable(*word, 60) + "`",
          type_hint(*word, names));
    return give_up();
  }
  declaration.kind = known->second;
  if (const auto about = text_at(entry.value.find("description"))) declaration.description = about->value;
  choices(entry.value, declaration);
  for (const char* bound : {"minimum", "maximum"}) {
    const Entry* at = entry.value.find(bound);
    if (at == nullptr) continue;
    if (!has_bounds(declaration.kind)) {
      error(at->key_span, "unknown-key", "`" + at->key + "` makes no sense for an input of type " + *word);
      continue;
    }
    (at->key == "minimum" ? declaration.minimum : declaration.maximum) = constant(at, declaration);
  }
  if (declaration.minimum && declaration.maximum && below(*declaration.maximum, *declaration.minimum)) {
    error(entry.value.find("maximum")->value.span, "bad-bounds",
          "the maximum " + declaration.maximum->display() + " is below the minimum " + declaration.minimum->display(),
          "no value would fit: exchange them");
    declaration.minimum.reset();
    declaration.maximum.reset();
  }
  const Entry* fallback = entry.value.find("default");
  declaration.fallback = constant(fallback, declaration);
  if (declaration.fallback && !(declaration.kind == InputKind::choice && declaration.choices.empty())) {
    const auto fits = parse_input(declaration, declaration.fallback->display());
    if (!fits)
      error(fallback->value.span, "bad-default", "the default does not fit: " + fits.error().message,
            fits.error().hint);
  }
  out.inputs.push_back(std::move(declaration));
}

}  // namespace failover::scenario
