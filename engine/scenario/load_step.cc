#include <algorithm>

#include "engine/base/text.h"
#include "engine/scenario/loader.h"

namespace failover::scenario {
namespace {

using base::Type;
using K = Type::Kind;

const std::vector<std::string>& step_keys() {
  static const std::vector<std::string> kKeys = {
      "id",    "name",    "uses",         "with",     "phase", "timeout", "retry", "when",       "assert", "until",
      "every", "foreach", "max_parallel", "branches", "wait",  "steps",   "marks", "on_failure", "keep",   "must_fail"};
  return kKeys;
}

}  // namespace

std::vector<Step> Loader::steps(const Entry* entry, const char* what) {
  std::vector<Step> out;
  if (entry == nullptr || !want_sequence(entry->value, what)) return out;
  if (entry->value.items.empty())
    error(entry->value.span, "empty-list", std::string(what) + " is empty", "a list of steps has at least one");
  out.reserve(entry->value.items.size());  // steps are large
  for (const auto& item : entry->value.items) {
    const bool word = item.is_plain() && item.text.size() < 60;
    if (want_mapping(item, "a step", "write `uses: " + (word ? item.text : "local.exec") + "`"))
      out.push_back(step(item));
  }
  return out;
}

Step Loader::step(const Node& node) {
  Step out;
  out.span = node.span;
  out.head = node.entries.empty() ? node.span : node.entries.front().key_span;
  if (auto strange = known_keys(node, step_keys(), "a step"); !strange.empty())
    out.strays = std::optional(std::move(strange));
  identity(node, out);
  shape(node, out);
  out.phase = text_at(node.find("phase"));
  out.timeout = time(node.find("timeout"));
  out.retry = retry(node.find("retry"));
  out.when = condition(node.find("when"));
  out.asserts = assertions(node.find("assert"));
  out.until = condition(node.find("until"));
  out.every = time(node.find("every"));
  if (node.find("every") != nullptr && node.find("until") == nullptr) {
    error(node.find("every")->key_span, "missing-key",
          "`every` says how often `until` is asked, and there is no `until`");
  }
  out.marks = marks(node.find("marks"));
  out.on_failure = steps(node.find("on_failure"), "`on_failure`");
  out.keep = time(node.find("keep"));
  out.must_fail = flag_at(node.find("must_fail"));
  fitting_keys(node, out);
  return out;
}

// What makes no sense for the kind of step it is.
void Loader::fitting_keys(const Node& node, const Step& step) {
  const auto refuse = [&](std::initializer_list<const char*> keys, const std::string& why, const std::string& hint) {
    for (const char* key : keys) {
      if (const Entry* entry = node.find(key)) {
        error(entry->key_span, "key-does-not-fit", "`" + std::string(key) + "` " + why, hint);
      }
    }
  };
  if (!step.uses && (node.find("steps") != nullptr || node.find("branches") != nullptr)) {
    refuse({"with", "retry", "keep", "until", "every", "assert"}, "does not belong to a group or to branches",
           "write it on the step inside that it is meant for");
  } else if (step.uses && is_fragment(step.uses->value)) {
    refuse({"retry", "keep"}, "does not belong to a fragment as a whole",
           "write it inside the fragment, on the step that it is meant for");
  }
  if (node.find("foreach") == nullptr) refuse({"max_parallel"}, "needs a `foreach`", "remove it");
  if (node.find("branches") == nullptr) refuse({"wait"}, "needs `branches`", "remove it");
}

void Loader::identity(const Node& node, Step& out) {
  out.name = text_at(node.find("name"));
  out.id = text_at(node.find("id"));
  if (!out.id) return;
  if (!want_name(out.id->value, out.id->span, "id")) {
    out.id.reset();
    return;
  }
  const auto [first, fresh] = ids_.emplace(out.id->value, out.id->span);
  if (fresh) return;
  const auto place = file_->place(first->second.begin);
  error(out.id->span, "duplicate-id", "the id `" + out.id->value + "` is taken",
        "first at line " + std::to_string(place.line));
  out.id.reset();
}

// Exactly one of uses, steps, branches.
void Loader::shape(const Node& node, Step& out) {
  std::vector<const Entry*> kinds;
  for (const char* key : {"uses", "steps", "branches"}) {
    if (const Entry* entry = node.find(key)) kinds.push_back(entry);
  }
  const bool meant =
      out.strays && (out.strays->count("uses") + out.strays->count("steps") + out.strays->count("branches")) > 0;
  const bool broken = node.broken || root_broken_;
  if (kinds.empty() && (broken || meant)) {
    // What is wrong with the mapping, or with the key that is meant, was said.
  } else if (kinds.empty()) {
    error(out.head, "missing-key", "the step does not say what it `uses`", "`failover steps` lists the step types");
  } else if (kinds.size() > 1) {
    error(kinds[1]->key_span, "conflicting-keys", "a step has one of `uses`, `steps` and `branches`, not several");
  }
  out.uses = text_at(node.find("uses"));
  out.shape = kinds.empty()                  ? out.head
              : kinds.front()->key == "uses" ? kinds.front()->value.span
                                             : kinds.front()->key_span;
  out.with_unread = broken;
  if (const Entry* with = node.find("with")) {
    out.with_key = with->key_span;
    if (want_mapping(with->value, "`with`")) out.with = &with->value;
    out.with_unread = broken || out.with == nullptr || with->value.broken;
  }
  if (node.find("steps") != nullptr) out.steps = steps(node.find("steps"), "`steps`");
  out.branches = branches(node.find("branches"));
  if (const Entry* each = node.find("foreach")) {
    auto list = value(each, Type::list_of({}));
    if (!list) {  // that it is no list was said: its elements may be anything
      list = Given{};
      list->kind = Given::Kind::list;
      list->type = Type::list_of({});
      list->node = &each->value;
      list->partial = true;
    }
    out.foreach = std::move(list);
  }
  if (out.foreach && out.foreach->kind == Given::Kind::list && out.foreach->items.empty() && !out.foreach->partial)
    error(out.foreach->node->span, "empty-list", "`foreach` has no elements: the step never runs",
          "give it a list with at least one");
  if (const auto most = value(node.find("max_parallel"), K::integer)) {
    const std::int64_t number = most->kind == Given::Kind::literal ? *most->literal.get<std::int64_t>() : 0;
    if (most->kind != Given::Kind::literal) {
      error(most->node->span, "no-expression-here", "an expression is not possible here", "write the number itself");
    } else if (number < 1) {
      error(most->node->span, "too-small", "`max_parallel` is at least 1");
    } else {
      out.max_parallel = std::optional(At<std::int64_t>{number, most->node->span, node.find("max_parallel")->key_span});
    }
  }
  if (const auto wait = text_at(node.find("wait"))) {
    if (wait->value == "first") {
      out.wait = Wait::first;
    } else if (wait->value != "all" && node.find("branches") != nullptr) {
      error(wait->span, "not-a-choice", "`" + base::printable(wait->value, 60) + "` is not one of its values",
            legal_names(wait->value, {"all", "first"}));
    }
  }
}

std::vector<Branch> Loader::branches(const Entry* entry) {
  std::vector<Branch> out;
  if (entry == nullptr || !want_mapping(entry->value, "`branches`")) return out;
  if (entry->value.entries.empty()) error(entry->value.span, "empty-list", "`branches` is empty", "name at least two");
  for (const auto& one : entry->value.entries) {
    (void)want_name(one.key, one.key_span, "name of a branch");
    out.push_back({{one.key, one.key_span, one.key_span}, steps(&one, "a branch")});
  }
  return out;
}

std::optional<Retry> Loader::retry(const Entry* entry) {
  if (entry == nullptr ||
      !want_mapping(entry->value, "`retry`", "as in `retry: { errors: [unavailable], attempts: 3 }`"))
    return std::nullopt;
  Retry out;
  out.key = entry->key_span;
  static const std::vector<std::string> kKeys = {"errors", "attempts", "delay", "backoff", "max_delay", "jitter"};
  for (const auto& one : entry->value.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), one.key) != kKeys.end()) continue;
    const bool on = one.key == "on" || one.key == "true";
    error(one.key_span, "unknown-key", "unknown key `" + base::printable(one.key, 60) + "` in `retry`",
          on ? "write `errors:`; YAML 1.1 readers turn `on` into a boolean" : legal_names(one.key, kKeys));
  }
  const Entry* errors = entry->value.find("errors");
  if (errors == nullptr && (entry->value.find("on") != nullptr || entry->value.find("true") != nullptr)) {
    // That `on` means `errors` was said above.
  } else if (errors == nullptr) {
    error(entry->key_span, "missing-key", "`retry` does not say after which `errors`",
          "as in `retry: { errors: [unavailable], attempts: 3 }`");
  } else {
    retry_errors(errors, out);
  }
  out.attempts = value(entry->value.find("attempts"), K::integer);
  out.delay = value(entry->value.find("delay"), K::duration);
  out.backoff = value(entry->value.find("backoff"), K::number);
  out.max_delay = time(entry->value.find("max_delay"));
  const auto at_least_one = [&](const std::optional<Given>& given, const char* key) {
    if (!given || given->kind != Given::Kind::literal) return;
    const auto* whole = given->literal.get<std::int64_t>();
    const auto* real = given->literal.get<double>();
    if ((whole != nullptr && *whole < 1) || (real != nullptr && *real < 1)) {
      error(given->node->span, "too-small", std::string("`") + key + "` is at least 1");
    }
  };
  at_least_one(out.attempts, "attempts");
  at_least_one(out.backoff, "backoff");
  if (const auto jitter = text_at(entry->value.find("jitter"))) {
    if (jitter->value == "full") {
      out.jitter = Jitter::full;
    } else if (jitter->value != "none") {
      error(jitter->span, "not-a-choice", "`" + base::printable(jitter->value, 60) + "` is not one of its values",
            legal_names(jitter->value, {"none", "full"}));
    }
  }
  return out;
}

