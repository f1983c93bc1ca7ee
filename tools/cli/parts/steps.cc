#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {
namespace {

using nlohmann::ordered_json;

std::string effect_name(plugin::Effect effect) {
  switch (effect) {
    case plugin::Effect::reads: return "reads";
    case plugin::Effect::changes: return "changes";
    case plugin::Effect::creates: return "creates";
  }
  return "";
}

ordered_json to_json(const plugin::StepType& type) {
  ordered_json out{{"name", type.name}, {"summary", type.summary}, {"effect", effect_name(type.effect)}};
  out["inputs"] = ordered_json::array();
  for (const auto& input : type.inputs) {
    ordered_json one{
        {"name", input.name}, {"type", input.type.name()}, {"required", input.required}, {"summary", input.summary}};
    if (!input.required) one["default"] = ordered_json(base::to_json(input.fallback));
    if (!input.choices.empty()) one["choices"] = input.choices;
    if (input.minimum) one["minimum"] = *input.minimum;
    out["inputs"].push_back(std::move(one));
  }
  out["outputs"] = ordered_json::array();
  for (const auto& output : type.outputs) {
    ordered_json one{{"name", output.name}, {"type", output.type.name()}, {"summary", output.summary}};
    if (!output.choices.empty()) one["choices"] = output.choices;
    out["outputs"].push_back(std::move(one));
  }
  out["errors"] = ordered_json::array();
  for (const auto fault : type.errors) out["errors"].push_back(std::string(base::to_string(fault)));
  out["holds"] = type.holds;
  out["timeout_s"] = base::seconds(type.timeout);
  out["example"] = "uses: " + type.name + "\nwith: " + type.example;
  return out;
}

std::string fields(const char* title, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "";
  std::size_t name = 0;
  std::size_t kind = 0;
  for (const auto& row : rows) {
    name = std::max(name, row[0].size());
    kind = std::max(kind, std::min<std::size_t>(row[1].size(), 28));
  }
  std::string out = std::string("\n") + title + "\n";
  for (const auto& row : rows) {
    out += "  " + row[0] + std::string(name - row[0].size() + 2, ' ') + row[1] +
           std::string(row[1].size() < kind ? kind - row[1].size() + 2 : 2, ' ') + row[2] + "\n";
  }
  return out;
}

std::string money_line(const plugin::StepType& type) {
  if (!type.priced_by.empty())
    return "billed by the hour at the price of `" + type.priced_by + "`, from its creation on";
  if (!type.frees.empty()) return "ends the billing of `" + type.frees + "`";
  return "nothing by the hour";
}

std::string undo_text(const plugin::StepType& type, const plugin::Registry& registry) {
  std::string out;
  for (const auto& name : type.holds) {
    const auto* kind = registry.kind(name);
    if (kind == nullptr) continue;
    out += "  " + name + ": " + kind->summary + (kind->keepable ? "; `keep` keeps it" : "") + "\n";
  }
  return out;
}

std::string to_text(const plugin::StepType& type, const plugin::Registry& registry) {
  std::string out = type.name + "\n  " + type.summary + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& input : type.inputs) {
    std::string more = input.summary;
    if (!input.choices.empty()) more += " One of: " + base::join(input.choices) + ".";
    if (input.required) {
      more += " Required.";
    } else if (!input.fallback.is_null()) {
      more += " Default: " + input.fallback.literal() + ".";
    }
    rows.push_back({input.name, input.type.name(), more});
  }
  out += fields("with", rows);
  rows.clear();
  for (const auto& output : type.outputs) {
    std::string more = output.summary;
    if (!output.choices.empty()) more += " One of: " + base::join(output.choices) + ".";
    rows.push_back({output.name, output.type.name(), more});
  }
  out += fields("outputs", rows);
  std::vector<std::string> faults;
  std::vector<std::string> once;
  for (const auto fault : type.errors) {
    const std::string word(base::to_string(fault));
    (base::retryable_fault(word) ? faults : once).push_back(word);
  }
  out += "\neffect   " + effect_name(type.effect) + "\n";
  out += "errors   " + (faults.empty() ? "timeout" : base::join(faults) + ", timeout") +
         (once.empty() ? "" : "; never tried again: " + base::join(once)) + "\n";
  out += "timeout  " + base::in_short(type.timeout) + " unless written\n";
  out += "cost     " + money_line(type) + "\n";
  for (const auto& check : type.asserts) out += "checks   " + check.expression + ", unless you assert on it yourself\n";
  if (const auto undo = undo_text(type, registry); !undo.empty()) out += "\nmakes, and gives back at the end\n" + undo;
  out += "\nexample\n  - uses: " + type.name + "\n    with: " + type.example + "\n";
  return out;
}

}  // namespace

int steps(const std::string& name, bool json) {
  const Company company = rehearse();
  const auto& registry = company.registry;
  if (!name.empty()) {
    const auto* type = registry.step(name);
    if (type == nullptr) {
      std::vector<std::string> known;
      for (const auto& one : registry.steps) known.push_back(one.name);
      const auto near = base::nearest(name, known);
      return complain("no step type `" + base::printable(name, 80) + "`",
                      near ? "did you mean `" + *near + "`?" : "`failover steps` lists them", usage);
    }
    if (json) {
      say_line(to_json(*type).dump(2));
    } else {
      say(to_text(*type, registry));
    }
    return passed;
  }
  if (json) {
    auto out = ordered_json::array();
    for (const auto& type : registry.steps) out.push_back(to_json(type));
    say_line(out.dump(2));
    return passed;
  }
  std::size_t width = 0;
  for (const auto& type : registry.steps) width = std::max(width, type.name.size());
  for (const auto& type : registry.steps) {
    say_line(type.name + std::string(width - type.name.size() + 2, ' ') + type.summary);
  }
  return passed;
}

}  // namespace failover::cli
