// Paths of the tree, what has() proves about them, and every use of a name.
#include <algorithm>

#include "engine/expr/node.h"

namespace failover::expr {
namespace {

Stem stem_of(const Node& path) {
  const Node* node = &path;
  while (node->path_size > 2) node = node->args[0];
  return {first_name(*node), last_part(*node).name};
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
  const std::size_t before = stems_.size();
  if (condition.kind == Node::Kind::has) {
    if (outcome && condition.args[0]->path_size > 1) stems_.push_back(stem_of(*condition.args[0]));
  } else if (condition.kind == Node::Kind::unary && condition.op == Op::no) {
    assume(*condition.args[0], !outcome);
  } else if (condition.kind == Node::Kind::binary && condition.op == (outcome ? Op::both : Op::either)) {
    assume(*condition.args[0], outcome);
    assume(*condition.args[1], outcome);
  }
  return before;
}

bool Guards::cover(const Node& path) const {
  return !stems_.empty() && path.path_size > 1 &&
         std::find(stems_.begin(), stems_.end(), stem_of(path)) != stems_.end();
}

std::vector<std::pair<std::string, std::string>> proven(const Expression& condition) {
  Guards guards;
  guards.assume(condition.root(), true);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& stem : guards.stems()) out.emplace_back(stem.first, stem.second);
  return out;
}

std::vector<Path> collect_paths(const Node& root) {
  Collector collector;
  collector.visit(root);
  return collector.take();
}

}  // namespace failover::expr
