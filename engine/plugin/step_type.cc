#include "engine/plugin/step_type.h"

#include <algorithm>

namespace failover::plugin {

const Input* StepType::input(std::string_view input_name) const {
  const auto at = std::ranges::find(inputs, input_name, &Input::name);
  return at == inputs.end() ? nullptr : &*at;
}

const Output* StepType::output(std::string_view output_name) const {
  const auto at = std::ranges::find(outputs, output_name, &Output::name);
  return at == outputs.end() ? nullptr : &*at;
}

base::Type StepType::output_type() const {
  std::vector<base::Type::Field> fields;
  for (const auto& out : outputs) fields.push_back({out.name, out.type});
  return base::Type::object(std::move(fields));
}

}  // namespace failover::plugin
