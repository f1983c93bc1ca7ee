#include "engine/expr/meant.h"

#include <algorithm>
#include <array>

#include "engine/base/spelling.h"
#include "engine/base/text.h"

namespace failover::expr {
namespace {

struct Foreign {
  std::string_view theirs{};
  std::string_view hint{};
};

constexpr std::string_view kSize = "write size(x), or x.size()";
constexpr std::string_view kCase = "use matches() with (?i)";
constexpr std::string_view kGithub = "there is none here: what a run needs are its `inputs`, `env` and earlier `steps`";
constexpr std::string_view kEach = "in a step with `foreach`, `each` is the element";

constexpr std::array<Foreign, 18> kOperators = {{
    {"and", "write &&"},
    {"between", "write a <= x && x <= b"},
    {"contains", "write x.contains(y)"},
    {"div", "write /"},
    {"eq", "write =="},
    {"ge", "write >="},
    {"gt", "write >"},
    {"is", "write =="},
    {"le", "write <="},
    {"lt", "write <"},
    {"mod", "write %"},
    {"ne", "write !="},
    {"not", "write ! before what it negates, as in !(a in b)"},
    {"or", "write ||"},
    {"then", "write a ? b : c"},
    {"xor", "write !="},
    {"if", "write a ? b : c"},
    {"matches", "write x.matches('pattern')"},
}};

constexpr std::array<Foreign, 34> kFunctions = {{
    {"all", "write x.all(e, ...)"},
    {"always", "what always runs goes into `finally`"},
    {"and", "write a && b"},
    {"any", "write x.exists(e, ...)"},
    {"cancelled", "what always runs goes into `finally`"},
    {"count", kSize},
    {"defined", "write has(a.b)"},
    {"empty", "write size(x) == 0"},
    {"every", "write x.all(e, ...)"},
    {"exists", "write x.exists(e, ...), or has(a.b)"},
    {"exists_one", "write x.exists_one(e, ...)"},
    {"failure", "what a step looks at when it fails goes into its `on_failure`"},
    {"filter", "write x.filter(e, ...)"},
    {"float", "write double(x)"},
    {"has", "write has(a.b)"},
    {"includes", "write x.contains(y) for a text, y in x for a list"},
    {"isEmpty", "write size(x) == 0"},
    {"len", kSize},
    {"length", kSize},
    {"lower", kCase},
    {"map", "write x.map(e, ...)"},
    {"not", "write !(...)"},
    {"now", "`elapsed` is how long the run has taken"},
    {"number", "write int(x) or double(x)"},
    {"parseFloat", "write double(x)"},
    {"parseInt", "write int(x)"},
    {"some", "write x.exists(e, ...)"},
    {"str", "write string(x)"},
    {"strlen", kSize},
    {"success", "a step runs only when all before it succeeded: leave it out"},
    {"toLowerCase", kCase},
    {"toString", "write string(x)"},
    {"toUpperCase", kCase},
    {"upper", kCase},
}};

constexpr std::array<Foreign, 22> kNames = {{
    {"None", "write null"},
    {"FALSE", "write false"},
    {"False", "write false"},
    {"NULL", "write null"},
    {"Null", "write null"},
    {"TRUE", "write true"},
    {"True", "write true"},
    {"each",
     "it is in scope in a step with `foreach` and in the steps inside; a `when` beside the `foreach` is asked "
     "once, before there is an element"},
    {"github", kGithub},
    {"item", kEach},
    {"job", kGithub},
    {"matrix", kEach},
    {"needs", "an output of an earlier step is `steps.ID.NAME`"},
    {"nil", "write null"},
    {"not", "write ! before what it negates, as in !(a in b)"},
    {"runner", kGithub},
    {"secrets", "declare it, as in `env: {NAME: {secret: true}}`, and write env.NAME"},
    {"self", "a step's own outputs are `outputs.NAME`, in `assert` and `until`"},
    {"strategy", kEach},
    {"this", "a step's own outputs are `outputs.NAME`, in `assert` and `until`"},
    {"undefined", "ask has(a.b)"},
    {"vars", "write inputs.NAME for what a run is given, env.NAME for the environment"},
}};

constexpr std::array<Foreign, 6> kFields = {{
    {"count", "size"},
    {"hours", "getHours"},
    {"len", "size"},
    {"length", "size"},
    {"minutes", "getMinutes"},
    {"seconds", "getSeconds"},
}};

template <std::size_t N>
std::string_view find(const std::array<Foreign, N>& all, std::string_view word) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Foreign& one) { return one.theirs == word; });
  return at == all.end() ? std::string_view() : at->hint;
}

}  // namespace

std::string_view operator_meant(std::string_view word) {
  return word.size() > 8 ? std::string_view() : find(kOperators, base::lower(word));
}
std::string_view function_meant(std::string_view name) { return find(kFunctions, name); }
std::string_view name_meant(std::string_view name) { return find(kNames, name); }
std::string_view field_meant(std::string_view name) { return find(kFields, name); }

std::string unit_meant(std::string_view text) {
  if (const auto time = base::duration_spelled(text); !time.empty()) return "duration('" + time + "')";
  if (const auto size = base::size_spelled(text); !size.empty()) return "size('" + size + "')";
  const auto rate = base::rate_spelled(text);
  return rate.empty() ? rate : "rate('" + rate + "')";
}

}  // namespace failover::expr
