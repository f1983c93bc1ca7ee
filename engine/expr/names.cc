// Paths of the tree, what conditions prove about them, and every use of a name.
#include <algorithm>
#include <array>

#include "engine/expr/node.h"

namespace failover::expr {
namespace {

// The part of a path at `place`, from 1: `offer` of `steps.offer.id` is the second.
std::string_view part_of(const Node& path, std::size_t place) {
  const Node* node = &path;
  while (node->path_size > place) node = node->args[0];
  return last_part(*node).name;
}

class Collector {
 public:
  std::vector<Path> take() { return std::move(out_); }

  void visit(const Node& node) {
    if (node.path_size > 0) return add(node, false);
    switch (node.kind) {
      case Node::Kind::has:
        if (node.args[0]->path_size > 0) return add(*node.args[0], true);
        return visit(*node.args[0]->args[0]);
      case Node::Kind::conditional:
        visit(*node.args[0]);
        under(*node.args[0], true, *node.args[1]);
        return under(*node.args[0], false, *node.args[2]);
      case Node::Kind::binary:
        visit(*node.args[0]);
        if (node.op == Op::both || node.op == Op::either)
          return under(*node.args[0], node.op == Op::both, *node.args[1]);
        return visit(*node.args[1]);
      case Node::Kind::macro:
        visit(*node.args[0]);
        variables_.push_back(node.variable);
        for (const Node* arg : node.args.subspan(1)) visit(*arg);
        variables_.pop_back();
        return;
      default:
        for (const Node* arg : node.args) visit(*arg);
    }
  }

 private:
  void under(const Node& condition, bool outcome, const Node& node) {
    const std::size_t before = guards_.assume(condition, outcome);
    visit(node);
    guards_.restore(before);
  }
  void add(const Node& node, bool in_has) {
    if (std::find(variables_.begin(), variables_.end(), first_name(node)) != variables_.end()) return;
    Path path = path_of(node);
    path.in_has = in_has;
    path.guarded = guards_.cover(node);
    path.facts = guards_.facts();
    out_.push_back(std::move(path));
  }

