// Evaluation of a tree. evaluate.cc has names and operators, macros.cc what goes over elements. Inside the room only.
#pragma once

#include <unordered_map>
#include <vector>

#include "engine/expr/operations.h"
#include "engine/expr/pattern.h"

namespace failover::expr {

// A value, either of one's own or one that lives elsewhere and longer: reading `outputs.stdout` copies nothing.
class Held {
 public:
  Held(base::Value own) : own_(std::move(own)) {}  // NOLINT(google-explicit-constructor)
  explicit Held(const base::Value* elsewhere) : elsewhere_(elsewhere) {}
  const base::Value& operator*() const { return elsewhere_ != nullptr ? *elsewhere_ : own_; }
  const base::Value* operator->() const { return &**this; }
  // A part of this value: it lives as long as this one when that lives elsewhere, else it is copied.
  [[nodiscard]] Held part(const base::Value& of) const { return elsewhere_ != nullptr ? Held(&of) : Held(of); }
  base::Value take() && {
    if (elsewhere_ != nullptr) return *elsewhere_;
    return std::move(own_);
  }

 private:
  const base::Value* elsewhere_ = nullptr;
  base::Value own_;
};

// One evaluation with one budget. Values must outlive it and what it gives.
class Evaluator {
 public:
  using Result = base::Result<Held>;

  explicit Evaluator(const Values& values) : values_(values) {}
  // Keeps every part's value outside of macros, so that no part is evaluated twice.
  void remember() { remembers_ = true; }
  Result eval(const Node& node);
  [[nodiscard]] std::int64_t spent() const { return kMostSteps - budget_.left(); }

 private:
  Result fresh(const Node& node);
  Result name(const Node& node) const;
  static Result member(const Held& of, std::string_view key);
  Result field(const Node& node);
  Result index(const Node& node);
  Result call(const Node& node);
  Result matches(const Node& node, const base::Value& text, const base::Value& pattern);
  Result unary(const Node& node);
  Result logical(const Node& node);
  Result binary(const Node& node);
  Result conditional(const Node& node);
  Result list(const Node& node);
  Result map(const Node& node);
  Result has(const Node& node);

  Result macro(const Node& node);
  Result over(const Node& node, const base::Value::List& items);
  Result quantified(const Node& node, const base::Value::List& items);
  Result exactly_one(const Node& node, const base::Value::List& items);
  Result transformed(const Node& node, const base::Value::List& items);
  Result with(const Node& node, const base::Value& element, const Node& body);

  const Values& values_;
  std::vector<std::pair<std::string_view, const base::Value*>> variables_;
  Budget budget_{kMostSteps};
  bool remembers_ = false;
  std::unordered_map<const Node*, Result> remembered_;
  std::forward_list<Pattern> patterns_;  // of texts that are not literals
};

}  // namespace failover::expr
