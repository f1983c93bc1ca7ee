// How to make two types fit.
#include "engine/base/spelling.h"
#include "engine/base/text.h"
#include "engine/expr/check.h"
#include "engine/expr/lexer.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Type;
using K = Type::Kind;

bool is_number(K kind) { return kind == K::integer || kind == K::number; }

// What the text of a literal would be as a value of this kind: `$0.50`.
std::string spelled(const std::string& text, K kind) {
  switch (kind) {
    case K::money: return base::parse_money(text) ? text : base::money_spelled(text);
    case K::size: return base::parse_size(text) ? text : base::size_spelled(text);
    case K::rate: return base::parse_rate(text) ? text : base::rate_spelled(text);
    case K::duration: return base::parse_duration(text) ? text : base::duration_spelled(text);
    default: return {};
  }
}

const char* function_for(K kind) {
  switch (kind) {
    case K::money: return "money";
    case K::size: return "size";
    case K::rate: return "rate";
    case K::duration: return "duration";
    default: return "";
  }
}

const char* example_of(K kind) {
  switch (kind) {
    case K::money: return "money('$0.50')";
    case K::size: return "size('20 GB')";
    case K::rate: return "rate('100 Mb/s')";
    default: return "duration('5m')";
  }
}

const char* unit_of(K kind) {
  switch (kind) {
    case K::money: return "money('$0.01')";
    case K::size: return "size('1 B')";
    default: return "rate('1 b/s')";
  }
}

// A literal number with the unit that it may have: `5` is `$5`.
std::string with_unit(std::string_view number, K kind) {
  switch (kind) {
    case K::money: return "money('$" + std::string(number) + "')";
    case K::size: return "size('" + std::string(number) + " B')";
    case K::rate: return "rate('" + std::string(number) + " b/s')";
    default: return "duration('" + std::string(number) + "s')";
  }
}

// As an operand of `.` : in parentheses where it would fall apart.
std::string whole(const Node& node, std::string_view text) {
  const bool loose =
      node.kind == Node::Kind::binary || node.kind == Node::Kind::conditional || node.kind == Node::Kind::unary;
  return loose ? "(" + std::string(text) + ")" : std::string(text);
}

}  // namespace

std::string conversion(std::string_view text, const base::Value* literal, const Type& from, const Type& to) {
  const K wanted = to.kind();
  const std::string it(text.size() > 60 ? "x" : text);
  const bool unit = *function_for(wanted) != '\0';
  if (from.kind() == K::string && unit) {
    const std::string* written = literal == nullptr ? nullptr : literal->text();
    const std::string value = written == nullptr ? "" : spelled(*written, wanted);
    if (!value.empty()) return std::string(function_for(wanted)) + "('" + value + "')";
    if (written != nullptr || wanted == K::size) return {};  // size() of a text is its length
    return std::string(function_for(wanted)) + "(" + it + ")";
  }
  if (is_number(from.kind()) && unit) {
    if (literal != nullptr && text.front() != '-') return with_unit(text, wanted);
    const std::string one = wanted == K::money ? "$1" : wanted == K::size ? "1 B" : "1 b/s";
    if (wanted != K::duration) return it + " * " + function_for(wanted) + "('" + one + "')";
    return from.kind() == K::integer ? "duration(string(" + it + ") + 's')" : "";
  }
  if (wanted == K::string && !from.nullable()) {
    const bool scalar = from.kind() == K::boolean || is_number(from.kind()) || from.kind() == K::uinteger ||
                        *function_for(from.kind()) != '\0' || from.kind() == K::timestamp;
    return scalar ? "string(" + it + ")" : "";
  }
  const bool text_or_number = from.kind() == K::string || is_number(from.kind()) || from.kind() == K::uinteger;
  if (wanted == K::integer && text_or_number) return "int(" + it + ")";
  if (wanted == K::uinteger && text_or_number) return "uint(" + it + ")";
  if (wanted == K::number && text_or_number) return "double(" + it + ")";
  if (wanted == K::boolean && from.kind() == K::string) return "bool(" + it + ")";
  if (wanted == K::timestamp && from.kind() == K::string) return "timestamp(" + it + ")";
  return {};
}

