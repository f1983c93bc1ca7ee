#include <algorithm>
#include <array>

#include "engine/base/spelling.h"
#include "engine/base/text.h"
#include "engine/expr/check.h"
#include "engine/expr/left_out.h"
#include "engine/expr/meant.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Type;
using base::Value;
using K = Type::Kind;

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

// A number and one word, as sizes are written: its length is hardly what is asked for.
bool is_like_size(std::string_view text) {
  const std::size_t number = text.find_first_not_of("0123456789.");
  if (number == 0 || number == std::string_view::npos) return false;
  const std::string_view word = base::trim(text.substr(number));
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// `x.exist(e, e > 1)`: the name of a macro misspelt, so that its variable is no mistake of its own.
bool would_be_macro(const Node& node) {
  return node.member && node.args.size() >= 3 && node.args[1]->kind == Node::Kind::name;
}

}  // namespace

Type Checker::call(const Node& node) {
  if (left_out(node)) return {};
  if (node.function == nullptr && would_be_macro(node)) {
    (void)type(*node.args[0]);
    unknown_function(node);
    return {};
  }
  std::array<Type, kMostArguments> types;
  std::size_t count = 0;
  for (const Node* arg : node.args) {
    Type one = type(*arg);
    if (count < types.size()) types[count++] = std::move(one);
  }
  if (node.function == nullptr) {
    unknown_function(node);
    return {};
  }
  if (wrong_form(node)) return {};
  auto out = node.function->type({types.data(), count});
  if (!out) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(types[i].name());
    problem(all(node), "no-overload", quoted(node.name) + " does not take " + base::join(names));
    return {};
  }
  const std::size_t found = problems_.size();
  literals(node);
  // Whether a length or a size is meant is open then.
  if (problems_.size() > found && node.name == "size") return {};
  return *std::move(out);
}

bool Checker::left_out(const Node& node) {
  const LeftOut* entry = node.function == nullptr ? left_out_function(node.name) : nullptr;
  std::string name(node.name);
  if (node.member && entry == nullptr && node.args[0]->kind == Node::Kind::name) {
    const std::string_view of = node.args[0]->name;
    const bool ours = variable(of) != nullptr || scope_.names.contains(of) || scope_.resolvers.contains(of);
    if (!ours) entry = left_out_name(of);
    name = std::string(of) + "." + name;
  }
  if (entry == nullptr) return false;
  problem(its_name(node), "not-supported",
          quoted(name) + ", " + std::string(entry->what) + ", is not part of this language",
          std::string(entry->instead));
  return true;
}

void Checker::unknown_function(const Node& node) {
  if (const auto hint = function_meant(node.name); !hint.empty())
    return problem(its_name(node), "unknown-function", "no function " + quoted(node.name), std::string(hint));
  std::vector<std::string> legal{"has", "all", "exists", "exists_one", "map", "filter"};
  for (const auto& one : functions()) legal.emplace_back(one.name);
  std::sort(legal.begin(), legal.end());
  const auto near = base::nearest(node.name, legal);
  problem(its_name(node), "unknown-function", "no function " + quoted(node.name),
          near ? "did you mean `" + *near + "`?" : "there are: " + base::join(legal));
}

// Called as it is written nowhere, or with the wrong number of arguments.
bool Checker::wrong_form(const Node& node) {
  const Function& found = *node.function;
  const std::string name(node.name);
  if (!(node.member ? found.member : found.global)) {
    problem(its_name(node), "no-overload",
            quoted(name) + " is written " + (node.member ? name + "(x)" : "x." + name + "(...)"));
    return true;
  }
  if (node.args.size() >= found.least && node.args.size() <= found.most) return false;
  const std::size_t receiver = node.member ? 1 : 0;
  const std::size_t least = found.least - receiver;
  const std::size_t most = found.most - receiver;
  std::string count = least == 0 && most == 0 ? "no" : std::to_string(least);
  if (least != most) count += " or " + std::to_string(most);
  problem(its_name(node), "no-overload", quoted(name) + " takes " + count + (most == 1 ? " argument" : " arguments"));
  return true;
}

// A text that cannot be read is found offline instead of on a rented machine.
void Checker::literals(const Node& node) {
  if (node.pattern != nullptr) return readable(*node.args[1], *node.pattern);
  if (is_matches(node.function) && collect_paths(*node.args[1]).empty()) patterns_.push_back(node.args[1]);
  if (const auto* text = node.args.front()->kind == Node::Kind::literal ? node.args.front()->value->text() : nullptr;
      text != nullptr && !node.member && node.name == "size" && is_like_size(*text)) {
    const std::string spelled = base::size_spelled(*text);
    return problem(all(*node.args.front()), "bad-literal", "`" + base::printable(*text, 80) + "` is no size",
                   (spelled.empty() ? "as in size('20 GB')" : "write size('" + spelled + "')") +
                       "; the units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB");
  }
  if (!node.function->reads || node.args.back()->kind != Node::Kind::literal) return;
  // A time zone is tried with some moment.
  if (node.member && node.args.size() < 2) return;
  const Value moment{base::WallTime()};
  const std::array<const Value*, kMostArguments> arguments = {node.member ? &moment : node.args[0]->value,
                                                              node.member ? node.args[1]->value : nullptr};
  const auto tried = node.function->call({arguments.data(), node.args.size()});
  if (tried) return;
  const std::string* text = node.member ? nullptr : node.args.back()->value->text();
  std::string spelled;
  if (text != nullptr && node.name == "money") spelled = base::money_spelled(*text);
  if (text != nullptr && node.name == "rate") spelled = base::rate_spelled(*text);
  if (text != nullptr && node.name == "duration") spelled = base::duration_spelled(*text);
  problem(all(*node.args.back()), "bad-literal", tried.error().message,
          spelled.empty() ? "" : "write " + std::string(node.name) + "('" + spelled + "')");
}

Type Checker::macro(const Node& node) {
  const Type range = type(*node.args[0]);
  Type element;
  if (range.kind() == K::list) {
    element = range.element();
  } else if (range.kind() == K::map || range.kind() == K::object) {
    element = K::string;
  } else if (range.kind() != K::any) {
    problem(all(*node.args[0]), "no-overload", quoted(node.name) + " goes over lists and maps, not " + range.name());
  }
  variables_.emplace_back(node.variable, element);
  const Type body = type(*node.args[1]);
  const Type last = node.args.size() == 3 ? type(*node.args[2]) : body;
  variables_.pop_back();
  const bool transforms = node.macro == Node::Macro::map;
  if (!transforms || node.args.size() == 3) want_boolean(*node.args[1], body, "the condition of " + quoted(node.name));
  if (transforms) return Type::list_of(last);
  return node.macro == Node::Macro::filter ? Type::list_of(element) : Type(K::boolean);
}

}  // namespace failover::expr
