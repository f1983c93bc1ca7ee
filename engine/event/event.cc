#include "engine/event/event.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/base/digest.h"
#include "engine/base/json.h"
#include "engine/base/json_read.h"

namespace failover::event {
namespace {

constexpr std::string_view kChecksum = ",\"sum\":\"";
constexpr std::size_t kSumLength = 16;

std::string sum_of(std::string_view text) {
  return base::hex(std::string_view(base::digest(base::Algorithm::sha256, text)).substr(0, kSumLength / 2));
}

base::Error damaged(const std::string& how) {
  return {base::Fault::corrupt, "damaged_record", "a journal record is damaged: " + how};
}

std::optional<std::uint64_t> count_of(const base::Value& value) {
  if (const auto* large = value.get<std::uint64_t>()) return *large;
  const auto* number = value.get<std::int64_t>();
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

// What a run's time can be.
std::optional<double> seconds_of(const base::Value& value) {
  const auto* whole = value.get<std::int64_t>();
  const auto* part = value.get<double>();
  if (whole == nullptr && part == nullptr) return std::nullopt;
  const double seconds = whole != nullptr ? static_cast<double>(*whole) : *part;
  if (!(seconds >= 0) || seconds > 1e9) return std::nullopt;
  return seconds;
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
  std::string line = "{\"at\":";
  base::append_json_text(line, base::format_utc(event.at));
  line += ",\"data\":";
  base::append_json(line, event.data);
  line += ",\"seq\":";
  base::append_json_number(line, event.seq);
  line += ",\"t\":";
  base::append_json_number(
      line, static_cast<double>(std::chrono::floor<std::chrono::microseconds>(event.since_start).count()) / 1e6);
  line += ",\"type\":";
  base::append_json_text(line, event.type);
  // The closing brace comes behind the checksum.
  const std::string sum = sum_of(line);
  line += kChecksum;
  line += sum;
  line += "\"}";
  return line;
}

base::Result<Event> from_line(std::string_view line) {
  const std::size_t tail = kChecksum.size() + kSumLength + 2;
  if (line.size() < tail) return damaged("too short");
  const std::string_view body = line.substr(0, line.size() - tail);
  const std::string_view rest = line.substr(body.size());
  if (rest.substr(0, kChecksum.size()) != kChecksum || rest.substr(rest.size() - 2) != "\"}")
    return damaged("no checksum");
  if (rest.substr(kChecksum.size(), kSumLength) != sum_of(body)) return damaged("the checksum does not match");
  const auto json = base::parse_json(line);
  if (!json || !json->is_map()) return damaged("not a JSON object");
  const auto* seq = json->find("seq");
  const auto* at = json->find("at");
  const auto* since = json->find("t");
  const auto* kind = json->find("type");
  const auto* data = json->find("data");
  const auto number = seq == nullptr ? std::nullopt : count_of(*seq);
  if (!number || at == nullptr || at->text() == nullptr || since == nullptr || kind == nullptr ||
      kind->text() == nullptr || data == nullptr || !data->is_map()) {
    return damaged("a member is missing");
  }
  const auto when = base::parse_utc(*at->text());
  const auto seconds = seconds_of(*since);
  if (!when || !seconds) return damaged("its time cannot be read");
  Event event;
  event.seq = *number;
  event.at = *when;
  event.since_start = base::Duration(std::llround(*seconds * 1e6) * 1000);
  event.type = *kind->text();
  event.data = *data;
  return event;
}

}  // namespace failover::event
