#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/value.h"
#include "engine/source/rules.h"

namespace failover::source {
namespace {

using Json = nlohmann::ordered_json;

// A reference relative to where the program was started, percent-encoded as RFC 3986 wants it.
Json artifact(const std::string& name) {
  static constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri;
  for (const char c : name) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      static constexpr char kHex[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += kHex[byte >> 4];
      uri += kHex[byte & 15];
    }
  }
  if (!name.empty() && name.front() == '/') return {{"uri", "file://" + uri}};
  return {{"uri", uri}};
}

// One of the run's rules: who shows a finding shows its title, and the whole advice on demand.
Json rule(Code code) {
  Json out{{"id", code.name()}, {"name", rule_name(code)}};
  const Rule* known = find_rule(code.name());
  if (known == nullptr) return out;
  out["shortDescription"] = {{"text", known->title}};
  out["fullDescription"] = {{"text", known->why}};
  out["help"] = {{"text", advice_to_text(*known)}, {"markdown", advice_to_markdown(*known)}};
  out["defaultConfiguration"] = {{"level", known->severity == Severity::error ? "error" : "warning"}};
  return out;
}

Json result(const Diagnostic& one, std::size_t index) {
  const Place from = one.file->place(one.span.begin);
  const Place to = one.file->place(one.span.end);
  std::string text = one.message;
  if (!one.hint.empty()) text += ": " + one.hint;
  return {{"ruleId", one.code.name()},
          {"ruleIndex", index},
          {"level", one.severity == Severity::error ? "error" : "warning"},
          {"message", {{"text", text}}},
          {"locations", Json::array({{{"physicalLocation",
                                       {{"artifactLocation", artifact(one.file->name())},
                                        {"region",
                                         {{"startLine", from.line},
                                          {"startColumn", from.column},
                                          {"endLine", to.line},
                                          {"endColumn", to.column}}}}}}})}};
}

}  // namespace

std::string to_sarif(const Diagnostics& diagnostics, const std::string& version) {
  Json results = Json::array();
  Json rules = Json::array();
  std::map<Code, std::size_t> places;  // in `rules`
  for (const auto& one : diagnostics.sorted()) {
    const auto [at, fresh] = places.emplace(one.code, places.size());
    if (fresh) rules.push_back(rule(one.code));
    results.push_back(result(one, at->second));
  }
  const Json driver = {{"name", "failover"}, {"version", version}, {"rules", rules}};
  const Json run = {{"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", results}};
  const Json out = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace failover::source