  std::vector<Path> out_;
  std::vector<std::string_view> variables_;
  Guards guards_;
};

}  // namespace

PartView last_part(const Node& node) {
  switch (node.kind) {
    case Node::Kind::name: return {node.name, node.begin, node.end};
    case Node::Kind::field: return {node.name, node.name_begin, node.name_end};
    default: return {*node.args[1]->value->text(), node.args[1]->begin, node.args[1]->end};
  }
}

std::string_view first_name(const Node& node) {
  const Node* at = &node;
  while (at->kind != Node::Kind::name) at = at->args[0];
  return at->name;
}

Path path_of(const Node& node) {
  Path path;
  if (node.path_size == 0) return path;
  path.begin = node.begin;
  path.end = node.end;
  path.parts.resize(node.path_size);
  const Node* at = &node;
  for (auto part = path.parts.rbegin(); part != path.parts.rend(); ++part) {
    const PartView seen = last_part(*at);
    *part = {std::string(seen.name), seen.begin, seen.end};
    if (at->kind != Node::Kind::name) at = at->args[0];
  }
  return path;
}

bool is_hyphen(const Node& node) {
  return node.kind == Node::Kind::binary && node.op == Op::sub && node.args[0]->end + 1 == node.args[1]->begin &&
         node.args[1]->path_size > 0;
}

std::size_t Guards::assume(const Node& condition, bool outcome) {
  const std::size_t before = proofs_.size();
  if (condition.kind == Node::Kind::has) {
    const Node& asked = *condition.args[0];
    if (asked.path_size < 2) return before;
    const std::string_view third = asked.path_size > 2 ? part_of(asked, 3) : std::string_view();
    proofs_.push_back({first_name(asked), part_of(asked, 2), third, {}, outcome});
  } else if (condition.kind == Node::Kind::unary && condition.op == Op::no) {
    assume(*condition.args[0], !outcome);
  } else if (condition.kind == Node::Kind::binary && condition.op == (outcome ? Op::both : Op::either)) {
    assume(*condition.args[0], outcome);
    assume(*condition.args[1], outcome);
  } else if (condition.kind == Node::Kind::binary && condition.op == Op::in) {
    const Node& list = *condition.args[1];
    if (list.kind != Node::Kind::list || (outcome && list.args.size() != 1)) return before;
    for (const Node* one : list.args) compare(*condition.args[0], *one, outcome);
  } else if (condition.kind == Node::Kind::binary && (condition.op == Op::eq || condition.op == Op::ne)) {
    compare(*condition.args[0], *condition.args[1], outcome == (condition.op == Op::eq));
    compare(*condition.args[1], *condition.args[0], outcome == (condition.op == Op::eq));
  }
  return before;
}

void Guards::compare(const Node& one, const Node& other, bool same) {
  const std::string* word = other.kind == Node::Kind::literal ? other.value->text() : nullptr;
  if (one.path_size != 3 || word == nullptr) return;
  proofs_.push_back({first_name(one), part_of(one, 2), part_of(one, 3), *word, same});
}

bool Guards::cover(const Node& path) const {
  return path.path_size > 1 && std::any_of(proofs_.begin(), proofs_.end(), [&](const Proof& one) {
           return one.holds && !one.word && one.first == first_name(path) && one.second == part_of(path, 2);
         });
}

std::vector<Fact> Guards::facts() const {
  std::vector<Fact> out;
  for (const auto& one : proofs_) {
    out.push_back({std::string(one.first), std::string(one.second), std::string(one.third), {}, one.holds});
    if (one.word) out.back().word = std::string(*one.word);
  }
  return out;
}

std::vector<Fact> proven(const Expression& condition) {
  Guards guards;
  guards.assume(condition.root(), true);
  return guards.facts();
}

namespace {

void taken_whole(const Node& node, std::vector<TakenWhole>& out) {
  static constexpr std::array<std::string_view, 8> kReaders = {"int",      "uint",      "double", "bool",
                                                               "duration", "timestamp", "money",  "rate"};
  const auto compared = [&](const Node& path, const Node& other) {
    const auto* text = other.kind == Node::Kind::literal ? other.value->text() : nullptr;
    if (path.path_size > 1 && text != nullptr) out.push_back({path_of(path), *text, {}});
  };
  if (node.kind == Node::Kind::binary && (node.op == Op::eq || node.op == Op::ne)) {
    compared(*node.args[0], *node.args[1]);
    compared(*node.args[1], *node.args[0]);
  } else if (node.kind == Node::Kind::binary && node.op == Op::in && node.args[1]->kind == Node::Kind::list) {
    const std::size_t before = out.size();
    for (const Node* one : node.args[1]->args) compared(*node.args[0], *one);
    if (out.size() > before) out.resize(before + 1);  // one place
  } else if (node.kind == Node::Kind::call && node.member && node.name == "endsWith" && node.args.size() == 2) {
    compared(*node.args[0], *node.args[1]);
  } else if (node.pattern != nullptr && node.args.size() == 2) {
    const auto* text = node.args[1]->kind == Node::Kind::literal ? node.args[1]->value->text() : nullptr;
    const bool to_the_end = text != nullptr && text->ends_with('$') && !text->ends_with("\\$");
    if (to_the_end) compared(*node.args[0], *node.args[1]);
  } else if (node.kind == Node::Kind::call && !node.member && node.args.size() == 1 && node.args[0]->path_size > 1) {
    const auto reader = std::find(kReaders.begin(), kReaders.end(), node.name);
    if (reader != kReaders.end()) out.push_back({path_of(*node.args[0]), {}, *reader});
  }
  for (const Node* arg : node.args) taken_whole(*arg, out);
}

}  // namespace

std::vector<TakenWhole> taken_whole(const Expression& expression) {
  std::vector<TakenWhole> out;
  if (!expression.empty()) taken_whole(expression.root(), out);
  return out;
}

std::vector<Path> collect_paths(const Node& root) {
  Collector collector;
  collector.visit(root);
  return collector.take();
}

}  // namespace failover::expr
