// The part of the binder that looks at what a `foreach` runs over.
#include <algorithm>
#include <utility>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

// What only some of them have may be asked for with has(): the others have it as something that may not be there. So it
// is with what is in their fields.
std::vector<base::Type> widened(const std::vector<base::Type>& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) {
    for (const auto& field : kind.fields()) {
      if (std::find(names.begin(), names.end(), field.name) == names.end()) names.push_back(field.name);
    }
  }
  std::vector<std::vector<base::Type::Field>> fields(kinds.size());
  for (const auto& name : names) {
    std::vector<std::size_t> have;
    std::vector<base::Type> types;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const base::Type* type = kinds[i].field(name);
      if (type == nullptr) {
        fields[i].push_back({name, base::Type().or_null()});
      } else {
        have.push_back(i);
        types.push_back(*type);
      }
    }
    types = widened(types);
    for (std::size_t i = 0; i < have.size(); ++i) fields[have[i]].push_back({name, types[i]});
  }
  std::vector<base::Type> out = kinds;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i].kind() == base::Type::Kind::object) out[i] = base::Type::object(std::move(fields[i]));
  }
  return out;
}

}  // namespace

// Elements of several kinds. What a type shows to be wrong is said best of the type: the elements themselves come after
// their types.
bool Binder::several(const scenario::Step& written, const Place& place, const base::Type& element,
                     const std::vector<base::Type>& kinds, Step& step) {
  constexpr std::size_t kMostKinds = 8;
  std::vector<base::Value> elements;
  const bool all = foreknown_.all_elements;
  if (kinds.size() > 1) {
    std::swap(elements, foreknown_.elements);
    foreknown_.all_elements = false;
  }
  const std::size_t errors = shared_.diagnostics.errors();
  const Absence before = gone_;
  const bool fine = body(written, place, step);
  // Not within itself: nested ones would multiply.
  if (!fine || shared_.trying || shared_.diagnostics.errors() != errors) return fine;
  const Absence after = std::exchange(gone_, before);  // each trial begins as the first did
  shared_.trying = true;
  const std::vector<base::Type> wide = widened(kinds);
  bool wrong = false;
  for (std::size_t i = 0; i < std::min(wide.size(), kMostKinds) && !wrong; ++i) {
    if (all) {
      foreknown_.tried.emplace();
      std::copy_if(elements.begin(), elements.end(), std::back_inserter(*foreknown_.tried),
                   [&](const auto& value) { return kinds[i].holds(value); });
      if (foreknown_.tried->empty()) foreknown_.tried.reset();
    }
    gone_ = before;
    wrong = again(written, place, wide[i], kinds[i]);
    foreknown_.tried.reset();
  }
  if (!wrong && !elements.empty()) {
    std::swap(elements, foreknown_.elements);
    foreknown_.all_elements = all;
    gone_ = before;
    again(written, place, element, element);
  }
  shared_.trying = false;
  gone_ = after;
  return fine;
}

// The body once more, for elements of this type, after it was right for any. What is wrong only with them is said; true
// when something was. `shown` is the type as it was written.
bool Binder::again(const scenario::Step& written, const Place& place, const base::Type& element,
                   const base::Type& shown) {
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
    if (shown.kind() != base::Type::Kind::any) {
      hint =
          "so it is for an element of type " + base::printable(shown.name(), 200) + (hint.empty() ? "" : "; " + hint);
    }
    shared_.diagnostics.error(one.file, one.span, one.code, one.message, hint);
  }
  return tried.errors() > 0;
}

// In a trial of one type of element: is a value of this type computed for each of them? What types alone would refuse
// (`each.p != null ? string(each.p) : ''`) is right then.
bool Binder::computes_for_all(const scenario::Given& given, const base::Type& type) const {
  if (!foreknown_.tried || foreknown_.tried->empty() || !reads_each(given)) return false;
  return std::all_of(foreknown_.tried->begin(), foreknown_.tried->end(), [&](const auto& element) {
    const auto value = computed(given, before(&element));
    return value && *value && type.holds(**value);
  });
}

bool Binder::computes_for_all(const scenario::Condition& condition) const {
  if (!foreknown_.tried || foreknown_.tried->empty() || !reads_each(condition.expression)) return false;
  return std::all_of(foreknown_.tried->begin(), foreknown_.tried->end(), [&](const auto& element) {
    const auto value = computed(condition.expression, before(&element));
    return value && *value && (*value)->template is<bool>();
  });
}

// What a check has found; of what `computes` all the same, names that are nowhere.
void Binder::settle(const source::Diagnostics& found, bool computes) {
  if (!computes) return shared_.diagnostics.append(found);
  for (const auto& one : found.sorted()) {
    if (one.code == "unknown-field") shared_.diagnostics.error(one.file, one.span, one.code, one.message, one.hint);
  }
}

base::Type Binder::element_of(const scenario::Step& written, const Place& place, std::vector<base::Type>& kinds) {
  const expr::Scope scope = names_.scope(place.guards, nullptr, {place.section});
  const std::size_t before = shared_.diagnostics.errors();
  scenario::check(home_.file(), *written.foreach, scope, shared_.diagnostics);
  names_.note(*written.foreach);
  meant(*written.foreach);
  secrets(*written.foreach, "`foreach`");
  if (shared_.diagnostics.errors() != before) return {};
  base::Type element = type_of(*written.foreach, scope).element();
  constexpr std::size_t kMostSeen = 64;
  if (element.kind() == base::Type::Kind::any) {
    for (const auto& item : written.foreach->items) {
      base::Type kind = type_of(item, scope);
      const bool seen = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
      if (!seen && kinds.size() < kMostSeen) kinds.push_back(std::move(kind));
    }
  }
  return element;
}

// What `each` will be, as far as it is known.
void Binder::foresee_elements(const scenario::Given& list) {
  constexpr std::size_t kMostElements = 256;
  std::vector<base::Value> out;
  bool complete = false;
  const auto add = [&](const base::Value& value) {
    if (out.size() < kMostElements) out.push_back(value);
  };
  foresee(list, "foreach", [&](const base::Value& value) {
    const auto* all = value.list();
    if (all == nullptr) return;
    std::for_each(all->begin(), all->end(), add);
    complete = !reads_each(list) && all->size() <= kMostElements;
  });
  if (out.empty() && !reads_each(list)) {
    for (const auto& item : list.items) {  // some of a list may be known
      if (auto value = known(item, before())) add(*value);
    }
  }
  foreknown_.elements = std::move(out);
  foreknown_.all_elements = complete;
}

// How many elements a list has that is written out, or computed from what is known.
std::optional<std::size_t> Binder::length_of(const scenario::Given& list) const {
  if (list.kind == scenario::Given::Kind::list && !list.partial) return list.items.size();
  const auto value = reads_each(list) ? std::nullopt : known(list, before());
  const auto* all = value ? value->list() : nullptr;
  return all == nullptr ? std::nullopt : std::optional(all->size());
}

}  // namespace failover::plan
