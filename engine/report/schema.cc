#include "engine/report/schema.h"

#include <nlohmann/json.hpp>

#include "engine/event/event.h"

namespace failover::report {
namespace {

using Json = nlohmann::ordered_json;

Json typed(const char* name) { return {{"type", name}}; }
Json number(const char* about) { return {{"type", "number"}, {"minimum", 0}, {"description", about}}; }
Json count(const char* about) { return {{"type", "integer"}, {"minimum", 0}, {"description", about}}; }
Json or_null(const char* name) { return {{"type", Json::array({name, "null"})}}; }
Json list(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
Json time() { return {{"type", "string"}, {"format", "date-time"}}; }

Json object(Json properties, bool open = false) {
  Json required = Json::array();
  for (const auto& [name, ignored] : properties.items()) required.push_back(name);
  return {{"type", "object"},
          {"required", std::move(required)},
          {"additionalProperties", open},
          {"properties", std::move(properties)}};
}

Json trouble() { return object({{"code", typed("string")}, {"message", typed("string")}, {"hint", typed("string")}}); }

Json step() {
  Json out =
      object({{"id", typed("string")},
              {"uses", typed("string")},
              {"name", typed("string")},
              {"phase", typed("string")},
              {"section", {{"enum", Json::array({"preflight", "steps", "on_failure", "finally"})}}},
              {"status", {{"enum", Json::array({"running", "passed", "failed", "skipped", "cancelled"})}}},
              {"attempts", {{"type", "integer"}, {"minimum", 0}}},
              {"duration_s", number("seconds")},
              {"outputs", typed("object")},
              {"assertions",
               list(object({{"expression", typed("string")}, {"passed", typed("boolean")}, {"values", typed("array")}},
                           true))}});
  out["properties"]["error"] = trouble();
  out["properties"]["shape"] = {{"enum", Json::array({"group", "branches", "composite", "foreach"})}};
  return out;
}

Json file() {
  return object({{"path", typed("string")},
                 {"size", {{"type", "integer"}, {"minimum", 0}}},
                 {"md5", typed("string")},
                 {"mode", typed("string")},
                 {"mtime", typed("string")},
                 {"ok", typed("boolean")},
                 {"proof",
                  {{"enum", Json::array({"challenge", "claim", nullptr})},
                   {"description",
                    "what `ok` rests on: the machine had to show the bytes, or its word alone; null: not compared "
                    "since the loss"}}}});
}

Json whole(const char* about) { return {{"type", "integer"}, {"minimum", 0}, {"description", about}}; }

Json fell() {
  return object({{"where",
                  {{"enum", Json::array({"below", "inside", "above", nullptr})},
                   {"description", "in [best, worst]; null when no estimate was said"}}},
                 {"of_expected", {{"type", Json::array({"number", "null"})}, {"description", "actual / expected"}}}});
}

Json timing() {
  Json out = object({{"total_s", number("seconds, with giving back")},
                     {"journey_s", number("seconds, until giving back began")},
                     {"estimate", object({{"best_s", number("seconds")},
                                          {"expected_s", number("seconds")},
                                          {"worst_s", number("seconds")},
                                          {"history_runs", whole("past runs behind it; 0: stated figures")}})},
                     {"fell", fell()}});
  for (const char* name : {"create_files_s", "snapshot_s", "failover_s", "verify_s"})
    out["properties"][name] = number("seconds");
  return out;
}

Json charges() {
  const Json amount{{"type", "number"}, {"description", "USD as the provider rounds it; a credit is negative"}};
  const Json line = object({{"name", typed("string")},
                            {"id", typed("string")},
                            {"usd", amount},
                            {"compute_usd", amount},
                            {"storage_usd", amount},
                            {"traffic_usd", amount}});
  return list(object({{"kind", typed("string")},
                      {"read_at", time()},
                      {"asked", whole("things that were rented")},
                      {"listed", whole("of them in the provider's books when they were read")},
                      {"usd", {{"type", Json::array({"number", "null"})}, {"description", "null: none is listed yet"}}},
                      {"lines", list(line)},
                      {"error", or_null("string")}}));
}

Json cost() {
  const Json resource = object({{"name", typed("string")},
                                {"id", typed("string")},
                                {"usd_per_hour", number("USD")},
                                {"billed_s", number("seconds")},
                                {"traffic_usd", number("USD, of usd")},
                                {"usd", number("USD")}});
  return object({{"estimate", object({{"best_usd", number("USD")},
                                      {"expected_usd", number("USD")},
                                      {"worst_usd", number("USD")},
                                      {"history_runs", whole("past runs behind it; 0: stated figures")}})},
                 {"limit_usd", number("USD")},
                 {"actual_usd", number("USD")},
                 {"fell", fell()},
                 {"resources", list(resource)},
                 {"charges", charges()}});
}

Json resource() {
  return object({{"kind", typed("string")},
                 {"name", typed("string")},
                 {"id", typed("string")},
                 {"what", typed("string")},
                 {"step", typed("string")},
                 {"created_at", time()},
                 {"released_at", or_null("string")},
                 {"state", {{"enum", Json::array({"intended", "made", "unclear", "ended", "released", "kept"})}}},
                 {"timer",
                  {{"enum", Json::array({"curl", "python3", "wget", "none", nullptr})},
                   {"description", "what the machine can end itself with at the deadline; null: not looked at"}}}});
}

Json invariants() {
  Json out = list(object({{"id", typed("string")},
                          {"promise", typed("string")},
                          {"verdict", {{"enum", Json::array({"held", "broken", "unknown"})}}},
                          {"what", or_null("string")}}));
  out["description"] =
      "what the journal alone says of the promises that every run is held to; `what` names the thing "
      "and the place where one is not held";
  return out;
}

}  // namespace

Json report_schema() {
  Json out = object(
      {{"run_id", typed("string")},
       {"scenario", typed("string")},
       {"description", typed("string")},
       {"target", {{"enum", Json::array({"sandbox", "live", "other"})}}},
       {"simulated", typed("boolean")},
       {"view", typed("string")},
       {"version", typed("string")},
       {"quick", {{"type", "boolean"}, {"description", "the preflight alone: nothing was drilled"}}},
       {"verdict", {{"enum", Json::array({"passed", "failed", "error", "interrupted"})}}},
       {"exit_code", {{"enum", Json::array({0, 1, 3, 4, 130})}}},
       {"started_at", time()},
       {"duration_s", number("seconds")},
       {"phases", list(object({{"name", typed("string")}, {"duration_s", number("seconds")}}))},
       {"steps", list(step())},
       {"validation", object({{"files_created", count("written by the drill")},
                              {"files_verified", count("seen as they were, since the loss where there was one")},
                              {"success_rate",
                               {{"type", "number"},
                                {"minimum", 0},
                                {"maximum", 1},
                                {"description", "files_verified of all in `files`"}}},
                              {"files", list(file())}})},
       {"timing", timing()},
       {"objectives",
        {{"type", "object"},
         {"properties", {{"rto_s", or_null("number")}, {"rpo_s", or_null("number")}, {"mttd_s", or_null("number")}}}}},
       {"cost", cost()},
       {"resources", list(resource())},
       {"leftovers", list(object({{"kind", typed("string")},
                                  {"name", typed("string")},
                                  {"id", typed("string")},
                                  {"why", typed("string")}}))},
       {"cleanup", object({{"attempted", {{"type", "integer"}, {"minimum", 0}}},
                           {"released", {{"type", "integer"}, {"minimum", 0}}},
                           {"duration_s", number("seconds")}})},
       {"invariants", invariants()}});
  out["properties"]["error"] = trouble();
  out["properties"]["proof"] = trouble();
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "failover report"},
              {"description", "report.json of one run. Generated by `failover schema report`; never edited."}};
  schema.update(out);
  return schema;
}

