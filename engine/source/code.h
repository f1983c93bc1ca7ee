// The codes of diagnostics: stable words that people search for, filter by and look up. This list is all there is:
// a code that is not in it does not compile. What each one means stands in rules.h.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace failover::source {

// By name, so that finding one is quick. Never rename one: scripts hold on to them.
inline constexpr auto kCodes = std::to_array<std::string_view>({
    "already-gone",
    "always-true",
    "bad-bounds",
    "bad-default",
    "bad-key",
    "bad-literal",
    "bad-name",
    "bad-value",
    "blind-retry",
    "cannot-compute",
    "ceiling-above-limit",
    "conflicting-fields",
    "conflicting-keys",
    "control-character",
    "duplicate-env",
    "duplicate-id",
    "duplicate-key",
    "duplicate-mark",
    "empty-file",
    "empty-list",
    "expression-syntax",
    "fragment-cycle",
    "fragments-too-deep",
    "incomplete-reference",
    "keep-not-allowed",
    "key-does-not-fit",
    "later-step",
    "limit-below-best-case",
    "mark-may-be-missing",
    "marks-out-of-order",
    "may-be-skipped",
    "missing-field",
    "missing-key",
    "name-differs",
    "never-answered",
    "never-holds",
    "never-runs",
    "no-expression-here",
    "no-fields",
    "no-outputs-here",
    "no-overload",
    "no-such-fragment",
    "not-a-choice",
    "not-free",
    "not-supported",
    "not-there",
    "not-utf8",
    "nothing-undoes",
    "objective-without-mark",
    "objective-without-proof",
    "other-branch",
    "own-key",
    "rentals-above-limit",
    "rentals-may-exceed-limit",
    "rentals-not-counted",
    "repeated-key",
    "secret-leak",
    "seldom-meant",
    "several-documents",
    "timeout-above-limit",
    "too-deep",
    "too-large",
    "too-many-nodes",
    "too-small",
    "unclosed-bracket",
    "undeclared-env",
    "unknown-error",
    "unknown-field",
    "unknown-function",
    "unknown-input",
    "unknown-key",
    "unknown-mark",
    "unknown-name",
    "unknown-output",
    "unknown-step",
    "unknown-step-id",
    "unknown-type",
    "unquoted-expression",
    "unread-output",
    "unterminated-quote",
    "unused-input",
    "value-in-script",
    "wrong-type",
    "yaml-alias",
    "yaml-anchor",
    "yaml-merge-key",
    "yaml-syntax",
    "yaml-tab",
    "yaml-tag",
});
static_assert(std::is_sorted(kCodes.begin(), kCodes.end()));

// One of kCodes, written as a literal: `diagnostics.error(file, span, "unknown-output", ...)`. Default-constructed it
// is none, for places where nothing is said.
class Code {
 public:
  constexpr Code() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is meant to become one
  consteval Code(const char* literal) : name_(listed(literal)) {}

  [[nodiscard]] constexpr std::string_view name() const { return name_; }
  [[nodiscard]] constexpr bool empty() const { return name_.empty(); }
  friend std::string operator+(std::string left, Code right) { return std::move(left.append(right.name_)); }
  friend constexpr bool operator==(Code a, Code b) { return a.name_ == b.name_; }
  friend constexpr bool operator==(Code a, std::string_view b) { return a.name_ == b; }
  friend constexpr bool operator==(Code a, const char* b) { return a.name_ == b; }
  friend constexpr auto operator<=>(Code a, Code b) { return a.name_ <=> b.name_; }

 private:
  static consteval std::string_view listed(std::string_view literal) {
    const auto at = std::lower_bound(kCodes.begin(), kCodes.end(), literal);
    if (at == kCodes.end() || *at != literal) throw "this code is not in kCodes";  // a compile error
    return *at;
  }
  std::string_view name_;
};

}  // namespace failover::source
