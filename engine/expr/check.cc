#include "engine/expr/check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/text.h"
#include "engine/expr/left_out.h"
#include "engine/expr/meant.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Type;
using K = Type::Kind;

const Type& any() {
  static const Type unknown;
  return unknown;
}

Type type_of(const base::Value& value) {
  static constexpr std::array<K, 12> kKinds = {K::null,   K::boolean, K::integer,  K::uinteger,
                                               K::number, K::string,  K::bytes,    K::money,
                                               K::size,   K::rate,    K::duration, K::timestamp};
  return value.data().index() < kKinds.size() ? Type(kKinds[value.data().index()]) : Type();
}

std::string suggestion(std::string_view word, const std::vector<std::string>& legal, const char* lead) {
  const auto near = base::nearest(word, legal);
  return (near ? "did you mean `" + *near + "`? " : "") + lead + (legal.empty() ? "nothing" : base::join(legal));
}

}  // namespace

void Checker::problem(Blame at, source::Code code, const std::string& message, const std::string& hint) {
  // Keys of maps and names of types may hold any character, and as many as they like.
  constexpr std::size_t kLongest = 1'000;
  problems_.push_back({at.begin, at.end, code, base::printable(message, kLongest), base::printable(hint, kLongest)});
}

Type Checker::type(const Node& node) {
  const bool outside = constant_;
  const std::size_t parts = constants_.size();
  constant_ = node.path_size == 0 && node.kind != Node::Kind::macro && node.kind != Node::Kind::has;
  Type out = inner(node);
  if (constant_ && node.kind != Node::Kind::literal) {
    constants_.resize(parts);  // they are parts of this one
    constants_.push_back(&node);
  }
  constant_ = constant_ && outside;
  dynamic_ = dynamic_ || out.kind() == K::any || out.nullable();
  return out;
}

void Checker::closed(const Node& words, const Node& literal, bool within) {
  const auto* word = literal.kind == Node::Kind::literal ? literal.value->text() : nullptr;
  if (word == nullptr || word->empty()) return;  // nothing is meant by that
  for (const auto& [node, legal] : words_) {
    if (node != &words || std::find(legal->begin(), legal->end(), *word) != legal->end()) continue;
    std::string path;
    for (const auto& part : path_of(words).parts) path += (path.empty() ? "" : ".") + part.name;
    problem(all(literal), "not-a-choice",
            "`" + path + (within ? "` never holds `" : "` is never `") + base::printable(*word, 80) + "`",
            suggestion(*word, *legal, within ? "it holds none but: " : "it is one of: "));
  }
}

Type Checker::inner(const Node& node) {
  if (node.path_size > 0) return path(node, false);
  switch (node.kind) {
    case Node::Kind::literal: return type_of(*node.value);
    case Node::Kind::name: return {};
    case Node::Kind::field: return field(type(*node.args[0]), last_part(node));
    case Node::Kind::index: return index(node);
    case Node::Kind::call: return call(node);
    case Node::Kind::unary: return unary(node);
    case Node::Kind::binary: return binary(node);
    case Node::Kind::conditional: return conditional(node);
    case Node::Kind::list: return list(node);
    case Node::Kind::map: return map(node);
    case Node::Kind::has: return has(node);
    case Node::Kind::macro: return macro(node);
  }
  return {};
}

// --- names and fields ---

const Type* Checker::variable(std::string_view name) const {
  const auto at =
      std::find_if(variables_.rbegin(), variables_.rend(), [&](const auto& one) { return one.first == name; });
  return at == variables_.rend() ? nullptr : &at->second;
}

Type Checker::path(const Node& node, bool in_has) {
  const std::string_view first = first_name(node);
  if (const Type* known = variable(first)) return along(node, *known);
  if (const auto at = scope_.resolvers.find(first); at != scope_.resolvers.end())
    return resolved(node, at->second, in_has);
  if (const auto at = scope_.names.find(first); at != scope_.names.end()) return along(node, at->second);
  unknown_name(node);
  return {};
}

