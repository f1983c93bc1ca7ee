#include "engine/plan/schema.h"

#include <nlohmann/json.hpp>

#include "engine/base/text.h"

namespace failover::plan {
namespace {

using base::Type;
using Json = nlohmann::ordered_json;

const char* const kExpression = R"(\$\{\{)";
const char* const kMoney = R"(^\$[0-9]+(\.[0-9]{1,6})?$)";
const char* const kSize = R"(^[0-9]+(\.[0-9]+)? ?(B|[kK]B|MB|GB|TB|KiB|MiB|GiB|TiB)$)";
const char* const kRate = R"(^[0-9]+(\.[0-9]+)? ?([kKMG]?b/s)$)";
const char* const kDuration = R"(^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+)$)";
const char* const kId = "^[A-Za-z_][A-Za-z0-9_]*$";

Json text(const char* pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

// What an author may write where `type` is wanted, without expressions.
Json literal(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::boolean: return {{"type", "boolean"}};
    case Type::Kind::integer:
    case Type::Kind::uinteger: return {{"type", "integer"}};
    case Type::Kind::number: return {{"type", "number"}};
    case Type::Kind::string: return {{"type", "string"}};
    case Type::Kind::money: return text(kMoney);
    case Type::Kind::size: return text(kSize);
    case Type::Kind::rate: return text(kRate);
    case Type::Kind::duration: return text(kDuration);
    default: return Json::object();
  }
}

Json either(Json plain) {
  if (plain.empty()) return plain;
  return {{"anyOf", Json::array({std::move(plain), text(kExpression)})}};
}

Json value(const Type& type) {
  if (type.kind() == Type::Kind::list) return either({{"type", "array"}, {"items", value(type.element())}});
  if (type.kind() == Type::Kind::map)
    return either({{"type", "object"}, {"additionalProperties", value(type.element())}});
  if (type.kind() == Type::Kind::object) {
    Json members = Json::object();
    for (const auto& field : type.fields()) members[field.name] = value(field.type);
    return either({{"type", "object"}, {"properties", members}, {"additionalProperties", false}});
  }
  Json plain = literal(type);
  if (type.kind() == Type::Kind::string) return plain;  // an expression is a string too
  return either(std::move(plain));
}

// What a key is for. Editors show the alternatives' words instead of the key's own where there are alternatives.
void explain(Json& property, const std::string& about) {
  property["description"] = about;
  if (!property.contains("anyOf")) return;
  property["anyOf"].front()["description"] = about;
  for (std::size_t i = 1; i < property["anyOf"].size(); ++i) {
    Json& other = property["anyOf"][i];
    if (!other.contains("description")) other["description"] = "or an expression, `${{ }}`";
  }
}

Json field(const plugin::Input& input) {
  Json out;
  if (!input.choices.empty()) {
    out = {{"anyOf", Json::array({{{"enum", input.choices}}, text(kExpression)})}};
  } else if (input.minimum) {
    out = either({{"type", "integer"}, {"minimum", *input.minimum}});
  } else {
    out = value(input.type);
  }
  std::string about = input.summary + " (" + input.type.name() + ")";
  if (!input.required && !input.fallback.is_null()) about += " Default: " + input.fallback.display();
  explain(out, about);
  return out;
}

Json with_of(const plugin::StepType& type) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& input : type.inputs) {
    properties[input.name] = field(input);
    if (input.required) required.push_back(input.name);
  }
  Json out = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = required;
  for (const auto& group : type.one_of) {
    Json alternatives = Json::array();
    for (const auto& name : group) alternatives.push_back({{"required", Json::array({name})}});
    out["oneOf"] = alternatives;
  }
  return out;
}

Json conditional(const plugin::StepType& type) {
  const Json with = with_of(type);
  Json then = {{"properties", {{"with", with}}}};
  if (with.contains("required") || with.contains("oneOf")) then["required"] = Json::array({"with"});
  return {{"if", {{"properties", {{"uses", {{"const", type.name}}}}}, {"required", Json::array({"uses"})}}},
          {"then", then}};
}

Json uses(const plugin::Registry& registry) {
  Json names = Json::array();
  for (const auto& type : registry.steps) {
    names.push_back({{"const", type.name}, {"description", type.summary}});
  }
  names.push_back({{"type", "string"}, {"pattern", R"(^\./.+\.ya?ml$)"}});
  return {{"description", "The step type. `failover steps` lists them."}, {"anyOf", names}};
}

// Says what keys are for that do not say it themselves.
Json described(Json schema, const std::vector<std::pair<const char*, const char*>>& about) {
  for (const auto& [key, text] : about) {
    Json& property = schema["properties"][key];
    if (!property.contains("description")) explain(property, text);
  }
  return schema;
}

