// The part of the binder that goes into fragments: their inputs, their steps, and whose mistake it is.
#include <algorithm>
#include <filesystem>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

bool same_place(const source::Diagnostic& a, const source::Diagnostic& b) {
  return a.file->name() == b.file->name() && a.span == b.span;
}

// The errors of `found` at places that `own` says nothing about.
std::vector<source::Diagnostic> beyond(const std::vector<source::Diagnostic>& own, const source::Diagnostics& found) {
  std::vector<source::Diagnostic> out;
  for (auto& one : found.sorted()) {
    if (one.severity != source::Severity::error) continue;
    const auto again = [&](const auto& other) { return same_place(one, other); };
    if (std::none_of(own.begin(), own.end(), again)) out.push_back(std::move(one));
  }
  return out;
}

// The value, or the expression that is all of it.
source::Span place_of(const source::File& file, const scenario::Given& value) {
  if (value.kind != scenario::Given::Kind::expression || !value.text.single()) return value.node->span;
  const auto& piece = value.text.pieces.front();
  return source::locate(file, *value.node, piece.begin, piece.end);
}

}  // namespace

const Binder::Files::Known& Binder::Files::fragment(const std::string& path) {
  const auto at = known.find(path);
  if (at != known.end()) return at->second;
  Known fresh{nullptr, "fragments cannot be read here"};
  if (read) fresh.fragment = read(path, diagnostics, fresh.why);
  if (fresh.fragment != nullptr) fresh.why.clear();
  return known.emplace(path, std::move(fresh)).first->second;
}

bool Binder::composite(const scenario::Step& written, const Place& place, const expr::Scope& scope, Step& step) {
  step.shape = Step::Shape::composite;
  const std::string path =
      (std::filesystem::path(home_.file()->name()).parent_path() / written.uses->value).lexically_normal().string();
  auto& open = shared_.open;
  if (std::find(open.begin(), open.end(), path) != open.end()) {
    open.push_back(path);
    error(written.uses->span, "fragment-cycle", "the fragment uses itself: " + base::join(open, " -> "),
          "a fragment cannot lead back to itself");
    open.pop_back();
    return false;
  }
  constexpr std::size_t kDeepestFragment = 8;
  if (open.size() > kDeepestFragment) {
    error(written.uses->span, "fragments-too-deep", "fragments are nested more than 8 deep", "flatten them");
    return false;
  }
  if (shared_.files.steps_left == 0) {
    error(written.uses->span, "fragments-too-deep", "fragments within fragments make more than 50,000 steps of this",
          "use fewer of them, or a `foreach`");
    return false;
  }
  // Fragments multiply their mistakes as well as their steps; enough has been said by then.
  constexpr std::size_t kMostMistakes = 5'000;
  if (open.size() > 1 && shared_.diagnostics.errors() > kMostMistakes) return false;
  const Files::Known& read = shared_.files.fragment(path);
  if (!read.why.empty()) {
    const std::filesystem::path file(written.uses->value);
    const bool other = (file.extension() == ".yml" || file.extension().empty()) && file.has_filename();
    error(written.uses->span, "no-such-fragment", read.why,
          "paths are relative to the file that says them" +
              (other ? "; is it `" +
                           base::printable(written.uses->value.substr(0, written.uses->value.rfind(".yml")), 80) +
                           ".yaml`?"
                     : ""));
  }
  step.fragment = read.fragment;
  if (step.fragment == nullptr) return false;
  const std::size_t errors = shared_.diagnostics.errors();
  const Arguments given = arguments(written, scope, step);
  open.push_back(path);
  if (given.blank()) {
    inside(place, given, shared_, step);
  } else {
    blame(written, place, given, step);
  }
  Left left = left_;
  if (shared_.diagnostics.errors() == errors) by_elements(written, place, given, step);
  open.pop_back();
  // Out here this step has done it.
  for (auto& [id, how] : left.gone) {
    const auto before = gone_.find(id);
    if (before == gone_.end() || before->second.halted != how.halted) how.by = step.named ? step.id : std::string();
  }
  gone_ = left.gone;
  left_ = std::move(left);
  for (const auto& variable : step.fragment->env) {
    const auto* declared = home_.variable(variable.name.value);
    if (declared == nullptr) {
      error(written.uses->span, "undeclared-env",
            "the fragment reads the environment variable `" + variable.name.value + "`, which is not declared here",
            "add it to the file's `env: [" + variable.name.value + "]`");
    } else if (variable.secret && !declared->secret) {
      // Nothing would keep it out of what this file does with it.
      error(declared->name.span, "secret-leak",
            "`" + variable.name.value + "` is a secret of " + written.uses->value + ", and not here",
            "declare it as one here too: `env: {" + variable.name.value + ": {secret: true}}`");
    }
  }
  return true;
}

