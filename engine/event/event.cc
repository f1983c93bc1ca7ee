#include "engine/event/event.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"

namespace failover::event {
namespace {

constexpr std::string_view kChecksum = ",\"sum\":\"";
constexpr std::size_t kSumLength = 16;

std::string sum_of(std::string_view text) {
  return base::digest_hex(base::Algorithm::sha256, text).substr(0, kSumLength);
}

base::Error damaged(const std::string& how) {
  return {base::Fault::corrupt, "damaged_record", "a journal record is damaged: " + how};
}

}  // namespace

const base::Value& Event::operator[](std::string_view name) const {
  static const base::Value null;
  const base::Value* member = data.find(name);
  return member == nullptr ? null : *member;
}

std::string Event::text(std::string_view name) const {
  const std::string* held = (*this)[name].text();
  return held == nullptr ? std::string() : *held;
}

double Event::number(std::string_view name) const {
  const base::Value& value = (*this)[name];
  if (const auto* d = value.get<double>()) return *d;
  if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
  return 0;
}

int Event::integer(std::string_view name) const {
  constexpr double kMost = 1e9;
  const double value = number(name);
  return std::isnan(value) ? 0 : static_cast<int>(std::lround(std::clamp(value, -kMost, kMost)));
}

base::Duration Event::time(std::string_view name) const {
  constexpr double kCentury = 3.2e9;
  const double value = number(name);
  return base::Duration(std::isnan(value) ? 0 : std::llround(std::clamp(value, -kCentury, kCentury) * 1e9));
}

base::Value describe(const base::Error& error) {
  return base::Value::Map{{"fault", std::string(base::to_string(error.fault))},
                          {"code", error.code},
                          {"message", error.line()},
                          {"hint", error.hint}};
}

std::string to_line(const Event& event) {
  nlohmann::json json = {
      {"seq", event.seq},
      {"at", base::format_utc(event.at)},
      {"t", static_cast<double>(std::chrono::floor<std::chrono::microseconds>(event.since_start).count()) / 1e6},
      {"type", event.type},
      {"data", base::to_json(event.data)}};
  std::string line = base::dump(json);
  line.pop_back();  // the closing brace comes behind the checksum
  const std::string sum = sum_of(line);
  return line + std::string(kChecksum) + sum + "\"}";
}

base::Result<Event> from_line(std::string_view line) {
  const std::size_t tail = kChecksum.size() + kSumLength + 2;
  if (line.size() < tail) return damaged("too short");
  const std::string_view body = line.substr(0, line.size() - tail);
  const std::string_view rest = line.substr(body.size());
  if (rest.substr(0, kChecksum.size()) != kChecksum || rest.substr(rest.size() - 2) != "\"}")
    return damaged("no checksum");
  if (rest.substr(kChecksum.size(), kSumLength) != sum_of(body)) return damaged("the checksum does not match");
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return damaged("not a JSON object");
  const auto seq = json.find("seq");
  const auto at = json.find("at");
  const auto since = json.find("t");
  const auto kind = json.find("type");
  const auto data = json.find("data");
  if (seq == json.end() || !seq->is_number_unsigned() || at == json.end() || !at->is_string() || since == json.end() ||
      !since->is_number() || kind == json.end() || !kind->is_string() || data == json.end() || !data->is_object()) {
    return damaged("a member is missing");
  }
  const auto when = base::parse_utc(at->get<std::string>());
  const double seconds = since->get<double>();
  if (!when || !(seconds >= 0) || seconds > 1e9) return damaged("its time cannot be read");
  Event event;
  event.seq = seq->get<std::uint64_t>();
  event.at = *when;
  event.since_start = base::Duration(std::llround(seconds * 1e6) * 1000);
  event.type = kind->get<std::string>();
  event.data = base::from_json(*data);
  return event;
}

}  // namespace failover::event
