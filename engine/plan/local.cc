// What steps will look for on the runner itself, long before they do.
#include <algorithm>
#include <filesystem>

#include "engine/base/text.h"
#include "engine/plan/known.h"

namespace failover::plan {
namespace {

using base::Value;
using plugin::Local;

class Look {
 public:
  Look(const Disk& disk, source::Diagnostics& diagnostics) : disk_(disk), diagnostics_(diagnostics) {}

  void at(const std::vector<Step>& steps, const Value::Map& inputs) {
    for (const auto& step : steps) {
      if (written_) return;
      at(step, inputs);
    }
  }

 private:
  void at(const Step& step, const Value::Map& inputs) {
    Before before(inputs);
    before.work_left = &work_left_;
    const bool may_fail = step.written->must_fail && step.written->must_fail->value;
    const bool comes = !may_fail && (!step.written->when || holds(*step.written->when, before));
    switch (step.shape) {
      case Step::Shape::call:
        if (comes) look(step, before);
        written_ = written_ || step.type->writes_locally;
        break;
      case Step::Shape::group: comes ? at(step.steps, inputs) : pass(step.steps); break;
      case Step::Shape::composite: comes ? at(step.steps, arguments(step, inputs)) : pass(step.steps); break;
      case Step::Shape::branches:
        // Another branch may be ahead.
        for (const auto& branch : step.branches) pass(branch.steps);
        if (written_ || !comes || step.written->wait == scenario::Wait::first) break;
        for (const auto& branch : step.branches) at(branch.steps, inputs);
        break;
    }
  }
  void pass(const std::vector<Step>& steps) {
    std::vector<const Step*> all;
    flatten(steps, all);
    written_ = written_ || std::any_of(all.begin(), all.end(), [](const Step* one) {
                 return one->type != nullptr && one->type->writes_locally;
               });
  }
  static bool holds(const scenario::Condition& when, const Before& before) {
    const auto value = computed(when.expression, before);
    const bool* held = value && *value ? (*value)->get<bool>() : nullptr;
    return held != nullptr && *held;
  }

  void look(const Step& step, const Before& before) {
    for (const auto& [input, given] : step.with) {
      if (input->local == Local::nothing) continue;
      if (input->local == Local::program) {
        program(step, given, before);
      } else if (const auto value = known(given, before);
                 value && value->text() != nullptr && !value->text()->empty()) {
        thing(step, *input, given, *value->text());
      }
    }
  }

  void program(const Step& step, const scenario::Given& command, const Before& before) {
    if (command.items.empty()) return;
    const auto name = known(command.items.front(), before);
    if (!name || name->text() == nullptr || name->text()->empty() || disk_.is_program(*name->text())) return;
    // A directory of its own may be where a relative path leads from.
    if (step.given("env") != nullptr) return;  // it may say another PATH
    if (step.given("directory") != nullptr && name->text()->find('/') != std::string::npos) return;
    warn(step, command.items.front(), "no program " + quoted(*name->text()),
         "install it, or let an earlier step do it; PATH is what failover was started with");
  }

  void thing(const Step& step, const plugin::Input& input, const scenario::Given& given, const std::string& path) {
    const char* remedy =
        "a path is taken from where failover is started; let an earlier step make it, or mend the path";
    if (input.local == Local::file && !disk_.is_file(path)) {
      return warn(step, given, (disk_.is_directory(path) ? "a directory, not a file: " : "no file ") + quoted(path),
                  remedy);
    }
    std::string directory = path;
    if (input.local == Local::parent && path.back() != '/') {
      directory = std::filesystem::path(path).parent_path().string();
    }
    if (input.local == Local::file || directory.empty() || disk_.is_directory(directory)) return;
    warn(step, given, "no directory " + quoted(directory), remedy);
  }

  static std::string quoted(const std::string& text) { return "`" + base::printable(text, 120) + "`"; }
  void warn(const Step& step, const scenario::Given& given, std::string message, const char* hint) {
    diagnostics_.warning(step.home->file(), given.node->span, "not-there", std::move(message), hint);
  }

  const Disk& disk_;
  source::Diagnostics& diagnostics_;
  std::int64_t work_left_ = 20'000'000;  // steps of evaluation, as while binding
  bool written_ = false;                 // by something that may have made what is looked for
};

}  // namespace

void check_local(const Plan& plan, const Value::Map& inputs, const Disk& disk, source::Diagnostics& diagnostics) {
  Look look(disk, diagnostics);
  for (const auto* section : {&plan.preflight, &plan.steps, &plan.finally}) look.at(*section, inputs);
}

}  // namespace failover::plan