void Loader::retry_errors(const Entry* entry, Retry& out) {
  if (!want_sequence(entry->value, "`errors`")) return;
  std::vector<std::string> words;
  for (const auto word : base::retryable_fault_words()) words.emplace_back(word);
  if (entry->value.items.empty())
    error(entry->value.span, "empty-list", "`errors` is empty", "classes: " + base::join(words));
  for (const auto& item : entry->value.items) {
    const auto word = text(item);
    if (!word) continue;
    if (const auto fault = base::retryable_fault(*word)) {
      out.errors.push_back({*fault, item.span, item.span});
    } else if (const auto why = base::never_retried(*word); !why.empty()) {
      error(item.span, "unknown-error", "nothing is tried again after `" + *word + "`: " + std::string(why),
            "remove this class; those that may pass are: " + base::join(words));
    } else {
      error(item.span, "unknown-error", "no error class `" + base::printable(*word, 60) + "`",
            legal_names(*word, words));
    }
  }
}

namespace {

// As one YAML scalar, whatever quotes stand in it.
std::string quoted(const std::string& text) {
  if (!base::contains(text, "\"") && !base::contains(text, "\\")) return "\"" + text + "\"";
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

bool Loader::torn(const Node& item) {
  if (!item.is_mapping() || item.entries.size() != 1) return false;
  const Entry& entry = item.entries.front();
  const bool expression = entry.key.find_first_of("?(<>=!&|. ") != std::string::npos;
  if (!expression || entry.value.is_mapping() || entry.value.is_sequence()) return false;
  const source::Span span{entry.key_span.begin, std::max(entry.key_span.end, entry.value.span.end)};
  error(span, "unquoted-expression", "YAML reads this as a key and its value, because of the `: `",
        "quote it: " + quoted(base::printable(file_->slice(span), 60)));
  return true;
}

std::vector<Assertion> Loader::assertions(const Entry* entry) {
  std::vector<Assertion> out;
  if (entry == nullptr || !want_sequence(entry->value, "`assert`")) return out;
  for (const auto& item : entry->value.items) {
    Assertion one;
    if (torn(item)) continue;
    if (item.is_mapping()) {
      known_keys(item, {"that", "message"}, "an assertion");
      const Entry* that = item.find("that");
      if (that == nullptr) {
        error(item.span, "missing-key", "an assertion has no `that`", "as in `that: outputs.count > 0`");
        continue;
      }
      one.message = value(item.find("message"), K::string);
      auto read = condition(that);
      if (!read) continue;
      one.that = *std::move(read);
    } else {
      auto read = condition(item, item.span);
      if (!read) continue;
      one.that = *std::move(read);
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<At<Mark>> Loader::marks(const Entry* entry) {
  std::vector<At<Mark>> out;
  if (entry == nullptr) return out;
  const std::vector<Mark> all = {Mark::failure, Mark::detected, Mark::degraded, Mark::recovered};
  std::vector<std::string> words;
  for (const Mark mark : all) words.emplace_back(to_string(mark));
  const auto read = [&](const Node& item) {
    const auto word = text(item);
    if (!word) return;
    const auto known = std::find_if(all.begin(), all.end(), [&](Mark mark) { return to_string(mark) == *word; });
    if (known == all.end()) {
      error(item.span, "unknown-mark", "no mark `" + base::printable(*word, 60) + "`", legal_names(*word, words));
    } else {
      out.push_back({*known, item.span, item.span});
    }
  };
  if (want_sequence(entry->value, "`marks`")) {
    for (const auto& item : entry->value.items) read(item);
  } else if (entry->value.is_scalar()) {
    read(entry->value);  // it is meant all the same
  }
  return out;
}

}  // namespace failover::scenario
