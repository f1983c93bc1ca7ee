#include "engine/plugin/step.h"

#include <algorithm>

namespace failover::plugin {
namespace {

template <class Range>
auto named(const Range& range, std::string_view name) -> const typename Range::value_type* {
  const auto at = std::find_if(range.begin(), range.end(), [&](const auto& item) { return item.name == name; });
  return at == range.end() ? nullptr : &*at;
}

}  // namespace

const Input* StepType::input(std::string_view input_name) const { return named(inputs, input_name); }
const Output* StepType::output(std::string_view output_name) const { return named(outputs, output_name); }

base::Type StepType::output_type() const {
  std::vector<base::Type::Field> fields;
  for (const auto& out : outputs) fields.push_back({out.name, out.type});
  return base::Type::object(std::move(fields));
}

const StepType* Registry::step(std::string_view name) const { return named(steps, name); }
const Kind* Registry::kind(std::string_view name) const { return named(kinds, name); }

}  // namespace failover::plugin
