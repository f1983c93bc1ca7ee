#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/report/report.h"

namespace failover::report {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, double unit) { return std::round(value * unit) / unit; }
double dollars(double usd) { return rounded(usd, 1e6); }
double seconds(base::Duration time) { return rounded(base::seconds(time), 1e3); }

Json optional_seconds(const std::optional<double>& value) { return value ? Json(rounded(*value, 1e3)) : Json(nullptr); }

Json trouble(const Trouble& error) { return {{"code", error.code}, {"message", error.message}, {"hint", error.hint}}; }

Json phases(const Report& report) {
  Json out = Json::array();
  for (const auto& one : report.phases)
    out.push_back({{"name", one.name}, {"duration_s", seconds(one.end - one.begin)}});
  return out;
}

Json plain(const base::Value& value, Json otherwise) {
  return value.is_null() ? std::move(otherwise) : Json(base::to_json(value));
}

Json steps(const Report& report) {
  Json out = Json::array();
  for (const auto& one : report.steps) {
    Json step{{"id", one.id},
              {"uses", one.uses},
              {"name", one.name},
              {"phase", one.phase},
              {"section", one.section},
              {"status", one.status},
              {"attempts", one.attempts},
              {"duration_s", seconds(one.end - one.begin)},
              {"outputs", plain(one.outputs, Json::object())},
              {"assertions", plain(one.assertions, Json::array())}};
    if (!one.shape.empty()) step["shape"] = one.shape;
    if (one.error) step["error"] = trouble(*one.error);
    out.push_back(std::move(step));
  }
  return out;
}

Json validation(const Report& report) {
  Json files = Json::array();
  for (const auto& one : report.files) {
    files.push_back({{"path", one.path},
                     {"size", one.size},
                     {"md5", one.md5},
                     {"mode", one.mode},
                     {"mtime", one.mtime},
                     {"ok", one.ok},
                     {"proof", one.proof.empty() ? Json(nullptr) : Json(one.proof)}});
  }
  const auto created =
      std::count_if(report.files.begin(), report.files.end(), [](const File& file) { return file.created; });
  const auto all = static_cast<double>(report.files.size());
  const int verified = report.files_verified();
  return {{"files_created", created},
          {"files_verified", verified},
          {"success_rate", report.files.empty() ? 0.0 : static_cast<double>(verified) / all},
          {"files", std::move(files)}};
}

// Where reality fell in what was said beforehand; nulls when nothing was.
Json fell_json(const std::optional<Fell>& fell) {
  return {{"where", fell ? Json(std::string(to_string(fell->where))) : Json(nullptr)},
          {"of_expected", fell && fell->ratio ? Json(rounded(*fell->ratio, 1e3)) : Json(nullptr)}};
}

Json timing(const Report& report) {
  Json out = Json::object();
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) out[name] = optional_seconds(value);
  };
  add("create_files_s", report.seconds_of("files.create"));
  add("snapshot_s", report.seconds_of("snapshot.create"));
  add("failover_s", report.failover_seconds());
  add("verify_s", report.seconds_of("checksum.verify"));
  out["total_s"] = seconds(report.duration);
  out["journey_s"] = seconds(report.journey_time());
  out["estimate"] = {{"best_s", rounded(report.estimate.best_s, 1e3)},
                     {"expected_s", rounded(report.estimate.expected_s, 1e3)},
                     {"worst_s", rounded(report.estimate.worst_s, 1e3)},
                     {"history_runs", report.estimate.history_runs}};
  out["fell"] = fell_json(report.time_fell());
  return out;
}

Json objectives(const Report& report) {
  Json out = Json::object();
  for (const auto& [name, ignored] : report.wanted) out[name + "_s"] = nullptr;
  for (const auto& [name, time] : report.objectives) out[name + "_s"] = seconds(time);
  if (const auto from = report.marks.find("failure"), to = report.marks.find("recovered");
      out.count("rto_s") == 0 && from != report.marks.end() && to != report.marks.end() && from->second <= to->second) {
    out["rto_s"] = seconds(to->second - from->second);
  }
  Json wanted = Json::object();
  for (const auto& [name, time] : report.wanted) wanted[name + "_s"] = seconds(time);
  out["wanted"] = std::move(wanted);
  out["missed"] = report.missed;
  return out;
}