Json journal_schema() {
  namespace type = event::type;
  Json types = Json::array();
  for (const char* name : {type::run_started,   type::step_started,    type::step_progress,  type::step_retry,
                           type::step_finished, type::exchange,        type::intent,         type::made,
                           type::sending,       type::unanswered,      type::refused,        type::unclear,
                           type::ended,         type::released,        type::kept,           type::lapsed,
                           type::traffic,       type::charges,         type::mark,           type::objective,
                           type::closing,       type::cleanup_started, type::cleanup_failed, type::cleanup_finished,
                           type::recovery,      type::run_finished}) {
    types.push_back(name);
  }
  Json out = object({{"seq", {{"type", "integer"}, {"minimum", 1}, {"description", "from 1, without gaps"}}},
                     {"at", time()},
                     {"t", number("seconds since the run's start, monotonic")},
                     {"type", {{"enum", std::move(types)}}},
                     {"data", typed("object")},
                     {"sum",
                      {{"type", "string"},
                       {"pattern", "^[0-9a-f]{16}$"},
                       {"description", "first 8 bytes of SHA-256 of all that precedes this member"}}}});
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "failover journal record"},
              {"description", "One line of journal.jsonl. Generated by `failover schema journal`; never edited."}};
  schema.update(out);
  return schema;
}

}  // namespace failover::report
