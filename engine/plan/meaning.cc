#include "engine/plan/meaning.h"

#include <algorithm>

namespace failover::plan {
namespace {

// Of the longest name first.
template <class T>
const T* find(const std::map<std::string, T>& all, const expr::Path& path) {
  std::string name;
  const T* found = nullptr;
  for (std::size_t i = 0; i < std::min<std::size_t>(path.parts.size(), 3); ++i) {
    name += (i > 0 ? "." : "") + path.parts[i].name;
    if (const auto at = all.find(name); at != all.end()) found = &at->second;
  }
  return found;
}

}  // namespace

bool names_one(const scenario::Given& given) {
  if (given.kind != scenario::Given::Kind::expression || !given.text.single()) return false;
  const auto& expression = given.text.pieces.front().expression;
  if (expression.empty() || expr::references(expression).size() != 1) return false;
  const std::string& text = expression.text();
  const auto& path = expr::references(expression).front();
  const auto word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           c == '[' || c == ']' || c == ' ';
  };
  return text.find_first_not_of(' ') == path.begin &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(path.end), text.end(), word);
}

void Meaning::about(const Step& step) {
  for (const auto& [input, given] : step.with) {
    if (input->needs == plugin::Needs::nothing || !names_one(given)) continue;
    if (auto found = rentals(given); !found.empty()) {
      rentals_.insert_or_assign("steps." + step.id, std::move(found));
      return;
    }
  }
}

void Meaning::pass(const std::string& name, const scenario::Given& given, const Meaning& from) {
  if (auto found = from.rentals(given); names_one(given) && !found.empty()) rentals_[name] = std::move(found);
  if (auto found = from.quote(given)) quotes_.insert_or_assign(name, *std::move(found));
}

void Meaning::enter_round(const scenario::Given& element) {
  auto meant = rentals(element);
  rentals_.erase("each");
  if (!meant.empty()) rentals_.emplace("each", std::move(meant));
}

void Meaning::leave_round(const Meaning& around) {
  rentals_.erase("each");
  if (const auto at = around.rentals_.find("each"); at != around.rentals_.end()) rentals_.insert(*at);
}

Meaning Meaning::inside(const Step& composite) const {
  Meaning out;
  for (const auto& [input, given] : composite.arguments) out.pass("inputs." + input->name.value, given, *this);
  return out;
}

void Meaning::outputs_of(const Step& composite, const Meaning& inner) {
  for (const auto& output : composite.fragment->outputs) {
    pass("steps." + composite.id + "." + output.name.value, output.value, inner);
  }
}

std::vector<std::size_t> Meaning::rentals(const scenario::Given& given) const {
  std::vector<std::size_t> out;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    if (const auto* found = find(rentals_, reference.path)) out.insert(out.end(), found->begin(), found->end());
  });
  return out;
}

std::optional<Quote> Meaning::quote(const scenario::Given& given) const {
  std::optional<Quote> out;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    if (const auto* found = out ? nullptr : find(quotes_, reference.path)) out = *found;
  });
  return out;
}

}  // namespace failover::plan
