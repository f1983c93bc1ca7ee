// The part of the binder that looks at what a `foreach` runs over.
#include <algorithm>

#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

// What only some of them have may be asked for with has(): the others have it as something that may not be there.
void widen(std::vector<base::Type>& kinds) {
  std::vector<base::Type::Field> all;
  for (const auto& kind : kinds) {
    for (const auto& field : kind.fields()) {
      const bool known = std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == field.name; });
      if (!known) all.push_back({field.name, base::Type().or_null()});
    }
  }
  for (auto& kind : kinds) {
    if (kind.kind() != base::Type::Kind::object) continue;
    auto fields = kind.fields();
    for (const auto& one : all) {
      if (kind.field(one.name) == nullptr) fields.push_back(one);
    }
    kind = base::Type::object(std::move(fields));
  }
}

}  // namespace

// Elements of several kinds. What a type shows to be wrong is said best of the type: the elements themselves come after
// their types.
bool Binder::several(const scenario::Step& written, const Place& place, const base::Type& element,
                     const std::vector<base::Type>& kinds, Step& step) {
  std::vector<base::Value> elements;
  if (kinds.size() > 1) std::swap(elements, foreknown_.elements);
  const std::size_t errors = shared_.diagnostics.errors();
  const bool fine = body(written, place, step);
  // Not within itself: nested ones would multiply.
  if (!fine || shared_.trying || shared_.diagnostics.errors() != errors) return fine;
  shared_.trying = true;
  const bool wrong =
      std::any_of(kinds.begin(), kinds.end(), [&](const auto& kind) { return again(written, place, kind); });
  if (!wrong && !elements.empty()) {
    std::swap(elements, foreknown_.elements);
    again(written, place, element);
  }
  shared_.trying = false;
  return fine;
}

// The body once more, for elements of this type, after it was right for any. What is wrong only with them is said; true
// when something was.
bool Binder::again(const scenario::Step& written, const Place& place, const base::Type& element) {
  source::Diagnostics tried;
  std::swap(tried, shared_.diagnostics);
  const base::Type* any = names_.each(&element);
  const int count = count_;
  Step scratch;
  scratch.written = &written;
  scratch.home = &home_;
  (void)body(written, place, scratch);
  count_ = count;
  names_.each(any);
  std::swap(tried, shared_.diagnostics);
  for (const auto& one : tried.sorted()) {
    if (one.severity != source::Severity::error) continue;
    std::string hint = one.hint;
    if (element.kind() != base::Type::Kind::any) {
      hint = "so it is for an element of type " + element.name() + (hint.empty() ? "" : "; " + hint);
    }
    shared_.diagnostics.error(one.file, one.span, one.code, one.message, hint);
  }
  return tried.errors() > 0;
}

base::Type Binder::element_of(const scenario::Step& written, const Place& place, std::vector<base::Type>& kinds) {
  const expr::Scope scope = names_.scope(place.guards, nullptr, {place.section});
  const std::size_t before = shared_.diagnostics.errors();
  scenario::check(home_.file(), *written.foreach, scope, shared_.diagnostics);
  names_.note(*written.foreach);
  secrets(*written.foreach, "`foreach`");
  if (shared_.diagnostics.errors() != before) return {};
  base::Type element = type_of(*written.foreach, scope).element();
  constexpr std::size_t kMostKinds = 8;
  constexpr std::size_t kMostSeen = 64;
  if (element.kind() == base::Type::Kind::any) {
    for (const auto& item : written.foreach->items) {
      base::Type kind = type_of(item, scope);
      const bool seen = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
      if (!seen && kinds.size() < kMostSeen) kinds.push_back(std::move(kind));
    }
    widen(kinds);
    if (kinds.size() > kMostKinds) kinds.resize(kMostKinds);
  }
  return element;
}

// What `each` will be, as far as it is known.
std::vector<base::Value> Binder::elements_of(const scenario::Given& list) {
  constexpr std::size_t kMostElements = 256;
  std::vector<base::Value> out;
  const auto add = [&](const base::Value& value) {
    if (out.size() < kMostElements) out.push_back(value);
  };
  foresee(list, "foreach", [&](const base::Value& value) {
    if (const auto* all = value.list()) std::for_each(all->begin(), all->end(), add);
  });
  if (!out.empty() || reads_each(list)) return out;
  for (const auto& item : list.items) {  // some of a list may be known
    if (auto value = known(item, before())) add(*value);
  }
  return out;
}

// How many elements a list has that is written out.
std::optional<std::size_t> Binder::length_of(const scenario::Given& list) {
  if (list.kind == scenario::Given::Kind::list && !list.partial) return list.items.size();
  return std::nullopt;
}

}  // namespace failover::plan
