// An assertion's tree: every part with its value.
#include <unordered_set>

#include "engine/base/text.h"
#include "engine/expr/difference.h"
#include "engine/expr/evaluate.h"
#include "engine/expr/show.h"

namespace failover::expr {
namespace {

constexpr std::size_t kLongestValue = 400;  // bytes
constexpr std::size_t kMostOperands = 200;

// Where it is worth saying in what two values differ.
bool is_compound(const base::Value& value) { return value.text() != nullptr || value.is_list() || value.is_map(); }

class Operands {
 public:
  Operands(const Expression& expression, const Values& values) : text_(expression.text()), evaluator_(values) {
    evaluator_.remember();
  }
  std::vector<Operand> take() { return std::move(out_); }

  void add(const Node& node, int depth) {
    if (node.kind == Node::Kind::literal || out_.size() >= kMostOperands) return;
    const std::string_view text = std::string_view(text_).substr(node.begin, node.end - node.begin);
    if (seen_.insert(text).second) {
      const auto value = evaluator_.eval(node);
      Operand operand{std::string(text), "", depth, node.begin, node.end};
      operand.value =
          value ? shown(**value, kLongestValue) : base::printable("error: " + value.error().message, kLongestValue);
      operand.difference = difference_of(node, value);
      out_.push_back(std::move(operand));
    }
    if (node.path_size > 0 || node.kind == Node::Kind::has) return;
    if (node.kind == Node::Kind::macro) return add(*node.args[0], depth + 1);  // the rest speaks of its variable
    for (const Node* arg : node.args) add(*arg, depth + 1);
  }

 private:
  std::string difference_of(const Node& node, const Evaluator::Result& value) {
    const bool unequal = node.kind == Node::Kind::binary && node.op == Op::eq && value &&
                         (*value)->get<bool>() != nullptr && !*(*value)->get<bool>();
    if (!unequal) return {};
    const auto left = evaluator_.eval(*node.args[0]);
    const auto right = evaluator_.eval(*node.args[1]);
    return left && right && is_compound(**left) && is_compound(**right) ? difference(**left, **right) : std::string();
  }

  const std::string& text_;
  Evaluator evaluator_;
  std::unordered_set<std::string_view> seen_;
  std::vector<Operand> out_;
};

}  // namespace

std::vector<Operand> operands(const Expression& expression, const Values& values) {
  Operands all(expression, values);
  all.add(expression.root(), 0);
  return all.take();
}

}  // namespace failover::expr