const Type& Checker::along(const Node& node, const Type& first) {
  return node.kind == Node::Kind::name ? first : field(along(*node.args[0], first), last_part(node));
}

Type Checker::resolved(const Node& node, const Resolver& resolver, bool in_has) {
  Path asked = path_of(node);
  asked.in_has = in_has;
  asked.guarded = guards_.cover(node);
  asked.facts = guards_.facts();
  const Answer answer = resolver(asked);
  if (const auto* known = std::get_if<Known>(&answer)) {
    if (known->words != nullptr && known->parts == asked.parts.size()) words_.emplace_back(&node, known->words);
    if (known->length && known->parts == asked.parts.size()) lengths_.emplace_back(&node, *known->length);
    const Type* type = &known->type;
    if (in_has && type->kind() == K::list && known->parts + 1 == asked.parts.size()) {
      const PathPart& part = asked.parts.back();
      problem(
          {part.begin, part.end}, "no-fields", "a value of type " + type->name() + " has no field `" + part.name + "`",
          "ask for the whole list: has(" + std::string(text_.substr(asked.begin, part.begin - 1 - asked.begin)) + ")");
      return {};
    }
    for (std::size_t i = known->parts; i < asked.parts.size(); ++i)
      type = &field(*type, {asked.parts[i].name, asked.parts[i].begin, asked.parts[i].end});
    return *type;
  }
  const auto& refusal = std::get<Refusal>(answer);
  ++refused_;
  if (!refusal.message.empty()) {
    const PathPart& part = asked.parts[std::min(refusal.part, asked.parts.size() - 1)];
    problem({part.begin, part.end}, refusal.code, refusal.message, refusal.hint);
  }
  return {};
}

const Type& Checker::field(const Type& of, const PartView& part) {
  dynamic_ = dynamic_ || of.kind() == K::any || of.nullable();
  if (of.kind() == K::any) return any();
  if (of.kind() == K::map) return of.element();
  const std::string name(part.name);
  if (of.kind() != K::object) {
    const std::string_view meant = field_meant(name);
    const Function* called = function(meant.empty() ? part.name : meant);
    const bool fits = called != nullptr && called->member && called->least == 1 && called->type({&of, 1});
    problem({part.begin, part.end}, "no-fields", "a value of type " + of.name() + " has no field `" + name + "`",
            fits                   ? "write ." + std::string(called->name) + "()"
            : of.kind() == K::list ? "take one with [0], or all with .map(x, x." + name + ")"
                                   : "");
    return any();
  }
  if (const Type* found = of.field(part.name)) return *found;
  std::vector<std::string> legal;
  for (const auto& one : of.fields()) legal.push_back(one.name);
  problem({part.begin, part.end}, "unknown-field", "no field `" + name + "`", suggestion(name, legal, "it has: "));
  return any();
}

void Checker::unknown_name(const Node& node) {
  const Node* at = &node;
  while (at->kind != Node::Kind::name) at = at->args[0];
  if (const LeftOut* entry = left_out_name(at->name)) {
    return problem(all(*at), "not-supported",
                   "`" + std::string(at->name) + "`, " + std::string(entry->what) + ", is not part of this language",
                   std::string(entry->instead));
  }
  if (const auto hint = name_meant(at->name); !hint.empty())
    return problem(all(*at), "unknown-name", "no name `" + std::string(at->name) + "`", std::string(hint));
  // The end of a path whose beginning is left out.
  for (const auto& [first, resolver] : scope_.resolvers) {
    const Answer answer = resolver(Path{{{first}, {std::string(at->name)}}});
    const auto* known = std::get_if<Known>(&answer);
    if (known == nullptr || known->parts != 2) continue;
    return problem(all(*at), "unknown-name", "no name `" + std::string(at->name) + "`",
                   "write " + first + "." + std::string(at->name));
  }
  std::vector<std::string> legal;
  for (const auto& [name, ignored] : scope_.names) legal.push_back(name);
  for (const auto& [name, ignored] : scope_.resolvers) legal.push_back(name);
  for (const auto& [name, ignored] : variables_) legal.emplace_back(name);
  std::sort(legal.begin(), legal.end());
  legal.erase(std::unique(legal.begin(), legal.end()), legal.end());
  problem(all(*at), "unknown-name", "no name `" + std::string(at->name) + "`",
          suggestion(at->name, legal, "in scope: "));
}

