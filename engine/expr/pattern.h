// Regular expressions that are written out in an expression. Inside the room only.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace failover::expr {

// Compiled when it is first asked for: compiling takes longer than reading it, and large ones much longer.
class Pattern {
 public:
  explicit Pattern(std::string_view text) : text_(text) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  // Quiet, with bounded memory; may turn out not ok(). Several threads may ask at once.
  [[nodiscard]] const re2::RE2& compiled() const {
    (void)compile();
    return *compiled_;
  }
  // What it took, in instructions: 0 when it was compiled before; one that is not ok() took as much as may be.
  std::int64_t compile() const {
    constexpr std::int64_t kAtLeast = 50;
    constexpr std::int64_t kMost = 20'000;
    std::int64_t spent = 0;
    std::call_once(once_, [&] {
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(4 << 20);
      compiled_.emplace(text_, options);
      spent = kAtLeast + (compiled_->ok() ? compiled_->ProgramSize() : kMost);
    });
    return spent;
  }

 private:
  std::string text_;
  mutable std::once_flag once_;
  mutable std::optional<re2::RE2> compiled_;
};

}  // namespace failover::expr
