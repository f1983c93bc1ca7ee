#include <algorithm>
#include <set>

#include "engine/expr/node.h"

namespace failover::expr {
namespace {

// `steps.offer` of a path, as guards compare them.
std::string stem(const Path& path) {
  return path.parts.size() < 2 ? std::string() : path.parts[0].name + "\n" + path.parts[1].name;
}

// The paths that has() asks for and that are there whenever `node` is true.
void assured(const Node& node, std::set<std::string>& out) {
  if (node.kind == Node::Kind::has) {
    if (const Path path = path_of(*node.args[0]); path.parts.size() > 1) out.insert(stem(path));
  } else if (node.kind == Node::Kind::binary && node.text == "&&") {
    assured(*node.args[0], out);
    assured(*node.args[1], out);
  }
}

class Collector {
 public:
  std::vector<Path> take() { return std::move(out_); }

  void visit(const Node& node) {
    if (Path path = path_of(node); !path.parts.empty()) {
      add(std::move(path), false);
      return;
    }
    switch (node.kind) {
      case Node::Kind::has: {
        Path path = path_of(*node.args[0]);
        if (path.parts.empty()) {
          visit(*node.args[0]);
        } else {
          add(std::move(path), true);
        }
        return;
      }
      case Node::Kind::conditional:
        visit(*node.args[0]);
        guarded_by(*node.args[0], *node.args[1]);
        visit(*node.args[2]);
        return;
      case Node::Kind::binary:
        visit(*node.args[0]);
        if (node.text == "&&") {
          guarded_by(*node.args[0], *node.args[1]);
        } else {
          visit(*node.args[1]);
        }
        return;
      case Node::Kind::macro:
        visit(*node.args[0]);
        variables_.push_back(node.variable);
        for (std::size_t i = 1; i < node.args.size(); ++i) visit(*node.args[i]);
        variables_.pop_back();
        return;
      default:
        for (const auto& arg : node.args) visit(*arg);
    }
  }

 private:
  void guarded_by(const Node& condition, const Node& node) {
    std::set<std::string> more;
    assured(condition, more);
    const auto before = guards_;
    guards_.insert(more.begin(), more.end());
    visit(node);
    guards_ = before;
  }
  void add(Path path, bool in_has) {
    if (std::find(variables_.begin(), variables_.end(), path.parts[0].name) != variables_.end()) return;
    path.in_has = in_has;
    path.guarded = guards_.count(stem(path)) > 0 && path.parts.size() > 1;
    out_.push_back(std::move(path));
  }

  std::vector<Path> out_;
  std::vector<std::string> variables_;
  std::set<std::string> guards_;
};

}  // namespace

Path path_of(const Node& node) {
  Path path;
  if (node.kind == Node::Kind::name) {
    path.parts.push_back({node.text, node.begin, node.end});
  } else if (node.kind == Node::Kind::field) {
    path = path_of(*node.args[0]);
    if (path.parts.empty()) return path;
    path.parts.push_back({node.text, node.name_begin, node.name_end});
  } else if (node.kind == Node::Kind::index && node.args[1]->kind == Node::Kind::literal &&
             node.args[1]->value.text() != nullptr) {
    path = path_of(*node.args[0]);
    if (path.parts.empty()) return path;
    path.parts.push_back({*node.args[1]->value.text(), node.args[1]->begin, node.args[1]->end});
  } else {
    return path;
  }
  path.begin = node.begin;
  path.end = node.end;
  return path;
}

std::vector<Path> references(const Expression& expression) {
  Collector collector;
  collector.visit(expression.root());
  return collector.take();
}

}  // namespace failover::expr