Type Checker::index(const Node& node) {
  const Type of = type(*node.args[0]);
  const Type key = type(*node.args[1]);
  within(node);
  const bool literal = node.args[1]->kind == Node::Kind::literal && node.args[1]->value->text() != nullptr;
  if (of.kind() == K::object && literal) return field(of, last_part(node));
  const bool number = key.kind() == K::any || key.kind() == K::integer;
  const bool text = key.kind() == K::any || key.kind() == K::string;
  if (of.kind() == K::any && (number || text)) return {};
  if ((of.kind() == K::list && number) || (of.kind() == K::map && text)) return of.element();
  if (of.kind() == K::object && text) return {};
  const bool indexed = of.kind() == K::list || of.kind() == K::map || of.kind() == K::object;
  problem(all(*node.args[1]), "no-overload", "a value of type " + of.name() + " cannot be indexed by " + key.name(),
          !indexed               ? ""
          : of.kind() == K::list ? "an index is a whole number from 0"
                                 : "a key is a string");
  return {};
}

// An index that is written out against what is known of the list.
void Checker::within(const Node& node) {
  const Node& list = *node.args[0];
  const Node& key = *node.args[1];
  const bool negative = key.kind == Node::Kind::unary && key.op == Op::minus;
  const Node& number = negative ? *key.args[0] : key;
  const auto* index = number.kind == Node::Kind::literal ? number.value->get<std::int64_t>() : nullptr;
  if (index == nullptr) return;
  const bool below = negative ? *index > 0 : *index < 0;
  if (below) return problem(all(key), "cannot-compute", "no list has a place below 0", "the last is x[size(x) - 1]");
  if (under_ > 0) return;  // the condition may ask for the length
  const auto at = std::find_if(lengths_.begin(), lengths_.end(), [&](const auto& one) { return one.first == &list; });
  if (at == lengths_.end() || *index < at->second.most) return;
  no_place(key, *index, at->second);
}

void Checker::no_place(const Node& key, std::int64_t index, const Range& length) {
  const bool exact = length.least == length.most;
  problem(all(key), "cannot-compute",
          "there is no place " + std::to_string(index) + ": the list has " + (exact ? "" : "at most ") +
              std::to_string(length.most),
          length.most == 0 ? ""
          : exact          ? "the last is " + std::to_string(length.most - 1)
                           : "size() says how many there are");
}

Type Checker::has(const Node& node) {
  const Node& asked = *node.args[0];
  if (asked.path_size > 0) {
    (void)path(asked, true);
  } else {
    (void)field(type(*asked.args[0]), last_part(asked));
  }
  return K::boolean;
}

// --- operators ---

void Checker::want_boolean(const Node& node, const Type& found, std::string_view what) {
  if (found.kind() == K::boolean || found.kind() == K::any) return;
  problem(all(node), "wrong-type", std::string(what) + " must be a boolean, found " + found.name());
}

Type Checker::unary(const Node& node) {
  const Type of = type(*node.args[0]);
  const K kind = of.kind();
  if (node.op == Op::no) {
    if (kind == K::boolean || kind == K::any) return K::boolean;
    problem(all(node), "no-overload", "`!` does not take " + of.name(),
            node.args[0]->kind == Node::Kind::binary ? "" : "it binds closer than `==`: write !(a == b), or a != b");
    return {};
  }
  const bool fits = kind == K::integer || kind == K::number || kind == K::duration || kind == K::any;
  if (!fits) problem(all(node), "no-overload", "`-` does not take " + of.name());
  return fits ? Type(kind) : Type();
}

Type Checker::under(const Node& condition, bool outcome, const Node& node) {
  const std::size_t before = guards_.assume(condition, outcome);
  ++under_;
  Type out = type(node);
  --under_;
  guards_.restore(before);
  return out;
}