// What there is instead of `*`, `/` and `%` with a duration: they take its seconds.
std::string Checker::of_duration(const Node& node, const Type& left, const Type& right) const {
  const Node& a = *node.args[0];
  const Node& b = *node.args[1];
  const std::string sign = " " + std::string(text_of(node.op)) + " ";
  if (a.end - a.begin + b.end - b.begin > 100) return "take whole seconds with getSeconds()";
  const auto number = [&](const Node& one, const Type& type) {
    const std::string seconds = type.kind() == K::duration ? ".getSeconds()" : "";
    return seconds.empty() ? std::string(text(one)) : whole(one, text(one)) + seconds;
  };
  const bool product = node.op == Op::mul && left.kind() != right.kind();
  if (!product && !(node.op == Op::div && left.kind() == K::duration && is_number(right.kind())))
    return "write " + number(a, left) + sign + number(b, right);
  if (left.kind() == K::number || right.kind() == K::number) return "durations are added and compared only";
  return "write duration(string(" + number(a, left) + sign + number(b, right) + ") + 's')";
}

std::string Checker::remedy(const Node& node, const Type& left, const Type& right) const {
  const auto is = [&](K kind) { return left.kind() == kind || right.kind() == kind; };
  // The results of `? :` stand behind its condition.
  const std::size_t first = node.kind == Node::Kind::conditional ? 1 : 0;
  const Node& a = *node.args[first];
  const Node& b = *node.args[first + 1];
  const bool chain = is_test(node.op) && a.kind == Node::Kind::binary && is_test(a.op) && a.op != Op::in;
  if (node.kind == Node::Kind::binary && chain && a.end - a.begin < 200) {
    return "comparisons do not chain: write " + std::string(text(a)) + " && " + std::string(text(*a.args[1])) + " " +
           std::string(text_of(node.op)) + " " + std::string(text(b));
  }
  if (node.op == Op::in && left.kind() == K::string && right.kind() == K::string)
    return "for a part of a text write " + std::string(text(b)) + ".contains(" + std::string(text(a)) + ")";
  const bool scales = node.op == Op::mul || node.op == Op::div || node.op == Op::mod;
  const auto plain = [](K kind) { return kind == K::duration || is_number(kind); };
  if (scales && is(K::duration) && plain(left.kind()) && plain(right.kind())) return of_duration(node, left, right);
  if (is(K::integer) && is(K::number)) return "convert one: double(x) or int(x)";
  if (is(K::integer) && is(K::uinteger)) return "convert one: int(x) or uint(x)";
  if (node.op != Op::mod && left.kind() == right.kind() && (is(K::money) || is(K::size) || is(K::rate)))
    return "the two can be added, compared and divided; multiply by a plain number";
  if ((is(K::size) && is(K::duration)) || (is(K::money) && is(K::duration)))
    return "take the number of one of them first, as in duration('2h').getHours()";
  if (is(K::string) && (is(K::integer) || is(K::number))) {
    const Node& word = left.kind() == K::string ? a : b;
    const Node& number = left.kind() == K::string ? b : a;
    const auto* written = word.kind == Node::Kind::literal ? word.value->text() : nullptr;
    if (written != nullptr && read_double(*written)) return "write " + *written + " without quotes";
    if (written != nullptr && !is_test(node.op) && node.op != Op::add) return "a text is joined with + and compared";
    if (number.kind == Node::Kind::literal && (node.op == Op::eq || node.op == Op::ne))
      return "write '" + std::string(text(number)) + "' for a text";
  }
  if (is(K::string) && (is(K::integer) || is(K::number))) {
    return is_test(node.op) || node.op == Op::add ? "convert one: string(x), int(x) or double(x)"
                                                  : "convert the text: int(x) or double(x)";
  }
  if (is(K::timestamp) && is(K::string)) {
    const Node& word = left.kind() == K::string ? a : b;
    const auto* written = word.kind == Node::Kind::literal ? word.value->text() : nullptr;
    if (written == nullptr) return "convert one: timestamp(x) or string(x)";
    return read_timestamp(*written) ? "write timestamp(" + std::string(text(word)) + ")"
                                    : "a moment is written like timestamp('2024-05-01T12:00:00Z')";
  }
  for (const K kind : {K::money, K::size, K::rate, K::duration}) {
    if (!is(kind)) continue;
    if (node.kind == Node::Kind::binary && !result_type(node.op, kind, kind)) {
      if (is(K::string)) return "convert the text: int(x) or double(x)";
      return node.op == Op::mod && kind != K::duration
                 ? std::string("`%` takes whole numbers: write int(x / ") + unit_of(kind) + ")"
                 : std::string();
    }
    const bool convert_left = left.kind() != kind;
    const Node& other = convert_left ? a : b;
    const base::Value* literal = other.kind == Node::Kind::literal ? other.value : nullptr;
    const std::string how = conversion(text(other), literal, convert_left ? left : right, kind);
    return how.empty() ? std::string("write the other side like ") + example_of(kind)
                       : "write " + how + " for `" + base::printable(text(other), 60) + "`";
  }
  return is(K::string) ? "convert one: string(x)" : "";
}

}  // namespace failover::expr
