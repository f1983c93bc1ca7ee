#include "engine/expr/difference.h"

#include <algorithm>
#include <vector>

#include "engine/base/text.h"
#include "engine/expr/operations.h"
#include "engine/expr/show.h"

namespace failover::expr {
namespace {

using base::Value;

constexpr std::size_t kShownValue = 80;  // bytes of one side of a line
constexpr std::size_t kShownLine = 120;  // bytes of a text's line
constexpr std::size_t kShownPath = 100;
constexpr std::size_t kTextLines = 4;  // pairs of lines of one text
constexpr std::int64_t kMostWork = 1'000'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t at = text.find('\n');
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

// The first byte that differs, moved to the beginning of its character.
std::size_t first_difference(std::string_view a, std::string_view b) {
  const auto length = std::min(a.size(), b.size());
  auto at = static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(length), b.begin()).first - a.begin());
  while (at > 0 && at < length && (static_cast<unsigned char>(a[at]) & 0xC0U) == 0x80U) --at;
  return at;
}

class Differ {
 public:
  std::string take() {
    if (more_) lines_.back() = "... and more";
    return base::join(lines_, "\n");
  }

  void compare(const Value& left, const Value& right) {
    if (full() || equal(left, right, budget_)) return;
    if (budget_.exhausted()) {
      line(here() + "too large to compare further");
      gave_up_ = true;
      return;
    }
    if (left.text() != nullptr && right.text() != nullptr) return texts(*left.text(), *right.text());
    if (left.is_list() && right.is_list()) return lists(*left.list(), *right.list());
    if (left.is_map() && right.is_map()) return maps(*left.map(), *right.map());
    const bool alike = kind_name(left) == kind_name(right);
    const auto side = [&](const Value& value) {
      return shown(value, kShownValue) + (alike ? "" : " (" + kind_name(value) + ")");
    };
    line(here() + side(left) + " != " + side(right));
  }

 private:
  [[nodiscard]] bool full() const { return more_ || gave_up_; }
  void line(std::string text) {
    if (lines_.size() < kMostDifferenceLines) {
      lines_.push_back(std::move(text));
    } else {
      more_ = true;
    }
  }
  // `files[3].size: `, or nothing for the values themselves.
  [[nodiscard]] std::string here() const {
    return path_.empty() ? std::string() : base::printable(path_, kShownPath) + ": ";
  }
  template <class Body>
  void under(const std::string& step, Body body) {
    const std::size_t before = path_.size();
    path_ += step;
    body();
    path_.resize(before);
  }
  void only(const char* side, const Value& value) {
    line(here() + "only on the " + side + ": " + shown(value, kShownValue));
  }

  void lists(const Value::List& left, const Value::List& right) {
    if (left.size() != right.size())
      line(here() + std::to_string(left.size()) + " items != " + std::to_string(right.size()) + " items");
    for (std::size_t i = 0; i < std::max(left.size(), right.size()) && !full(); ++i) {
      under("[" + std::to_string(i) + "]", [&] {
        if (i >= right.size()) return only("left", left[i]);
        if (i >= left.size()) return only("right", right[i]);
        compare(left[i], right[i]);
      });
    }
  }

  static std::string step_of(const std::string& key, bool first) {
    const bool word = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (!word) return "[" + shown_text(key, kShownValue) + "]";
    return (first ? "" : ".") + key;
  }

  // Both are sorted by key.
  void maps(const Value::Map& left, const Value::Map& right) {
    auto a = left.begin();
    auto b = right.begin();
    while ((a != left.end() || b != right.end()) && !full()) {
      const bool only_left = b == right.end() || (a != left.end() && a->first < b->first);
      const bool only_right = a == left.end() || (b != right.end() && b->first < a->first);
      under(step_of(only_right ? b->first : a->first, path_.empty()), [&] {
        if (only_left) return only("left", a->second);
        if (only_right) return only("right", b->second);
        compare(a->second, b->second);
      });
      if (!only_right) ++a;
      if (!only_left) ++b;
    }
  }

  void texts(const std::string& left, const std::string& right) {
    const bool several = left.find('\n') != std::string::npos || right.find('\n') != std::string::npos;
    if (!several && left.size() + right.size() <= kShownValue / 2)
      return line(here() + shown(Value(left), kShownValue) + " != " + shown(Value(right), kShownValue));
    const auto a = lines_of(left);
    const auto b = lines_of(right);
    std::size_t shown_lines = 0;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()) && !full(); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      if (shown_lines++ == kTextLines) return line(here() + "more lines differ");
      line(here() + (several ? "line " + std::to_string(i + 1) + ":" : "the texts differ:"));
      pair(i < a.size() ? &a[i] : nullptr, i < b.size() ? &b[i] : nullptr);
      // Lines that were put in or taken out shift all that follow: the first pair says where, the rest is noise.
      if (a.size() != b.size()) {
        return line(here() + std::to_string(a.size()) + " lines != " + std::to_string(b.size()) + " lines");
      }
    }
  }

  // One line of each side; long ones from a little before the place where they part.
  void pair(const std::string_view* left, const std::string_view* right) {
    std::size_t at = left != nullptr && right != nullptr ? first_difference(*left, *right) : 0;
    std::size_t from = 0;
    if (at > kShownLine / 2) {
      from = at - kShownLine / 4;
      const std::string_view text = *left;
      while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) --from;
    }
    const auto cut = [&](std::string_view text) {
      return (from > 0 ? "..." : "") + base::printable(text.substr(std::min(from, text.size())), kShownLine);
    };
    if (left != nullptr) line("  - " + cut(*left));
    if (right != nullptr) line("  + " + cut(*right));
    if (left == nullptr || right == nullptr) return;
    const std::string before = cut(left->substr(0, at));
    line("    " + std::string(base::utf8_length(before), ' ') + "^");
  }

  std::vector<std::string> lines_;
  bool more_ = false;     // than there is room for
  bool gave_up_ = false;  // the values are too large
  std::string path_;
  Budget budget_{kMostWork};
};

}  // namespace

std::string difference(const Value& left, const Value& right) {
  Differ differ;
  differ.compare(left, right);
  return differ.take();
}

}  // namespace failover::expr
