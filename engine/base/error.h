// What went wrong in the world, and the value-or-error that every doing returns.
//
// An Error is about a doing (a request, a command, a file operation). A mistake in a scenario file is a
// source::Diagnostic instead. Errors travel up by value; each level may add where it was with during().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace failover::base {

// The class of an error: what a scenario's `retry.errors` names and what the exit code follows from.
// The first eleven are the scenario language's own words; the others never appear in `retry.errors`.
enum class Fault {
  rate_limited,  // the provider asks for patience (429, SlowDown)
  unavailable,   // refused connection, DNS, 5xx that had no effect: nothing happened, later may work
  timeout,       // the step's or call's deadline passed
  unknown,       // a request was sent and its outcome is not known; never read as failed or as absent
  refused,       // the other side said no, in its documented form
  not_found,
  auth,
  no_credit,
  no_offer,
  host_key_changed,
  corrupt,    // bytes are not what they were
  no_space,   // a disk is full (the machine's or the runner's)
  cancelled,  // a stop was asked for
  assertion,  // an assertion, objective or default check did not hold
  invalid,    // a value of the operator or author that only the run could judge
  internal,   // a fault of this program
};

std::string_view to_string(Fault fault);
// The fault that a scenario's word names; only the eleven words of the language.
std::optional<Fault> retryable_fault(std::string_view word);
// The eleven words, in the language's order.
const std::vector<std::string_view>& retryable_fault_words();
// Why no scenario tries a step again after this: `a full disk stays full`. Empty for the eleven words, and for what is
// no fault.
std::string_view never_retried(std::string_view word);

// Where in a value that was looked at.
struct Spot {
  std::vector<std::string> path{};  // members by their names, elements by their numbers; empty: the whole
  bool name = false;                // the last one's own name, not what it stands for
};

struct Error {
  Fault fault = Fault::internal;
  std::string code{};                // stable and short: `no_such_ask`, `exit_status`, `connect`
  std::string message{};             // one line: what and where
  std::string hint{};                // one line: what to do about it; may be empty
  std::vector<std::string> trail{};  // what was being done, innermost first
  Spot at{};                         // of a value that was checked

  // Adds what was being done when the error arose.
  [[nodiscard]] Error during(std::string what) &&;
  // It is about this part of the value: a member, or an element by its number.
  [[nodiscard]] Error in(const std::string& part) &&;
  // It is about the name of this member.
  [[nodiscard]] Error in_name(const std::string& part) &&;
  // `message (while a, while b)`: one line for people.
  [[nodiscard]] std::string line() const;
};

// A T, or why there is none. Like std::expected, which g++ 12 does not have.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return state_.index() == 0; }
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return !error_.has_value(); }
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace failover::base
