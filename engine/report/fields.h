// Members of what events carry, as text and numbers; what is not there is empty or 0.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/value.h"

namespace failover::report {

inline std::string text_of(const base::Value& map, const char* name) {
  const base::Value* member = map.find(name);
  return member == nullptr || member->is_null() ? std::string() : member->display();
}

inline std::int64_t whole_of(const base::Value& map, const char* name) {
  const base::Value* member = map.find(name);
  const auto* whole = member == nullptr ? nullptr : member->get<std::int64_t>();
  return whole == nullptr ? 0 : *whole;
}

}  // namespace failover::report
