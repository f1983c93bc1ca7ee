// The way to Vast and back, inside the client: one request at a time, the spacing that each endpoint demands
// (references/vastai-api.md 10), what may be repeated and what an answer means (1, 3.3, 6). Not for steps.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/json_tree.h"
#include "engine/plugin/context.h"
#include "steps/client/turns.h"
#include "steps/client/vast.h"

namespace failover::client::vast {

using Json = base::JsonNode;     // what is read
using Written = nlohmann::json;  // what is sent

// At most `calls` requests of one endpoint within `window`; the service's figure with a margin of a fifth.
struct Lane {
  const char* name;
  base::Duration window;
  std::size_t calls = 1;
  bool shared = false;  // with the other processes of this machine: Turns
};
namespace lane {
using namespace std::chrono_literals;
inline constexpr Lane search{"POST bundles", 66s, 10};
inline constexpr Lane create{"PUT asks", 5400ms, 1, true};
inline constexpr Lane destroy{"DELETE instance", 3600ms};
inline constexpr Lane destroy_all{"DELETE instances", 3600ms};
inline constexpr Lane show{"GET instance", 2400ms};
inline constexpr Lane list{"GET instances", 1200ms};
inline constexpr Lane manage{"PUT instance", 1200ms};
inline constexpr Lane attach{"POST instance ssh", 1200ms};
inline constexpr Lane keys_of{"GET instance ssh", 1200ms};
inline constexpr Lane detach{"DELETE instance ssh", 2400ms};
inline constexpr Lane add_key{"POST ssh", 1200ms};
inline constexpr Lane keys{"GET ssh", 1200ms};
inline constexpr Lane delete_key{"DELETE ssh", 1200ms};
inline constexpr Lane user{"GET user", 1200ms};
inline constexpr Lane charges{"GET charges", 1200ms};
inline constexpr Lane names{"GET gpu_names", 1200ms};
}  // namespace lane

struct Call {
  const Lane& lane;
  const char* method;
  std::string path;     // with its trailing slash and its query
  Written body{};       // null: none
  bool reads = true;    // a lost answer leaves nothing unknown
  bool urgent = false;  // does not wait for the answers of others
};

// The whole request, as it is sent but for its headers: `PUT /api/v0/asks/1/`, a line break, the body.
std::string text_of(const Call& call);
std::string body_of(const Call& call);

struct Answer {
  int status = 0;
  Json body;         // discarded when it is not JSON
  std::string text;  // as it came
  std::optional<base::Duration> retry_after{};
  std::shared_ptr<const base::JsonTree> tree{};  // that body is a place of

  // The member as text, empty when it is none.
  [[nodiscard]] std::string text_of(const char* member) const;
  // `error`, `msg`, `message` and `detail` in one, for people; safe to print.
  [[nodiscard]] std::string complaint() const;
  // 2xx, an object or array, and not `success:false`.
  [[nodiscard]] bool good() const;
};

// Why an answer that is not good is not: auth before everything else, since 404 is auth with `auth_error`.
base::Error error_of(const Answer& answer, const std::string& what);

// Numbers and texts of a JSON object, whatever kind the service made of them; the fallback for null and absent.
std::int64_t integer_of(const Json& object, const char* member, std::int64_t fallback = 0);
double number_of(const Json& object, const char* member, double fallback = 0);
std::string text_of(const Json& object, const char* member);

class Wire {
 public:
  Wire(VastAccount account, Http& http, Http& urgent)
      : account_(std::move(account)), http_(&http), urgent_(&urgent), turns_(account_.turns) {}

  // The right to send one request of a lane now: nobody else sends while it is held.
  class Slot {
   public:
    Slot(Wire& wire, bool urgent) : wire_(&wire), urgent_(urgent) {}
    Slot(Slot&& other) noexcept : wire_(std::exchange(other.wire_, nullptr)), urgent_(other.urgent_) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (wire_ != nullptr) wire_->end_turn(urgent_);
    }

   private:
    Wire* wire_;
    bool urgent_;
  };
  // Waits for the lane's spacing and for its turn, until both have come; then the lane counts as used. Error: timeout,
  // cancelled; rate_limited when the wait is longer than the patience.
  base::Result<Slot> slot(const Lane& lane, bool urgent, const plugin::Context& context);
  // One request, never repeated. Errors are Http's.
  base::Result<Answer> once(const Call& call, Slot slot, const plugin::Context& context);
  // A request that may be repeated: after 429 as the service asks, a few times after 5xx, lost connections and
  // malformed answers. The good answer, or error_of() the last bad one.
  base::Result<Answer> ask(const Call& call, const std::string& what, const plugin::Context& context);
  // The same, but an answer in which the service says no is an answer: only auth, rate_limited, unavailable and what is
  // not readable are errors.
  base::Result<Answer> ask_openly(const Call& call, const std::string& what, const plugin::Context& context);
  [[nodiscard]] const std::string& url() const { return account_.url; }
  // Error{auth} when there is no key at all.
  [[nodiscard]] base::Result<void> has_key() const;
  // The service's clock, from the Date of its last answer; nullopt before the first.
  [[nodiscard]] std::optional<base::WallTime> service_time(const base::Clock& clock) const;

 private:
  // How long the lane and the turn are away; zero: both are taken now. Those that queue up, and the urgent ones among
  // themselves.
  base::Duration try_slot(const Lane& lane, bool urgent, base::Instant now);
  void end_turn(bool urgent);
  // The slot is used now: what came between it and the sending (a journal's sync) is no part of the interval.
  void use_slot(const Lane& lane, base::Instant now);
  void heard(const HttpResponse& response, const base::Clock& clock);
  base::Duration pause_after(const Answer& answer, const Lane& lane, int tries);
  double jitter();

  VastAccount account_;
  Http* http_;
  Http* urgent_;
  mutable std::mutex mutex_;
  bool busy_ = false;
  bool urgent_busy_ = false;
  std::optional<std::pair<base::WallTime, base::Instant>> heard_;
  std::uint64_t noise_ = 0x9e3779b97f4a7c15u;
  std::map<std::string, std::deque<base::Instant>> sent_;
  Turns turns_;
};

}  // namespace failover::client::vast
