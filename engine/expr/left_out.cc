#include "engine/expr/left_out.h"

#include <algorithm>
#include <array>

namespace failover::expr {
namespace {

constexpr std::string_view kStrings = "a function of CEL's strings extension";
constexpr std::string_view kLists = "a function of CEL's lists extension";
constexpr std::string_view kOptionals = "part of CEL's optional values";
constexpr std::string_view kPairs = "a macro of CEL's two-variable comprehensions";
constexpr std::string_view kRegexes = "use matches() with a regular expression";
constexpr std::string_view kInStep = "let the step give the value that you need";

constexpr std::array<LeftOut, 33> kFunctions = {{
    {"type", "CEL's function for the type of a value", "types are known before the run; nothing is left to ask"},
    {"charAt", kStrings, kRegexes},
    {"format", kStrings, "write text with ${{ }} in it, or join texts with +"},
    {"indexOf", kStrings, "use contains(), startsWith() or endsWith()"},
    {"join", kStrings, kInStep},
    {"lastIndexOf", kStrings, "use contains(), startsWith() or endsWith()"},
    {"lowerAscii", kStrings, "use matches() with (?i)"},
    {"quote", kStrings, kInStep},
    {"replace", kStrings, kInStep},
    {"reverse", kStrings, kInStep},
    {"split", kStrings, kRegexes},
    {"substring", kStrings, "use startsWith(), endsWith() or matches()"},
    {"upperAscii", kStrings, "use matches() with (?i)"},
    {"distinct", kLists, "use exists_one()"},
    {"first", kLists, "write [0]"},
    {"flatten", kLists, "join lists with +"},
    {"last", kLists, "write [x.size() - 1]"},
    {"range", kLists, "write the list"},
    {"slice", kLists, kInStep},
    {"sort", kLists, "use in, all() or exists()"},
    {"sortBy", kLists, "use in, all() or exists()"},
    {"greatest", "a function of CEL's math extension", "use ? :"},
    {"least", "a function of CEL's math extension", "use ? :"},
    {"existsOne", kPairs, "use exists_one() with one variable"},
    {"transformList", kPairs, "use map()"},
    {"transformMap", kPairs, "use map()"},
    {"transformMapEntry", kPairs, "use map()"},
    {"hasValue", kOptionals, "use has()"},
    {"optFlatMap", kOptionals, "use has() and ? :"},
    {"optMap", kOptionals, "use has() and ? :"},
    {"or", kOptionals, "use has() and ? :"},
    {"orValue", kOptionals, "use has() and ? :"},
    {"value", kOptionals, "use has() and ? :"},
}};

constexpr std::string_view kType = "a type of CEL as a value";
constexpr std::string_view kNoTypes = "types are known before the run; nothing is left to compare";

constexpr std::array<LeftOut, 22> kNames = {{
    {"bool", kType, kNoTypes},
    {"bytes", kType, kNoTypes},
    {"double", kType, kNoTypes},
    {"dyn", kType, kNoTypes},
    {"int", kType, kNoTypes},
    {"list", kType, kNoTypes},
    {"map", kType, kNoTypes},
    {"null_type", kType, kNoTypes},
    {"string", kType, kNoTypes},
    {"type", kType, kNoTypes},
    {"uint", kType, kNoTypes},
    {"base64", "CEL's encoders extension", kInStep},
    {"cel", "CEL's bindings extension", "write the expression where the name would stand"},
    {"google", "a package of protocol buffer messages", "there are no messages here; a map is written {'key': value}"},
    {"lists", kLists, "write the list"},
    {"math", "CEL's math extension", "use + - * / % and ? :"},
    {"optional", kOptionals, "use has()"},
    {"proto", "CEL's protocol buffer extension", "there are no messages here"},
    {"regex", "CEL's regex extension", "use matches()"},
    {"sets", "CEL's sets extension", "use in, all() and exists()"},
    {"strings", kStrings, kInStep},
    {"net", "CEL's network extension", kRegexes},
}};

template <std::size_t N>
const LeftOut* find(const std::array<LeftOut, N>& all, std::string_view name) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const LeftOut& one) { return one.name == name; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace

const LeftOut* left_out_function(std::string_view name) { return find(kFunctions, name); }
const LeftOut* left_out_name(std::string_view name) { return find(kNames, name); }

}  // namespace failover::expr
