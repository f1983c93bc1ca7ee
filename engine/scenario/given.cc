#include "engine/scenario/given.h"

#include <algorithm>
#include <set>

#include "engine/base/text.h"

namespace failover::scenario {
namespace {

using base::Type;
using base::Value;
using source::Node;
using K = Type::Kind;

// `steps.offer.count`, as an expression would have it.
bool is_reference(std::string_view text) {
  for (const std::string_view first : {"steps.", "inputs.", "outputs.", "env.", "each."}) {
    if (text.starts_with(first)) return text.size() < 200 && text.find_first_of(" \n\"$") == std::string_view::npos;
  }
  return text == "each";
}

// For what was meant as an expression.
std::optional<std::string> expression_hint(const std::string& text) {
  if (is_reference(text)) return "write \"${{ " + text + " }}\"";
  if (!text.starts_with("{{") && !text.starts_with("${")) return std::nullopt;
  const std::size_t end = std::min(text.find('}'), text.size());
  const std::string inside(base::trim(std::string_view(text).substr(2, end - 2)));
  return is_reference(inside) ? "write \"${{ " + inside + " }}\"" : "an expression is written \"${{ ... }}\"";
}

// What keeps one structure from being the other.
std::string difference(const std::string& text, const Type& from, const Type& to) {
  for (const auto& field : from.fields()) {
    if (field.type.kind() == to.kind() && to.accepts(field.type))
      return "take a field of it, as in ${{ " + text + "." + field.name + " }}";
  }
  std::vector<std::string> legal;
  for (const auto& field : to.fields()) legal.push_back(field.name);
  std::vector<std::string> parts;
  std::set<std::string> meant;
  for (const auto& field : from.fields()) {
    if (to.field(field.name) != nullptr) continue;
    const auto near = base::nearest(field.name, legal);
    if (near) meant.insert(*near);
    parts.push_back("`" + base::printable(field.name, 60) + "` is unknown" +
                    (near ? " (did you mean `" + *near + "`?)" : ""));
  }
  std::vector<std::string> lacks;
  for (const auto& field : to.fields()) {
    const Type* other = from.field(field.name);
    if (other == nullptr && !field.optional && !field.type.nullable() && meant.count(field.name) == 0)
      lacks.push_back(field.name);
    if (other != nullptr && !field.type.accepts(*other))
      parts.push_back("`" + field.name + "` is " + other->name() + ", not " + field.type.name());
  }
  if (!lacks.empty()) parts.push_back("it lacks " + base::join(lacks));
  return base::join(parts, "; ");
}

// How an expression of type `from` becomes a `to`.
std::string remedy(const expr::Expression& expression, const Type& from, const Type& to) {
  const std::string how = expr::conversion(expression.text(), nullptr, from, to);
  if (from.kind() == K::string && to.kind() == K::size)
    return "a text is a size only where it is written, as in ${{ size('20 GB') }}, or in an input of type size";
  if (from.kind() == K::list) return to.accepts(from.element()) ? "take one with [0], or each with `foreach`" : "";
  for (const auto& field : from.kind() == K::object ? from.fields() : std::vector<Type::Field>()) {
    if (to.accepts(field.type)) return "take a field of it, as in ${{ " + expression.text() + "." + field.name + " }}";
  }
  if (how.empty()) return {};
  const bool number = from.kind() == K::string && (to.kind() == K::integer || to.kind() == K::number);
  return "write ${{ " + how + " }}" + (number ? " if the text is a number" : "");
}

class Reader {
 public:
  Reader(const source::FilePtr& file, source::Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}

  std::optional<Given> read(const Node& node, const Type& type) {
    if (node.broken) return std::nullopt;
    switch (node.kind) {
      case Node::Kind::null: return nothing(node, type);
      case Node::Kind::scalar: return scalar(node, type);
      case Node::Kind::sequence: return list(node, type);
      case Node::Kind::mapping: return map(node, type);
    }
    return std::nullopt;
  }