bool Checker::hyphenated(const Node& node) {
  const Node& left = *node.args[0];
  if (!is_hyphen(node) || (left.path_size == 0 && !is_hyphen(left))) return false;
  if (!problems_.empty() && problems_.back().end == left.end)
    problems_.back().hint = std::string(kHyphen) + "; " + problems_.back().hint;
  return true;
}

Type Checker::binary(const Node& node) {
  const std::size_t refused = refused_;
  const Type left = type(*node.args[0]);
  if (refused_ > refused && hyphenated(node)) return {};
  const std::string op(text_of(node.op));
  if (node.op == Op::both || node.op == Op::either) {
    const Type right = under(*node.args[0], node.op == Op::both, *node.args[1]);
    want_boolean(*node.args[0], left, "the left side of `" + op + "`");
    want_boolean(*node.args[1], right, "the right side of `" + op + "`");
    return K::boolean;
  }
  const bool before = std::exchange(constant_, true);
  const Type right = type(*node.args[1]);
  const bool divides = node.op == Op::div || node.op == Op::mod;
  if (divides && constant_ && !before) divisors_.push_back(node.args[1]);
  constant_ = constant_ && before;
  if (auto out = result_type(node.op, left, right)) {
    if (words_.empty() || !is_test(node.op)) return *std::move(out);
    if (node.op == Op::eq || node.op == Op::ne) {
      closed(*node.args[0], *node.args[1]);
      closed(*node.args[1], *node.args[0]);
    } else if (node.op == Op::in && node.args[1]->kind == Node::Kind::list) {
      for (const Node* one : node.args[1]->args) closed(*node.args[0], *one);
    } else if (node.op == Op::in) {
      closed(*node.args[1], *node.args[0], true);
    }
    return *std::move(out);
  }
  problem(all(node), "no-overload", "`" + op + "` does not take " + left.name() + " and " + right.name(),
          remedy(node, left, right));
  return is_test(node.op) ? Type(K::boolean) : Type();
}

Type Checker::conditional(const Node& node) {
  want_boolean(*node.args[0], type(*node.args[0]), "what stands before `?`");
  const Type yes = under(*node.args[0], true, *node.args[1]);
  const Type no = under(*node.args[0], false, *node.args[2]);
  Type both = joined(yes, no);
  const bool known = yes.kind() != K::any && no.kind() != K::any;
  if (known && (both.kind() == K::any || !comparable(yes, no))) {
    problem(all(node), "no-overload", "the two results differ in type: " + yes.name() + " and " + no.name(),
            remedy(node, yes, no));
    return {};
  }
  return both;
}

Type Checker::list(const Node& node) {
  std::optional<Type> element;
  for (const Node* arg : node.args) {
    Type one = type(*arg);
    element = element ? joined(*element, one) : std::move(one);
  }
  return Type::list_of(element.value_or(Type()));
}

Type Checker::map(const Node& node) {
  std::vector<Type::Field> known;
  bool constant = true;
  for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
    const Node& key_node = *node.args[i];
    const Type key = type(key_node);
    Type value = type(*node.args[i + 1]);
    if (key.kind() != K::string && key.kind() != K::any) {
      problem(all(key_node), "not-supported", "a map's keys are strings here, found " + key.name(), "write '1' for 1");
    }
    const auto* text = key_node.kind == Node::Kind::literal ? key_node.value->text() : nullptr;
    constant = constant && text != nullptr;
    if (text == nullptr) continue;
    if (std::any_of(known.begin(), known.end(), [&](const Type::Field& one) { return one.name == *text; }))
      problem(all(key_node), "repeated-key", "the key `" + base::printable(*text, 80) + "` stands twice");
    known.push_back({*text, std::move(value)});
  }
  return constant ? Type::object(std::move(known)) : Type::map_of({});
}

Checked check(const Expression& expression, const Scope& scope) {
  Checker checker(expression.text(), scope);
  Checked out;
  out.type = checker.type(expression.root());
  if (!checker.has_problems()) checker.constants();
  out.problems = checker.take();
  out.dynamic = checker.dynamic();
  return out;
}

}  // namespace failover::expr
