// Which paths stand on which machine by when, as far as the steps say: a step that reads what none has put there yet
// finds nothing, after the machines are paid for.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "engine/base/text.h"
#include "engine/plan/known.h"
#include "engine/plan/meaning.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Value;

// Absolute, or below a place that each machine has: `<workspace>/drill`.
std::string normal(const std::string& path) {
  std::string out = std::filesystem::path(path).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

bool is_at_or_below(const std::string& path, const std::string& directory) {
  return path == directory || directory == "/" || path.starts_with(directory + "/");
}

bool is_named(const std::string& path) { return path.starts_with("<"); }

class Walk {
 public:
  Walk(const Plan& plan, const Value::Map& inputs, source::Diagnostics& diagnostics)
      : plan_(plan), inputs_(inputs), diagnostics_(diagnostics) {}

  // Twice: what a later step puts somewhere is a path of the drill, too.
  void run() {
    all(plan_.steps);
    forget();
    judges_ = true;
    all(plan_.steps);
  }

 private:
  using Paths = std::vector<std::string>;
  struct Machine {
    std::string step;  // that rents it
    std::set<std::string> made;
    bool anything = false;  // a command of its author's, or what is not known, may have made whatever
  };
  // Of a step, by its id: the paths that it put somewhere, or read.
  struct Told {
    Paths paths;
    bool made = false;
  };

  void forget() {
    machines_.clear();
    types_.clear();
    told_.clear();
    meaning_ = {};
  }

  void all(const std::vector<Step>& steps) {
    for (const auto& step : steps) visit(step);
  }

  void visit(const Step& step) {
    const auto yes = wanted(step, inputs_);
    if (yes && !*yes) return;
    const bool around = judges_;
    if (step.written->must_fail && step.written->must_fail->value) judges_ = false;
    switch (step.shape) {
      case Step::Shape::call: call(step); break;
      case Step::Shape::group: all(step.steps); break;
      case Step::Shape::composite: whatever(); break;
      case Step::Shape::branches:
        // What one reads another may write meanwhile.
        judges_ = false;
        for (const auto& branch : step.branches) all(branch.steps);
        break;
    }
    judges_ = around;
  }

  void whatever() {
    for (auto& machine : machines_) machine.anything = true;
  }

  void call(const Step& step) {
    const plugin::StepType& type = *step.type;
    types_["steps." + step.id] = &type;
    if (!type.priced_by.empty()) {
      meaning_.made(step.id, machines_.size());
      const bool scripted = std::any_of(step.with.begin(), step.with.end(),
                                        [](const auto& one) { return one.first->shell || one.first->words; });
      machines_.push_back({step.id, {}, scripted});
      return;
    }
    meaning_.about(step);
    const scenario::Given* host = nullptr;
    for (const auto& [input, given] : step.with) {
      if (input->needs == plugin::Needs::running && input->name != type.waits) host = &given;
    }
    bool speaks_of_paths = false;
    for (const auto& input : type.inputs) speaks_of_paths = speaks_of_paths || input.remote != plugin::Remote::nothing;
    const bool changes = type.effect == plugin::Effect::changes;
    if (changes && !speaks_of_paths) touches(step);
    if (host == nullptr) return;
    const auto rentals = meaning_.rentals(*host);
    const bool one = rentals.size() == 1 && names_one(*host);
    if (!one && changes) return whatever();
    for (const auto& input : type.inputs) {
      if (input.remote == plugin::Remote::nothing) continue;
      at(step, input, one ? &machines_[rentals.front()] : nullptr);
    }
    if (one && changes && !speaks_of_paths) machines_[rentals.front()].anything = true;
  }

  // A command of the author's may reach every machine that it names.
  void touches(const Step& step) {
    for (const auto& [input, given] : step.with) {
      if (input->needs != plugin::Needs::nothing) continue;
      for (const std::size_t rental : meaning_.rentals(given)) machines_[rental].anything = true;
    }
  }

  // What the step reads or puts at a path.
  void at(const Step& step, const plugin::Input& input, Machine* machine) {
    const scenario::Given* given = step.given(input.name);
    const Told* other = told_by(step, input.where_of);
    std::optional<Paths> paths;
    if (given != nullptr) {
      paths = paths_of(*given);
    } else if (other != nullptr) {
      paths = other->paths;
    }
    const bool made = input.remote == plugin::Remote::made;
    if (paths && made && given != nullptr && other != nullptr && other->paths.size() > 1) {
      // Several lie below it, each as a whole.
      const std::string directory = paths->front();
      *paths = other->paths;
      for (auto& path : *paths) path = directory + (path.starts_with("/") ? "" : "/") + path;
    }
    if (paths) told_["steps." + step.id] = {*paths, made};
    if (made && paths && given != nullptr) seen_.insert(paths->begin(), paths->end());
    if (machine == nullptr) return;
    if (!made && paths && judges_) {
      const source::Span span = given != nullptr ? given->node->span : step.written->uses->span;
      // What a step has written stands in its directory and nowhere above.
      const bool exactly = other != nullptr && other->made;
      for (const auto& path : *paths) judge(step, *machine, path, exactly, span);
    }
    if (!made) return;
    if (paths) {
      machine->made.insert(paths->begin(), paths->end());
    } else {
      machine->anything = true;
    }
  }

  const Told* told_by(const Step& step, const std::string& input) const {
    const scenario::Given* given = input.empty() ? nullptr : step.given(input);
    if (given == nullptr) return nullptr;
    const auto behind = steps_behind(*given);
    const auto known = behind.size() == 1 ? told_.find("steps." + behind.front()) : told_.end();
    return known == told_.end() ? nullptr : &known->second;
  }

  // nullopt: not all of them are known.
  std::optional<Paths> paths_of(const scenario::Given& given) const {
    Paths out;
    if (given.kind == scenario::Given::Kind::list) {
      for (const auto& item : given.items) {
        auto path = path_of(item);
        if (!path) return std::nullopt;
        out.push_back(*std::move(path));
      }
      return out;
    }
    if (const auto value = known(given, inputs_); value && value->is_list()) {
      for (const auto& one : *value->list()) {
        if (one.text() == nullptr) return std::nullopt;
        out.push_back(normal(*one.text()));
      }
      return out;
    }
    auto path = path_of(given);
    if (!path) return std::nullopt;
    return Paths{*std::move(path)};
  }

  std::optional<std::string> path_of(const scenario::Given& given) const {
    if (const auto value = known(given, inputs_)) {
      if (value->text() == nullptr || value->text()->empty()) return std::nullopt;
      return normal(*value->text());
    }
    if (given.kind != scenario::Given::Kind::expression) return std::nullopt;
    std::string out;
    for (const auto& piece : given.text.pieces) {
      if (piece.expression.empty()) {
        out += piece.literal;
        continue;
      }
      const auto part = part_of(piece.expression);
      if (!part) return std::nullopt;
      out += *part;
    }
    return normal(out);
  }

  // The value, or the name of a place that every machine has under it.
  std::optional<std::string> part_of(const expr::Expression& expression) const {
    if (const auto value = computed(expression, inputs_)) {
      const std::string* text = *value ? (*value)->text() : nullptr;
      return text == nullptr ? std::nullopt : std::optional(*text);
    }
    const auto& paths = expr::references(expression);
    const bool alone = paths.size() == 1 && paths.front().parts.size() == 3 && paths.front().begin == 0 &&
                       paths.front().end == expression.text().size() && paths.front().parts[0].name == "steps";
    const auto at = alone ? types_.find("steps." + paths.front().parts[1].name) : types_.end();
    const plugin::Output* output = at == types_.end() ? nullptr : at->second->output(paths.front().parts[2].name);
    if (output == nullptr || !output->remote) return std::nullopt;
    return "<" + output->name + ">";
  }

  // Nobody can know what an image brings: only a place that the drill itself fills somewhere is missed.
  bool is_ours(const std::string& path, bool exactly) const {
    // Written in two ways one cannot be told from another.
    if (std::any_of(seen_.begin(), seen_.end(), [&](const auto& one) { return is_named(one) != is_named(path); }))
      return false;
    return std::any_of(seen_.begin(), seen_.end(), [&](const auto& one) {
      return is_at_or_below(path, one) || (exactly && is_at_or_below(one, path));
    });
  }

  void judge(const Step& step, const Machine& machine, const std::string& path, bool exactly, source::Span span) {
    constexpr std::size_t kMost = 1000;  // paths; each is compared with each
    if (machine.anything || seen_.size() > kMost || !is_ours(path, exactly)) return;
    const bool there = std::any_of(machine.made.begin(), machine.made.end(), [&](const auto& one) {
      return is_at_or_below(path, one) || (!exactly && is_at_or_below(one, path));
    });
    if (there) return;
    const auto said = diagnostics_.sorted();
    if (std::any_of(said.begin(), said.end(), [&](const auto& one) { return one.span == span; })) return;
    diagnostics_.warning(step.home->file(), span, "seldom-meant",
                         "no step has put anything at `" + base::printable(path, 80) + "` on the machine of step `" +
                             machine.step + "` by then",
                         machine.made.empty()
                             ? "write or restore it there first"
                             : "what is there: " + base::join({machine.made.begin(), machine.made.end()}));
  }

  const Plan& plan_;
  const Value::Map& inputs_;
  source::Diagnostics& diagnostics_;
  bool judges_ = false;
  std::set<std::string> seen_;  // every path where some step puts something
  Meaning meaning_;
  std::vector<Machine> machines_;  // by rental
  std::map<std::string, const plugin::StepType*> types_;
  std::map<std::string, Told> told_;
};

}  // namespace

void check_places(const Plan& plan, const Value::Map& inputs, source::Diagnostics& diagnostics) {
  Walk(plan, inputs, diagnostics).run();
}

}  // namespace failover::plan
