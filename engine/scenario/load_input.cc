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

bool has_bounds(InputKind kind) {
  return kind == InputKind::integer || kind == InputKind::number || kind == InputKind::money ||
         kind == InputKind::duration || kind == InputKind::size;
}

}  // namespace

void Loader::inputs(const Entry* entry, Scenario& out) {
  if (entry == nullptr || !want_mapping(entry->value, "`inputs`")) return;
  for (const auto& one : entry->value.entries) {
    if (!is_name(one.key)) {
      error(one.key_span, "bad-name", "`" + base::printable(one.key, 60) + "` is no name of an input",
            "letters, digits and _, no digit first");
      continue;
    }
    if (want_mapping(one.value, "an input")) input(one, out);
  }
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
  known_keys(entry.value, {"type", "default", "description", "minimum", "maximum", "values", "choices"}, "an input");
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
          legal_names(*word, names));
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