// The providers' books, by kind; what was never asked for is not there.
Json charges(const Report& report) {
  Json out = Json::array();
  for (const auto& [kind, one] : report.charges) {
    Json lines = Json::array();
    for (const auto& line : one.lines) {
      lines.push_back({{"name", line.name},
                       {"id", line.id},
                       {"usd", dollars(line.usd)},
                       {"compute_usd", dollars(line.compute_usd)},
                       {"storage_usd", dollars(line.storage_usd)},
                       {"traffic_usd", dollars(line.traffic_usd)}});
    }
    out.push_back({{"kind", kind},
                   {"read_at", base::format_utc(one.read_at)},
                   {"asked", one.asked},
                   {"listed", one.lines.size()},
                   {"usd", one.lines.empty() ? Json(nullptr) : Json(dollars(one.usd()))},
                   {"lines", std::move(lines)},
                   {"error", one.error.empty() ? Json(nullptr) : Json(one.error)}});
  }
  return out;
}

Json cost(const Report& report) {
  Json resources = Json::array();
  for (const auto& one : report.resources) {
    if (one.usd_per_hour <= 0 || one.state == "refused") continue;
    resources.push_back({{"name", one.name},
                         {"id", one.id},
                         {"usd_per_hour", dollars(one.usd_per_hour)},
                         {"billed_s", seconds(report.billed(one))},
                         {"traffic_usd", dollars(Report::traffic_cost(one))},
                         {"usd", dollars(report.cost(one))}});
  }
  return {{"estimate",
           {{"best_usd", dollars(report.estimate.best_usd)},
            {"expected_usd", dollars(report.estimate.expected_usd)},
            {"worst_usd", dollars(report.estimate.worst_usd)},
            {"history_runs", report.estimate.history_runs}}},
          {"limit_usd", dollars(report.limit_usd)},
          {"actual_usd", dollars(report.total_cost())},
          {"fell", fell_json(report.cost_fell())},
          {"resources", std::move(resources)},
          {"charges", charges(report)}};
}

Json timer(const Report& report, const Resource& resource) {
  const auto found = report.timer(resource);
  return found ? Json(*found) : Json(nullptr);
}

Json resources(const Report& report) {
  Json out = Json::array();
  for (const auto& one : report.resources) {
    if (one.state == "refused") continue;
    out.push_back({{"kind", one.kind},
                   {"name", one.name},
                   {"id", one.id},
                   {"what", one.what},
                   {"step", one.step},
                   {"created_at", base::format_utc(one.created_at)},
                   {"released_at", one.released_at ? Json(base::format_utc(*one.released_at)) : Json(nullptr)},
                   {"state", one.state},
                   {"timer", timer(report, one)}});
  }
  return out;
}

Json leftovers(const Report& report) {
  Json out = Json::array();
  if (report.finished) {
    for (const auto& one : report.leftovers) out.push_back(Json(base::to_json(one)));
    return out;
  }
  // A run that never ended: what its journal leaves open.
  for (const auto& one : report.resources) {
    if (!is_open(one.state)) continue;
    out.push_back({{"kind", one.kind}, {"name", one.name}, {"id", one.id}, {"why", "the run did not finish"}});
  }
  return out;
}

Json invariants(const Report& report) {
  Json out = Json::array();
  for (const auto& one : report.promises.judged(report)) {
    out.push_back({{"id", one.id},
                   {"promise", one.promise},
                   {"verdict", to_string(one.verdict)},
                   {"what", one.what.empty() ? Json(nullptr) : Json(one.what)}});
  }
  return out;
}

}  // namespace

Json to_json(const Report& report) {
  Json out{{"run_id", report.run_id},
           {"scenario", report.scenario},
           {"description", report.description},
           {"target", report.target},
           {"simulated", report.target == "sandbox"},
           {"view", report.view},
           {"version", report.version},
           {"quick", report.quick},
           {"verdict", report.verdict},
           {"exit_code", report.exit_code},
           {"started_at", base::format_utc(report.started_at)},
           {"duration_s", seconds(report.duration)}};
  if (report.error) out["error"] = trouble(*report.error);
  if (report.proof) out["proof"] = trouble(*report.proof);
  out["phases"] = phases(report);
  out["steps"] = steps(report);
  out["validation"] = validation(report);
  out["timing"] = timing(report);
  out["objectives"] = objectives(report);
  out["cost"] = cost(report);
  out["resources"] = resources(report);
  out["leftovers"] = leftovers(report);
  out["cleanup"] = {{"attempted", report.cleanup.attempted},
                    {"released", report.cleanup.released},
                    {"duration_s", seconds(report.cleanup.took)}};
  out["invariants"] = invariants(report);
  return out;
}

}  // namespace failover::report
