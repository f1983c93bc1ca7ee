// What authors write who come from other languages: what to write instead. Inside the room only.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/type.h"

namespace failover::expr {

constexpr const char* kHyphen = "`-` is a minus here: a name has letters, digits and _";

// `and`, `contains`: a hint; empty for what no other language has either.
std::string_view operator_meant(std::string_view word);
// Of a function that is none, `len`; of a name that is none, `secrets`.
std::string_view function_meant(std::string_view name);
std::string_view name_meant(std::string_view name);
// The function that is meant by a field that is none: `length` is `size`.
std::string_view field_meant(std::string_view name);
// A literal that is written bare, `20 GB` or `5m`, as the call that it needs; empty for what is none.
std::string unit_meant(std::string_view text);

}  // namespace failover::expr