Binder::Arguments Binder::Arguments::only(const std::string& name) const {
  Arguments out{names};
  if (const auto type = types.find(name); type != types.end()) out.types.insert(*type);
  if (const auto value = values.find(name); value != values.end()) out.values.insert(*value);
  if (const auto thing = things.find(name); thing != things.end()) out.things.insert(*thing);
  if (said.count(name) > 0) out.said.insert(name);
  return out;
}

// The fragment's own steps, with its inputs as they are given.
void Binder::inside(const Place& place, Arguments given, Shared& shared, Step& step) {
  auto& left = shared.files.steps_left;
  left -= std::min(left, step.fragment->steps.size());
  auto inputs = std::move(given.values);
  for (const auto& input : step.fragment->inputs) {
    if (input.fallback && given.names.count(input.name.value) == 0) inputs.emplace(input.name.value, *input.fallback);
  }
  Binder inner(*step.fragment, shared, std::move(inputs), std::move(given.types));
  inner.prefix_ = prefix_ + step.id + "/";
  inner.things_ = std::move(given.things);
  inner.said_ = std::move(given.said);
  inner.gone_ = gone_;
  inner.steps(step.fragment->steps, {place.section, place.phase, {}}, step.steps);
  step.outputs = inner.outputs();
  left_ = {std::move(inner.gone_), {}};
  for (const auto& output : step.fragment->outputs) {
    if (output.value.node == nullptr) continue;
    if (auto named = inner.named_by(output.value); !named.empty())
      left_.things.emplace(output.name.value, std::move(named));
  }
  inner.unused_inputs();
  inner.unread_outputs(step.steps);
}

// What is wrong in the fragment with this.
source::Diagnostics Binder::tried(const Place& place, Arguments given, bool blame, Step& step) {
  source::Diagnostics out;
  Shared apart{shared_.registry, out, shared_.files, shared_.open, blame, shared_.trying, shared_.may_fail};
  inside(place, std::move(given), apart, step);
  return out;
}

// Like inside(). A mistake that is there only with what is given is the caller's: it is placed at his value,
// and what the fragment does with it is told in the hint.
void Binder::blame(const scenario::Step& written, const Place& place, const Arguments& given, Step& step) {
  const source::Diagnostics found = tried(place, given, false, step);
  if (found.errors() == 0 || !shared_.blame) return shared_.diagnostics.append(found);
  const Left left = left_;
  whose(written, place, given, found, step);
  left_ = left;
}

// The mistakes of `found`, each at the value that is to blame for it.
void Binder::whose(const scenario::Step& written, const Place& place, const Arguments& given,
                   const source::Diagnostics& found, const Step& step) {
  Step scratch;
  scratch.id = step.id;
  scratch.fragment = step.fragment;
  const auto again = [&](Arguments only, bool blame) {
    scratch.steps.clear();
    return tried(place, std::move(only), blame, scratch);
  };
  const auto own = again({given.names}, false).sorted();
  shared_.diagnostics.append(again({given.names}, true));
  std::vector<source::Diagnostic> open = beyond(own, found);
  if (open.empty()) return;
  constexpr std::size_t kMostTried = 16;
  std::size_t tries = 0;
  const bool several = given.types.size() + given.values.size() + given.things.size() + given.said.size() > 1;
  for (const auto& [input, value] : step.arguments) {
    const Arguments only = given.only(input->name.value);
    if (only.blank()) continue;
    std::vector<source::Diagnostic> by_it = open;
    if (several) {
      if (++tries > kMostTried) break;
      by_it = beyond(own, again(only, false));
      if (by_it.empty()) continue;
      open.erase(std::remove_if(open.begin(), open.end(),
                                [&](const auto& one) {
                                  return std::any_of(by_it.begin(), by_it.end(),
                                                     [&](const auto& other) { return same_place(one, other); });
                                }),
                 open.end());
    } else {
      open.clear();
    }
    report(place_of(*home_.file(), value), "`" + input->name.value + "` does not fit " + written.uses->value, by_it);
  }
  if (!open.empty()) report(written.with_key, "these values do not fit together in " + written.uses->value, open);
}

// The same within a budget of its own; nothing when that is used up.
source::Diagnostics Binder::tried_apart(const Place& place, const Arguments& given, Step& scratch) {
  auto& files = shared_.files;
  if (files.trials_left == 0) return {};
  scratch.steps.clear();
  const std::size_t left = files.steps_left;
  shared_.trying = true;
  source::Diagnostics found = tried(place, given, false, scratch);
  shared_.trying = false;
  files.trials_left -= std::min(files.trials_left, left - files.steps_left);
  files.steps_left = left;
  return found;
}