 private:
  static Given given(Given::Kind kind, const Node& node, const Type& type) {
    Given out;
    out.kind = kind;
    out.type = type;
    out.node = &node;
    return out;
  }

  std::optional<Given> nothing(const Node& node, const Type& type) {
    if (type.nullable() || type.kind() == K::any || type.kind() == K::null)
      return given(Given::Kind::literal, node, type);
    const Literal literal = read_literal("", false, type);
    diagnostics_.error(file_, node.span, "wrong-type", literal.message, "give it a value");
    return std::nullopt;
  }

  std::optional<Given> scalar(const Node& node, const Type& type) {
    if (expr::has_expression(node.text)) return expression(node, type);
    Literal literal = read_literal(node.text, !node.is_plain(), type);
    if (!literal.value) {
      diagnostics_.error(file_, node.span, "wrong-type", literal.message,
                         expression_hint(node.text).value_or(literal.hint));
      return std::nullopt;
    }
    Given out = given(Given::Kind::literal, node, type);
    out.literal = *std::move(literal.value);
    return out;
  }

  std::optional<Given> expression(const Node& node, const Type& type) {
    auto parsed = expr::parse_template(node.text);
    refuse(file_, node, parsed.problems, diagnostics_);
    if (!parsed.problems.empty()) return std::nullopt;
    Given out = given(Given::Kind::expression, node, type);
    out.text = std::move(parsed.value);
    return out;
  }

  std::optional<Given> wrong_shape(const Node& node, const Type& type, const char* found) {
    diagnostics_.error(file_, node.span, "wrong-type", "expected " + type.name() + ", found " + found,
                       shape_hint(type));
    return std::nullopt;
  }

  std::optional<Given> list(const Node& node, const Type& type) {
    if (type.kind() != K::list && type.kind() != K::any) return wrong_shape(node, type, "a list");
    Given out = given(Given::Kind::list, node, type);
    out.items.reserve(node.items.size());
    for (const auto& item : node.items) {
      auto one = read(item, type.element());
      out.partial = out.partial || !one || one->partial;
      if (one) out.items.push_back(*std::move(one));
    }
    return out;
  }

  std::optional<Given> map(const Node& node, const Type& type) {
    const bool object = type.kind() == K::object;
    if (!object && type.kind() != K::map && type.kind() != K::any) return wrong_shape(node, type, "a mapping");
    Given out = given(Given::Kind::map, node, type);
    for (const auto& entry : node.entries) {
      const Type* member = object ? type.field(entry.key) : &type.element();
      if (member == nullptr) {
        unknown_member(entry, type);
        out.partial = true;
        continue;
      }
      auto one = read(entry.value, *member);
      out.partial = out.partial || !one || one->partial;
      if (!one) continue;
      one->key = entry.key_span;
      out.members.emplace_back(entry.key, *std::move(one));
    }
    return out;
  }

  void unknown_member(const source::Entry& entry, const Type& type) {
    std::vector<std::string> legal;
    for (const auto& field : type.fields()) legal.push_back(field.name);
    const auto near = base::nearest(entry.key, legal);
    diagnostics_.error(file_, entry.key_span, "unknown-key", "unknown key `" + base::printable(entry.key, 60) + "`",
                       (near ? "did you mean `" + *near + "`? " : "") + "legal here: " + base::join(legal));
  }

