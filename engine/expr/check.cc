#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/expr/node.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Type;
using K = Type::Kind;

// What CEL has and this language has not.
bool is_left_out(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kNames = {
      "type",       "getDate",         "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear",
      "getHours",   "getMilliseconds", "getMinutes",    "getMonth",     "getSeconds",   "lowerAscii",
      "upperAscii", "split",           "join",          "replace"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// What must not happen while a literal is read: found offline instead of on a rented machine.
std::optional<std::string> literal_mistake(const Node& node) {
  const std::size_t at = node.text == "matches" ? 1 : 0;
  if (node.args.size() <= at || node.args[at]->kind != Node::Kind::literal) return std::nullopt;
  const auto& value = node.args[at]->value;
  if (value.text() == nullptr) return std::nullopt;
  const Function* found = function(node.text);
  static constexpr std::array<std::string_view, 8> kReaders = {"int",      "uint",      "double", "bool",
                                                               "duration", "timestamp", "money",  "rate"};
  if (node.text == "matches") {
    auto tried = found->call({base::Value(""), value});
    return tried ? std::nullopt : std::optional(tried.error().message);
  }
  if (std::find(kReaders.begin(), kReaders.end(), node.text) == kReaders.end()) return std::nullopt;
  auto tried = found->call({value});
  return tried ? std::nullopt : std::optional(tried.error().message);
}

class Checker {
 public:
  Checker(const Expression& expression, const Scope& scope) : scope_(scope) {
    for (auto& path : references(expression)) paths_.emplace(std::pair(path.begin, path.end), std::move(path));
  }
  std::vector<Problem> take() { return std::move(problems_); }

  Type type(const Node& node) {
    if (const Path path = path_of(node); !path.parts.empty()) return path_type(path, node);
    switch (node.kind) {
      case Node::Kind::literal: return type_of(node.value);
      case Node::Kind::name: return {};
      case Node::Kind::field: return field(type(*node.args[0]), {node.text, node.name_begin, node.name_end});
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

 private:
  void problem(std::size_t begin, std::size_t end, std::string code, std::string message, std::string hint = {}) {
    problems_.push_back({begin, end, std::move(code), std::move(message), std::move(hint)});
  }

  static Type type_of(const base::Value& value) {
    static constexpr std::array<K, 12> kKinds = {K::null,   K::boolean, K::integer,  K::uinteger,
                                                 K::number, K::string,  K::bytes,    K::money,
                                                 K::size,   K::rate,    K::duration, K::timestamp};
    return value.data().index() < kKinds.size() ? Type(kKinds[value.data().index()]) : Type();
  }

  // The path as references() has it: with its guards.
  [[nodiscard]] const Path& full(const Path& path) const {
    const auto known = paths_.find(std::pair(path.begin, path.end));
    return known == paths_.end() ? path : known->second;
  }

  Type path_type(const Path& bare, const Node& node) {
    const std::string& first = bare.parts[0].name;
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first == first) return fields(at->second, bare, 1);
    }
    const Path& path = full(bare);
    if (const auto resolver = scope_.resolvers.find(first); resolver != scope_.resolvers.end()) {
      const Answer answer = resolver->second(path);
      if (const auto* known = std::get_if<Known>(&answer)) return fields(known->type, path, known->parts);
      const auto& refusal = std::get<Refusal>(answer);
      if (!refusal.message.empty()) {
        const PathPart& part = path.parts[std::min(refusal.part, path.parts.size() - 1)];
        problem(part.begin, part.end, refusal.code, refusal.message, refusal.hint);
      }
      return {};
    }
    if (const auto name = scope_.names.find(first); name != scope_.names.end()) return fields(name->second, path, 1);
    unknown_name(path.parts[0], node);
    return {};
  }

  void unknown_name(const PathPart& part, const Node&) {
    std::vector<std::string> legal;
    for (const auto& [name, ignored] : scope_.names) legal.push_back(name);
    for (const auto& [name, ignored] : scope_.resolvers) legal.push_back(name);
    for (const auto& [name, ignored] : variables_) legal.push_back(name);
    std::sort(legal.begin(), legal.end());
    const auto near = base::nearest(part.name, legal);
    problem(part.begin, part.end, "unknown-name", "no name `" + part.name + "`",
            (near ? "did you mean `" + *near + "`? " : "") + "in scope: " + base::join(legal));
  }

  Type fields(Type type, const Path& path, std::size_t from) {
    for (std::size_t i = from; i < path.parts.size(); ++i) type = field(type, path.parts[i]);
    return type;
  }

  Type field(const Type& of, const PathPart& part) {
    if (of.kind() == K::any) return {};
    if (of.kind() == K::map) return of.element();
    if (of.kind() != K::object) {
      const std::string hint =
          of.kind() == K::list ? "take one with [0], or all with .map(x, x." + part.name + ")" : std::string();
      problem(part.begin, part.end, "no-fields", "a value of type " + of.name() + " has no field `" + part.name + "`",
              hint);
      return {};
    }
    if (const Type* found = of.field(part.name)) return *found;
    std::vector<std::string> legal;
    for (const auto& one : of.fields()) legal.push_back(one.name);
    const auto near = base::nearest(part.name, legal);
    problem(part.begin, part.end, "unknown-field", "no field `" + part.name + "`",
            (near ? "did you mean `" + *near + "`? " : "") + "it has: " + base::join(legal));
    return {};
  }

  Type index(const Node& node) {
    const Type of = type(*node.args[0]);
    const Type key = type(*node.args[1]);
    if (of.kind() == K::any || key.kind() == K::any) return of.element();
    if (of.kind() == K::list && key.kind() == K::integer) return of.element();
    if (of.kind() == K::map && key.kind() == K::string) return of.element();
    if (of.kind() == K::object && key.kind() == K::string) return {};
    problem(node.args[1]->begin, node.args[1]->end, "no-overload",
            "a value of type " + of.name() + " cannot be indexed by " + key.name());
    return {};
  }

  Type call(const Node& node) {
    std::vector<Type> arguments;
    for (const auto& arg : node.args) arguments.push_back(type(*arg));
    if (node.text == "size" && !node.member && node.args.size() == 1 && node.args[0]->kind == Node::Kind::literal) {
      const auto* text = node.args[0]->value.text();
      if (text != nullptr && is_size_literal(*text)) return K::size;
    }
    const Function* found = function(node.text);
    if (found == nullptr) {
      unknown_function(node);
      return {};
    }
    const bool form = node.member ? found->member : found->global;
    if (!form) {
      problem(node.name_begin, node.name_end, "no-overload",
              "`" + node.text + "` is written " + (node.member ? node.text + "(x)" : "x." + node.text + "(...)"));
      return {};
    }
    if (arguments.size() != found->arguments) {
      problem(node.name_begin, node.name_end, "no-overload",
              "`" + node.text + "` takes " + std::to_string(found->arguments - (node.member ? 1 : 0)) +
                  (found->arguments - (node.member ? 1 : 0) == 1 ? " argument" : " arguments"));
      return {};
    }
    auto out = found->type(arguments);
    if (!out) {
      std::vector<std::string> names;
      for (const auto& one : arguments) names.push_back(one.name());
      problem(node.begin, node.end, "no-overload", "`" + node.text + "` does not take " + base::join(names));
      return {};
    }
    if (const auto mistake = literal_mistake(node)) {
      const Node& literal = *node.args[node.text == "matches" ? 1 : 0];
      problem(literal.begin, literal.end, "bad-literal", *mistake);
    }
    return *out;
  }

  void unknown_function(const Node& node) {
    if (is_left_out(node.text)) {
      problem(node.name_begin, node.name_end, "not-supported",
              "CEL's `" + node.text + "` is not part of this language");
      return;
    }
    std::vector<std::string> legal{"has", "all", "exists", "exists_one", "map", "filter"};
    for (const auto& one : functions()) legal.push_back(one.name);
    std::sort(legal.begin(), legal.end());
    const auto near = base::nearest(node.text, legal);
    problem(node.name_begin, node.name_end, "unknown-function", "no function `" + node.text + "`",
            (near ? "did you mean `" + *near + "`? " : "") + "there are: " + base::join(legal));
  }

  Type unary(const Node& node) {
    const Type of = type(*node.args[0]);
    const K kind = of.kind();
    const bool fits =
        node.text == "!" ? kind == K::boolean : kind == K::integer || kind == K::number || kind == K::duration;
    if (kind == K::any) return node.text == "!" ? Type(K::boolean) : Type();
    if (!fits) problem(node.begin, node.end, "no-overload", "`" + node.text + "` does not take " + of.name());
    return fits ? of : Type();
  }

  void want_boolean(const Node& node, const Type& found, const std::string& where) {
    if (found.kind() == K::boolean || found.kind() == K::any) return;
    problem(node.begin, node.end, "wrong-type", where + " must be a boolean, found " + found.name());
  }

  Type binary(const Node& node) {
    const Type left = type(*node.args[0]);
    const Type right = type(*node.args[1]);
    if (node.text == "&&" || node.text == "||") {
      want_boolean(*node.args[0], left, "the left side of `" + node.text + "`");
      want_boolean(*node.args[1], right, "the right side of `" + node.text + "`");
      return K::boolean;
    }
    if (auto out = result_type(node.text, left, right)) return *out;
    problem(node.begin, node.end, "no-overload",
            "`" + node.text + "` does not take " + left.name() + " and " + right.name(), conversion_hint(left, right));
    const bool logical = precedence_is_comparison(node.text);
    return logical ? Type(K::boolean) : Type();
  }

  static bool precedence_is_comparison(const std::string& op) {
    return op != "+" && op != "-" && op != "*" && op != "/" && op != "%";
  }

  static std::string conversion_hint(const Type& left, const Type& right) {
    const auto is = [&](K kind) { return left.kind() == kind || right.kind() == kind; };
    if (is(K::integer) && is(K::number)) return "convert one: double(x) or int(x)";
    for (const auto& [kind, example] :
         {std::pair(K::money, "money('$0.50')"), std::pair(K::size, "size('20 GB')"),
          std::pair(K::rate, "rate('100 Mb/s')"), std::pair(K::duration, "duration('5m')")}) {
      if (is(kind)) return std::string("write the other side like ") + example;
    }
    if (is(K::string)) return "convert one: string(x)";
    return "";
  }

  // What holds for both.
  static Type joined(const Type& a, const Type& b) {
    if (a == b) return a;
    if (a.kind() == K::null) return b.or_null();
    if (b.kind() == K::null) return a.or_null();
    return a.kind() != K::any && b.kind() != K::any && a.accepts(b) ? a : Type();
  }

  Type conditional(const Node& node) {
    want_boolean(*node.args[0], type(*node.args[0]), "what stands before `?`");
    const Type yes = type(*node.args[1]);
    const Type no = type(*node.args[2]);
    if (!comparable(yes, no)) {
      problem(node.begin, node.end, "no-overload",
              "the two results differ in type: " + yes.name() + " and " + no.name());
      return {};
    }
    return joined(yes, no);
  }

  Type list(const Node& node) {
    std::optional<Type> element;
    for (const auto& arg : node.args) {
      const Type one = type(*arg);
      element = element ? joined(*element, one) : one;
    }
    return Type::list_of(element.value_or(Type()));
  }

  Type map(const Node& node) {
    std::vector<Type::Field> known;
    bool constant = true;
    for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
      const Type key = type(*node.args[i]);
      const Type value = type(*node.args[i + 1]);
      if (key.kind() != K::string && key.kind() != K::any) {
        problem(node.args[i]->begin, node.args[i]->end, "not-supported",
                "a map's keys are strings here, found " + key.name());
      }
      const auto* text = node.args[i]->kind == Node::Kind::literal ? node.args[i]->value.text() : nullptr;
      constant = constant && text != nullptr;
      if (text != nullptr) known.push_back({*text, value});
    }
    return constant ? Type::object(std::move(known)) : Type::map_of({});
  }

  Type has(const Node& node) {
    const Node& field_node = *node.args[0];
    if (!path_of(field_node).parts.empty()) {
      (void)type(field_node);
    } else {
      (void)field(type(*field_node.args[0]), {field_node.text, field_node.name_begin, field_node.name_end});
    }
    return K::boolean;
  }

  Type macro(const Node& node) {
    const Type range = type(*node.args[0]);
    Type element;
    if (range.kind() == K::list) {
      element = range.element();
    } else if (range.kind() == K::map || range.kind() == K::object) {
      element = K::string;
    } else if (range.kind() != K::any) {
      problem(node.args[0]->begin, node.args[0]->end, "no-overload",
              "`" + node.text + "` goes over lists and maps, not " + range.name());
    }
    variables_.emplace_back(node.variable, element);
    const Type body = type(*node.args[1]);
    const Type last = node.args.size() == 3 ? type(*node.args[2]) : body;
    variables_.pop_back();
    const bool transforms = node.text == "map";
    if (!transforms || node.args.size() == 3) want_boolean(*node.args[1], body, "the condition of `" + node.text + "`");
    if (transforms) return Type::list_of(last);
    if (node.text == "filter") return Type::list_of(element);
    return K::boolean;
  }

  const Scope& scope_;
  std::map<std::pair<std::size_t, std::size_t>, Path> paths_;
  std::vector<std::pair<std::string, Type>> variables_;
  std::vector<Problem> problems_;
};

}  // namespace

Checked check(const Expression& expression, const Scope& scope) {
  Checker checker(expression, scope);
  Checked out;
  out.type = checker.type(expression.root());
  out.problems = checker.take();
  return out;
}

}  // namespace failover::expr