// With what is given for one element after the other, until something is wrong.
void Binder::by_elements(const scenario::Step& written, const Place& place, const Arguments& given, const Step& step) {
  const auto& all = step.arguments;
  if (shared_.trying || std::none_of(all.begin(), all.end(), [](const auto& one) { return reads_each(one.second); }))
    return;
  Step scratch;
  scratch.fragment = step.fragment;
  cases(true, [&](const Before& here) {
    std::vector<std::pair<const scenario::Given*, Arguments>> alone;
    Arguments together = given;
    for (const auto& [input, value] : all) {
      const auto found = reads_each(value) ? known(value, here) : std::nullopt;
      if (!found) continue;
      const auto fits = scenario::check_input(*input, *found);
      if (!fits) continue;  // said
      together.values.insert_or_assign(input->name.value, *fits);
      alone.emplace_back(&value, given).second.values.insert_or_assign(input->name.value, *fits);
    }
    const auto tell = [&](const scenario::Given& value, const Arguments& arguments) {
      const auto found = tried_apart(place, arguments, scratch);
      if (found.errors() == 0) return false;
      report(place_of(*home_.file(), value), "this element does not fit " + written.uses->value, beyond({}, found));
      return true;
    };
    if (alone.empty() || tried_apart(place, together, scratch).errors() == 0) return;
    const bool told = alone.size() > 1 && std::any_of(alone.begin(), alone.end(),
                                                      [&](const auto& one) { return tell(*one.first, one.second); });
    if (!told) tell(*alone.front().first, together);
  });
}

// One finding for what may be wrong at many places of a fragment.
void Binder::report(source::Span span, const std::string& what, const std::vector<source::Diagnostic>& inside) {
  const source::Diagnostic& first = inside.front();
  const auto place = first.file->place(first.span.begin);
  std::string hint = first.hint.empty() ? "" : first.hint + "; ";
  hint += "used at " + first.file->name() + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  if (inside.size() > 1) {
    hint += " and at " + std::to_string(inside.size() - 1) + (inside.size() > 2 ? " more places" : " more place");
  }
  error(span, "wrong-type", what + ": " + first.message, hint);
}

// The inputs of a fragment, as `with` gives them.
Binder::Arguments Binder::arguments(const scenario::Step& written, const expr::Scope& scope, Step& step) {
  Arguments out;
  std::set<std::string> seen;
  std::vector<std::string> legal;
  for (const auto& input : step.fragment->inputs) legal.push_back(input.name.value);
  if (written.with != nullptr) {
    for (const auto& entry : written.with->entries) {
      const auto* input = step.fragment->input(entry.key);
      if (input == nullptr) {
        error(entry.key_span, "unknown-field",
              "no input `" + base::printable(entry.key, 80) + "` in " + written.uses->value,
              nearest_hint(entry.key, legal, "it has: "));
        if (const auto meant = base::nearest(entry.key, legal)) seen.insert(*meant);
        continue;
      }
      seen.insert(entry.key);
      out.names.insert(entry.key);
      auto given = scenario::read_value(home_.file(), entry.value, input->type(), shared_.diagnostics);
      if (!given) continue;
      const std::size_t before = shared_.diagnostics.errors();
      scenario::check(home_.file(), *given, scope, shared_.diagnostics);
      names_.note(*given);
      meant(*given);
      secrets(*given, "an input of a fragment");
      if (shared_.diagnostics.errors() == before) {
        base::Type type = type_of(*given, scope);
        // An id goes on being one of what it is.
        const bool of_something = type.identifies() != nullptr && input->type().accepts(type);
        if (input->kind == scenario::InputKind::any || of_something)
          out.types.insert_or_assign(entry.key, std::move(type));
        if (auto named = named_by(*given); !named.empty()) out.things.insert_or_assign(entry.key, std::move(named));
        if (said_by_others(*given)) out.said.insert(entry.key);
      }
      if (given->node != nullptr && shared_.diagnostics.errors() == before) {
        foresee(*given, entry.key, [&](const base::Value& value) {
          const auto fits = scenario::check_input(*input, value);
          if (!fits) return error(given->node->span, "bad-value", fits.error().message, fits.error().hint);
          if (looked_at_.value == nullptr) out.values.insert_or_assign(entry.key, *fits);
        });
      }
      step.arguments.emplace_back(input, *std::move(given));
    }
  }
  for (const auto& input : step.fragment->inputs) {
    const bool astray = written.with_unread || (written.strays && written.strays->count(input.name.value) > 0);
    if (input.fallback || astray || seen.count(input.name.value) > 0) continue;
    error(written.missing_field_place(), "missing-field",
          written.uses->value + " needs `" + input.name.value + "` (" + input.type().name() + ")", input.description);
  }
  return out;
}

}  // namespace failover::plan