  const source::FilePtr& file_;
  source::Diagnostics& diagnostics_;
};

std::string mismatch(const Type& wanted, const Type& found) {
  if (wanted.kind() == found.kind() && wanted.identifies() != nullptr && found.identifies() != nullptr)
    return std::string("expected the id of ") + wanted.identifies() + ", found the id of " + found.identifies();
  return "expected " + wanted.name() + ", found a value of type " + found.name();
}

// A piece of text with expressions in it is text; it stands for nothing else.
void check_expression(const source::FilePtr& file, const Given& given, const expr::Scope& scope,
                      source::Diagnostics& diagnostics) {
  const expr::Checked checked = expr::check(given.text, scope);
  if (!checked.problems.empty()) {
    source::Places places(*file, *given.node);
    for (const auto& problem : checked.problems) {
      diagnostics.error(file, places.of(problem.begin, problem.end), problem.code, problem.message, problem.hint);
    }
    return;
  }
  if (given.type.accepts(checked.type)) return;
  if (given.text.single()) {
    const auto& piece = given.text.pieces.front();
    diagnostics.error(file, source::locate(*file, *given.node, piece.begin, piece.end), "wrong-type",
                      mismatch(given.type, checked.type),
                      checked.type.kind() != given.type.kind() ? remedy(piece.expression, checked.type, given.type)
                      : given.type.kind() == K::object
                          ? difference(std::string(piece.expression.text()), checked.type, given.type)
                          : std::string());
  } else {
    diagnostics.error(file, given.node->span, "wrong-type",
                      "expected " + given.type.name() + ", found text with an expression in it",
                      "a value that is exactly one ${{ }} keeps its type");
  }
}

base::Result<Value> evaluate_expression(const Given& given, const expr::Values& values, std::int64_t* spent) {
  auto value = expr::evaluate(given.text, values, spent);
  if (!value || given.type.holds(*value)) return value;
  return base::Error{base::Fault::invalid, "wrong_type",
                     "expected " + given.type.name() + ", found " + base::printable(value->literal(), 120)};
}

}  // namespace

bool Given::constant() const {
  if (kind == Kind::expression) return false;
  return std::all_of(items.begin(), items.end(), [](const Given& one) { return one.constant(); }) &&
         std::all_of(members.begin(), members.end(), [](const auto& one) { return one.second.constant(); });
}

std::optional<Given> read_value(const source::FilePtr& file, const Node& node, const Type& type,
                                source::Diagnostics& diagnostics) {
  return Reader(file, diagnostics).read(node, type);
}

void refuse(const source::FilePtr& file, const Node& node, const std::vector<expr::Problem>& problems,
            source::Diagnostics& diagnostics) {
  // Where a plain scalar ends on its line with a blank and `#`, the rest may be no comment to the author.
  const std::string_view behind = std::string_view(file->text()).substr(std::min(node.span.end, file->text().size()));
  const std::size_t next = behind.find_first_not_of(' ');
  const bool cut = node.is_plain() && next != std::string_view::npos && next > 0 && behind[next] == '#';
  source::Places places(*file, node);
  for (const auto& one : problems) {
    const bool here = cut && one.end >= node.text.size();
    diagnostics.error(
        file, places.of(one.begin, one.end), one.code, one.message,
        here ? "the ` #` behind it starts a comment in YAML: put quotes around the whole value" : one.hint);
  }
}

void check(const source::FilePtr& file, const Given& given, const expr::Scope& scope,
           source::Diagnostics& diagnostics) {
  if (given.kind == Given::Kind::expression) check_expression(file, given, scope, diagnostics);
  for (const auto& item : given.items) check(file, item, scope, diagnostics);
  for (const auto& [ignored, member] : given.members) check(file, member, scope, diagnostics);
}

base::Result<Value> evaluate(const Given& given, const expr::Values& values, std::int64_t* spent) {
  switch (given.kind) {
    case Given::Kind::literal: return given.literal;
    case Given::Kind::expression: return evaluate_expression(given, values, spent);
    case Given::Kind::list: {
      Value::List out;
      for (const auto& item : given.items) {
        auto value = evaluate(item, values, spent);
        if (!value) return value;
        out.push_back(*std::move(value));
      }
      return Value(std::move(out));
    }
    case Given::Kind::map: {
      Value::Map out;
      for (const auto& [name, member] : given.members) {
        auto value = evaluate(member, values, spent);
        if (!value) return value;
        out.emplace(name, *std::move(value));
      }
      return Value(std::move(out));
    }
  }
  return Value();
}

source::Span Reference::span(const source::File& file) const {
  return source::locate(file, *given.node, offset + path.begin, offset + path.end);
}

}  // namespace failover::scenario