Json retry() {
  Json words = Json::array();
  for (const auto word : base::retryable_fault_words()) words.push_back(std::string(word));
  const Json out = {
      {"type", "object"},
      {"additionalProperties", false},
      {"description", "Tries the step again after errors of the named classes."},
      {"required", Json::array({"errors"})},
      {"properties",
       {{"errors",
         {{"type", "array"}, {"items", {{"enum", words}}}, {"description", "Error classes to try again after."}}},
        {"attempts", either({{"type", "integer"}, {"minimum", 1}})},
        {"delay", either(text(kDuration))},
        {"backoff", either({{"type", "number"}, {"minimum", 1}})},
        {"max_delay", either(text(kDuration))},
        {"jitter", {{"enum", Json::array({"none", "full"})}}}}}};
  return described(out, {{"attempts", "How often in all, the first included."},
                         {"delay", "Before the second try: 500ms, 2s, 5m."},
                         {"backoff", "Each delay is the one before times this."},
                         {"max_delay", "No delay is longer."},
                         {"jitter", "`full`: each delay is anything between nothing and its length."}});
}

Json assertions() {
  const Json one = {{"type", "object"},
                    {"required", Json::array({"that"})},
                    {"additionalProperties", false},
                    {"properties", {{"that", {{"type", "string"}}}, {"message", {{"type", "string"}}}}}};
  return {{"type", "array"},
          {"description", "Expressions over `outputs` and all else in scope; each must hold."},
          {"items", {{"anyOf", Json::array({Json{{"type", "string"}}, one})}}}};
}

Json list_of_steps() { return {{"type", "array"}, {"minItems", 1}, {"items", {{"$ref", "#/definitions/step"}}}}; }

Json step(const plugin::Registry& registry) {
  Json types = Json::array();
  for (const auto& type : registry.steps) types.push_back(conditional(type));
  const Json any_list = {{"type", Json::array({"array", "string"})}};
  const Json out = {
      {"type", "object"},
      {"additionalProperties", false},
      {"properties",
       {{"id", text(kId)},
        {"name", {{"type", "string"}}},
        {"uses", uses(registry)},
        {"with", {{"type", "object"}}},
        {"phase", {{"type", "string"}, {"description", "Report grouping; holds until the next one."}}},
        {"timeout", either(text(kDuration))},
        {"retry", retry()},
        {"when", {{"type", Json::array({"string", "boolean"})}, {"description", "Skip unless true."}}},
        {"assert", assertions()},
        {"until", {{"type", "string"}}},
        {"every", either(text(kDuration))},
        {"foreach", any_list},
        {"max_parallel", {{"type", "integer"}, {"minimum", 1}}},
        {"branches", {{"type", "object"}, {"additionalProperties", list_of_steps()}}},
        {"wait", {{"enum", Json::array({"all", "first"})}}},
        {"steps", list_of_steps()},
        {"marks",
         {{"type", "array"}, {"items", {{"enum", Json::array({"failure", "detected", "degraded", "recovered"})}}}}},
        {"on_failure", list_of_steps()},
        {"keep", either(text(kDuration))},
        {"must_fail", {{"type", "boolean"}}}}},
      {"allOf", types}};
  return described(
      out, {{"id", "The step's name in expressions: `steps.ID.OUTPUT`."},
            {"name", "A line for people."},
            {"with", "The step type's inputs; values or `${{ expression }}`. `failover steps TYPE` lists them."},
            {"timeout", "How long the step may take, retries included: 500ms, 90s, 5m, 1h."},
            {"until", "Repeats the step until this holds over its `outputs`."},
            {"every", "Time between two looks of `until`."},
            {"foreach", "Runs the step once for each element of this list, as `each`."},
            {"max_parallel", "So many elements of `foreach` side by side; 1 unless told."},
            {"branches", "Lists of steps that run side by side, by name."},
            {"wait", "`all` branches must pass, or the `first` to pass wins and the others are undone."},
            {"steps", "A group: these steps in order, under one timeout and one condition."},
            {"marks", "Instants that objectives are measured between."},
            {"on_failure", "Steps that gather evidence when this one fails; their failure hides nothing."},
            {"keep", "Keeps what the step makes (snapshots, objects) for this long instead of giving it back."},
            {"must_fail", "A counter-proof: passing is a failure."}});
}

