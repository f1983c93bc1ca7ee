#include <algorithm>
#include <cstdlib>

#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast {
namespace {

// Fields whose rows and filters are spelled differently, or that are no field of a row.
Json field_of(const Filters::Column& column, const std::string& name) {
  if (name == "verified") return column("verification") == "verified";
  Json have = column(name);
  return name == "gpu_total_ram" && have.is_null() ? column("gpu_totalram") : have;
}

bool is_scope_switch(const std::string& name) {
  return name == "external" || name == "disable_bundling" || name == "chunked";
}

bool equal(const Json& have, const Json& want) {
  if (have.is_null() || want.is_null()) return have.is_null() && want.is_null();
  if (have.is_string() && want.is_string()) return have == want;
  const auto a = as_number(have), b = as_number(want);
  if (a && b) return *a == *b;
  return have == want;
}

bool among(const Json& have, const Json& wanted) {
  return wanted.is_array() &&
         std::any_of(wanted.begin(), wanted.end(), [&](const Json& want) { return equal(have, want); });
}

// In filters a country, in rows `Texas, US` (2.2).
Json country(const Json& have) {
  if (!have.is_string()) return have;
  const auto& text = have.get_ref<const std::string&>();
  return text.size() < 2 ? text : text.substr(text.size() - 2);
}

bool holds(const Json& have, const std::string& op, const Json& want) {
  if (op == "eq") return equal(have, want);
  if (op == "neq") return !equal(have, want);
  if (op == "in") return among(have, want);
  if (op == "notin" || op == "not in") return !among(have, want);
  if (have.is_null()) return false;
  const auto a = as_number(have), b = as_number(want);
  const int order = a && b ? (*a < *b ? -1 : *a > *b ? 1 : 0) : compare(have, want);
  if (op == "gt") return order > 0;
  if (op == "gte") return order >= 0;
  if (op == "lt") return order < 0;
  if (op == "lte") return order <= 0;
  return true;
}

}  // namespace

std::optional<double> as_number(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text == "true" || text == "True") return 1.0;
  if (text == "false" || text == "False") return 0.0;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return number;
}

int compare(const Json& a, const Json& b) {
  const auto rank = [](const Json& value) { return value.is_null() ? 0 : value.is_string() ? 2 : 1; };
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
  if (a.is_string()) return a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>());
  const double x = as_number(a).value_or(0), y = as_number(b).value_or(0);
  return x < y ? -1 : x > y ? 1 : 0;
}

bool Filters::match(const Json& row, const Json& filters) {
  const auto column = [&](const std::string& name) {
    const auto found = row.find(name);
    return found == row.end() ? Json() : *found;
  };
  return match(column, filters);
}

bool Filters::match(const Column& column, const Json& filters) {
  for (const auto& [name, conditions] : filters.items()) {
    if (is_scope_switch(name)) continue;
    Json have = field_of(column, name);
    if (name == "geolocation") have = country(have);
    for (const auto& [op, want] : conditions.items()) {
      if (!holds(have, op, want)) return false;
    }
  }
  return true;
}

std::optional<std::string> Filters::malformed(const Json& filters) {
  for (const auto& [name, conditions] : filters.items()) {
    if (!conditions.is_object()) return name;
  }
  return std::nullopt;
}

}  // namespace failover::sandbox::vast