// The fields of an input that may be of one of `kinds`.
Json input_declaration(Json kinds) {
  const Json scalar = {{"type", Json::array({"string", "number", "integer", "boolean"})}};
  const Json out = {{"type", "object"},
                    {"additionalProperties", false},
                    {"required", Json::array({"type"})},
                    {"properties",
                     {{"type", {{"enum", std::move(kinds)}}},
                      {"default", scalar},
                      {"minimum", scalar},
                      {"maximum", scalar},
                      {"values", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                      {"choices", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                      {"description", {{"type", "string"}}}}}};
  return described(out, {{"type", "What a value must be."},
                         {"default", "What it is unless `--input NAME=VALUE` says more; without one it must be given."},
                         {"minimum", "The least that is allowed."},
                         {"maximum", "The most that is allowed."},
                         {"values", "The legal words of an enum."},
                         {"choices", "The legal words of an enum."},
                         {"description", "A line for people."}});
}

Json input_kinds() {
  return Json::array({"string", "integer", "number", "boolean", "money", "duration", "size", "path", "enum"});
}

Json inputs(Json kinds) {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", kId}}},
          {"additionalProperties", input_declaration(std::move(kinds))}};
}

Json environment() {
  const Json names = {{"type", "array"}, {"items", {{"type", "string"}}}};
  const Json declared = {{"type", "object"},
                         {"additionalProperties",
                          {{"type", Json::array({"object", "null"})},
                           {"additionalProperties", false},
                           {"properties", {{"secret", {{"type", "boolean"}}}}}}}};
  return {{"description", "Environment variables the scenario may read."}, {"anyOf", Json::array({names, declared})}};
}

}  // namespace

nlohmann::ordered_json scenario_schema(const plugin::Registry& registry) {
  const Json duration = either(text(kDuration));
  const Json out = {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "failover scenario"},
      {"description", "A failover drill as ordered steps. Generated by `failover schema scenario`; never edited."},
      {"type", "object"},
      {"additionalProperties", false},
      {"required", Json::array({"name", "steps"})},
      {"properties",
       {{"name", {{"type", "string"}, {"description", "Equals the file's stem."}}},
        {"description", {{"type", "string"}}},
        {"tags", {{"type", "array"}, {"items", {{"type", "string"}}}}},
        {"env", environment()},
        {"inputs", inputs(input_kinds())},
        {"limits",
         {{"type", "object"},
          {"additionalProperties", false},
          {"description", "Hard stops of the whole run; cleanup always follows."},
          {"properties", {{"cost", either(text(kMoney))}, {"duration", duration}}}}},
        {"objectives", {{"type", "object"}, {"additionalProperties", duration}}},
        {"preflight", list_of_steps()},
        {"steps", list_of_steps()},
        {"finally", list_of_steps()},
        {"must_fail", {{"type", "boolean"}}}}},
      {"definitions", {{"step", step(registry)}}}};
  return described(out,
                   {{"description", "A line that `failover list` shows."},
                    {"tags", "Words to find it by."},
                    {"inputs", "What a run may be told: `--input NAME=VALUE`, seen as `inputs.NAME`."},
                    {"objectives",
                     "Times that the drill must keep; a missed one fails the run. rto: from `failure` to `recovered`. "
                     "mttd: from `failure` to `detected`. rpo: how far before `failure` the earliest step began of "
                     "whose files some were not shown, by a checksum.verify between `failure` and `recovered`, to "
                     "be there."},
                    {"preflight", "Free, read-only steps before anything else; `run --quick` stops after them."},
                    {"steps", "The journey, in order."},
                    {"finally", "Steps that all run whatever happened, before everything is given back."},
                    {"must_fail", "A counter-proof: passes when an assertion or objective of `steps` fails."}});
}

nlohmann::ordered_json fragment_schema(const plugin::Registry& registry) {
  Json kinds = input_kinds();
  kinds.push_back("any");
  const Json declared = {{"type", "object"},
                         {"additionalProperties", false},
                         {"required", Json::array({"value"})},
                         {"properties", {{"value", Json::object()}, {"description", {{"type", "string"}}}}}};
  const Json output = {{"if", {{"type", "object"}, {"required", Json::array({"value"})}}},
                       {"then", described(declared, {{"value", "A value, mostly `${{ steps.ID.OUTPUT }}`."},
                                                     {"description", "A line for people."}})}};
  const Json out = {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "failover fragment"},
      {"description", "Steps that scenarios use as one. Generated by `failover schema fragment`; never edited."},
      {"type", "object"},
      {"additionalProperties", false},
      {"required", Json::array({"steps"})},
      {"properties",
       {{"name", {{"type", "string"}}},
        {"description", {{"type", "string"}}},
        {"env", environment()},
        {"inputs", inputs(std::move(kinds))},
        {"outputs", {{"type", "object"}, {"propertyNames", {{"pattern", kId}}}, {"additionalProperties", output}}},
        {"steps", list_of_steps()}}},
      {"definitions", {{"step", step(registry)}}}};
  return described(
      out, {{"name", "What it is called; its file's stem unless told."},
            {"description", "A line for people."},
            {"inputs", "What the step that uses it gives in `with`, seen as `inputs.NAME`; `any` is typed there."},
            {"outputs", "What the step that uses it has as `outputs`: values, mostly `${{ steps.ID.OUTPUT }}`."},
            {"steps", "What it does, in order."}});
}

}  // namespace failover::plan
