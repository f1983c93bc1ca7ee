#include "tests/run/scripted.h"

#include <doctest/doctest.h>

#include <atomic>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "engine/source/diagnostic.h"

namespace failover::testing {
namespace {

using base::Error;
using base::Fault;

struct None {};
struct RentIn {
  base::Money price{400'000};
  base::Money per_gb{0};
  bool shared = false;
};
struct Machine {
  std::string id;
};
struct MoveIn {
  std::string machine;
  base::Size bytes{0};
};
struct WaitIn {
  base::Duration time = 1s;
};
struct FailIn {
  std::string fault = "unavailable";
  std::int64_t times = 1'000'000;
};
struct EchoIn {
  std::int64_t number = 0;
};
struct EchoOut {
  std::int64_t number = 0;
  std::int64_t look = 0;
};
struct FilesIn {
  std::vector<std::string> files;  // `path=digest`
  std::string directory = "/w";
  base::Duration time{0};
};
struct FilesOut {
  base::Value manifest;
  base::Value files;
};
struct QuoteIn {
  base::Money max_price{400'000};
};

plugin::StepType rent(World& world) {
  return plugin::step<RentIn, Machine>(
      {.name = "t.rent",
       .summary = "Rents.",
       .effect = plugin::Effect::creates,
       .inputs = {plugin::optional("price", &RentIn::price, "Per hour."),
                  plugin::optional("per_gb", &RentIn::per_gb, "Of the traffic that leaves it."),
                  plugin::optional("shared", &RentIn::shared, "Others may rely on it.")},
       .outputs = {plugin::output("id", &Machine::id, "Its id.")},
       .holds = {"t.machine"},
       .errors = {Fault::refused, Fault::unavailable, Fault::unknown},
       .run = [&world](const RentIn& in, const plugin::Context& context) -> base::Result<Machine> {
         const plugin::Intent intent{.kind = "t.machine",
                                     .what = "a machine",
                                     .per_hour = in.price,
                                     .per_gb_up = in.per_gb,
                                     .shared = in.shared};
         if (auto room = context.make_room(intent); !room) return std::move(room).error();
         auto hold = context.hold(intent);
         if (!hold) return std::move(hold).error();
         auto id = world.create(hold->name(), context);
         if (id) {
           hold->made({.id = *id});
           return Machine{*id};
         }
         if (id.error().fault == Fault::unknown) {
           hold->unclear(id.error());
         } else {
           hold->refused(id.error());
         }
         return std::move(id).error();
       }});
}

plugin::StepType give_back(World& world) {
  return plugin::step<Machine, None>(
      {.name = "t.give_back",
       .summary = "Gives back.",
       .effect = plugin::Effect::changes,
       .inputs = {plugin::required("machine", &Machine::id, "Which.")},
       .frees = "machine",
       .errors = {Fault::unavailable, Fault::unknown},
       .run = [&world](const Machine& in, const plugin::Context& context) -> base::Result<None> {
         auto gone = world.destroy(world.label_of(in.id));
         if (!gone) return std::move(gone).error();
         context.ended("t.machine", in.id);
         return None{};
       }});
}

plugin::StepType use(World& world) {
  return plugin::step<Machine, None>({.name = "t.use",
                                      .summary = "Uses.",
                                      .inputs = {plugin::required("machine", &Machine::id, "Which.")},
                                      .errors = {Fault::unavailable, Fault::not_found},
                                      .run = [&world](const Machine& in, const plugin::Context&) -> base::Result<None> {
                                        auto there = world.read(world.label_of(in.id));
                                        if (!there) return std::move(there).error();
                                        if (!*there) return Error{Fault::not_found, "gone", in.id + " is gone"};
                                        return None{};
                                      }});
}

plugin::StepType move() {
  return plugin::step<MoveIn, None>({.name = "t.move",
                                     .summary = "Moves bytes off a machine.",
                                     .inputs = {plugin::required("machine", &MoveIn::machine, "Which."),
                                                plugin::required("bytes", &MoveIn::bytes, "How many.")},
                                     .run = [](const MoveIn& in, const plugin::Context& context) -> base::Result<None> {
                                       context.traffic("t:" + in.machine, in.bytes.bytes, 0);
                                       return None{};
                                     }});
}

plugin::StepType wait() {
  return plugin::step<WaitIn, None>({.name = "t.wait",
                                     .summary = "Waits.",
                                     .inputs = {plugin::optional("time", &WaitIn::time, "How long.")},
                                     .run = [](const WaitIn& in, const plugin::Context& context) -> base::Result<None> {
                                       if (auto slept = context.sleep(in.time); !slept) return std::move(slept).error();
                                       return None{};
                                     }});
}

plugin::StepType fail() {
  const auto tries = std::make_shared<std::atomic<std::int64_t>>(0);
  return plugin::step<FailIn, None>({.name = "t.fail",
                                     .summary = "Fails.",
                                     .inputs = {plugin::optional("fault", &FailIn::fault, "How."),
                                                plugin::optional("times", &FailIn::times, "How often.")},
                                     .errors = {Fault::unavailable, Fault::rate_limited},
                                     .run = [tries](const FailIn& in, const plugin::Context&) -> base::Result<None> {
                                       if ((*tries)++ >= in.times) return None{};
                                       return Error{base::retryable_fault(in.fault).value_or(Fault::internal),
                                                    "scripted", "it failed as it was told"};
                                     }});
}

plugin::StepType echo() {
  const auto looks = std::make_shared<std::atomic<std::int64_t>>(0);
  return plugin::step<EchoIn, EchoOut>(
      {.name = "t.echo",
       .summary = "Says its input.",
       .inputs = {plugin::optional("number", &EchoIn::number, "What to say.")},
       .outputs = {plugin::output("number", &EchoOut::number, "The same."),
                   plugin::output("look", &EchoOut::look, "How often it was asked.")},
       .run = [looks](const EchoIn& in, const plugin::Context&) -> base::Result<EchoOut> {
         return EchoOut{in.number, ++*looks};
       }});
}

// What is told of `files`, as a manifest and as rows of a comparison.
plugin::StepType files(const char* name, plugin::Effect effect, bool shows) {
  return plugin::step<FilesIn, FilesOut>(
      {.name = name,
       .summary = "Tells of files.",
       .effect = effect,
       .inputs = {plugin::required("files", &FilesIn::files, "Which."),
                  plugin::optional("directory", &FilesIn::directory, "Where."),
                  plugin::optional("time", &FilesIn::time, "How long it takes.")},
       .outputs = {plugin::output("manifest", &FilesOut::manifest, "As written."),
                   plugin::output("files", &FilesOut::files, "As compared.")},
       .records_files = shows ? "" : "manifest",
       .shows_files = shows ? "files" : "",
       .run = [](const FilesIn& in, const plugin::Context& context) -> base::Result<FilesOut> {
         if (auto slept = context.sleep(in.time); !slept) return std::move(slept).error();
         base::Value::List rows;
         for (const auto& one : in.files) {
           const auto words = base::split(one, '=');
           rows.push_back(base::Value::Map{
               {"path", words[0]}, {"size", 1}, {"digest", words[1]}, {"md5", words[1]}, {"ok", words.size() < 3}});
         }
         return FilesOut{base::Value::Map{{"directory", in.directory}, {"files", base::Value(rows)}},
                         base::Value(rows)};
       }});
}

plugin::Kind machine(World& world) {
  plugin::Kind kind;
  kind.name = "t.machine";
  kind.summary = "destroyed";
  kind.settle = World::settle;
  kind.undo = [&world](const plugin::Held& held, const plugin::Context&) -> base::Result<void> {
    auto gone = world.destroy(held.name);
    if (!gone) return std::move(gone).error();
    return {};
  };
  return kind;
}

class Recorder final : public event::Subscriber {
 public:
  Recorder(std::vector<event::Event>& events, const std::function<void(const event::Event&)>& told)
      : events_(events), told_(told) {}
  void on(const event::Event& event) override {
    events_.push_back(event);
    if (told_) told_(event);
  }

 private:
  std::vector<event::Event>& events_;
  const std::function<void(const event::Event&)>& told_;
};

}  // namespace

plugin::Registry scripted_steps(World& world) {
  plugin::Registry registry;
  registry.steps = {rent(world),
                    give_back(world),
                    use(world),
                    move(),
                    wait(),
                    fail(),
                    echo(),
                    files("t.write", plugin::Effect::changes, false),
                    files("t.sums", plugin::Effect::reads, false),
                    files("t.see", plugin::Effect::reads, true)};
  registry.kinds = {machine(world)};
  return registry;
}

std::vector<std::string> Played::statuses() const {
  std::vector<std::string> out;
  for (const auto& event : events) {
    if (event.type == event::type::step_finished) out.push_back(event.text("id") + ":" + event.text("status"));
  }
  return out;
}

const event::Event* Played::first(std::string_view type) const {
  for (const auto& event : events) {
    if (event.type == type) return &event;
  }
  return nullptr;
}

Played play(World& world, base::Clock& clock, const Play& what) {
  plugin::Registry registry = scripted_steps(world);
  if (what.more) what.more(registry);
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("t.yaml", what.yaml), diagnostics);
  REQUIRE(loaded.has_value());
  const auto scenario = std::make_shared<const scenario::Scenario>(*std::move(loaded));
  const plan::Fragments fragments = [&](const std::string& path, source::Diagnostics& findings, std::string& why) {
    const auto known = what.fragments.find(path);
    why = known == what.fragments.end() ? "no fragment " + path : "";
    if (!why.empty()) return std::shared_ptr<const scenario::Scenario>();
    auto read = scenario::load_fragment(std::make_shared<const source::File>(path, known->second), findings);
    REQUIRE(read.has_value());
    return std::make_shared<const scenario::Scenario>(*std::move(read));
  };
  const plan::Plan plan = plan::bind(scenario, registry, diagnostics, fragments);
  INFO(source::to_text(diagnostics));
  REQUIRE(diagnostics.errors() == 0);

  Played played;
  const base::Redactor redactor;
  event::Stream stream(clock, redactor);
  stream.attach(what.journal);
  run::Ledger ledger;
  Recorder recorder(played.events, what.on_event);
  stream.subscribe(ledger);
  stream.subscribe(recorder);
  run::Options options;
  options.inputs = plan::default_inputs(*scenario);
  for (const auto& [name, value] : what.inputs) options.inputs.insert_or_assign(name, value);
  options.limits = *plan::limits_of(*scenario, options.inputs);
  options.objectives = *plan::objectives_of(*scenario, options.inputs);
  options.quick = what.quick;
  options.environment = what.environment;
  options.stop = what.stop;
  options.give_up = what.give_up;
  options.end_at_stop = what.end_at_stop;
  options.cleanup.watch = 10min;
  const base::Duration end = options.limits.duration + plan::Limits::cleanup_margin;
  run::Shared shared{stream,
                     ledger,
                     registry,
                     clock,
                     {"20260101T000000Z-abcdefghij", scenario->name.value, "sandbox", clock.wall() + end},
                     {options.limits.cost, end},
                     base::Secret("a key of a test")};
  played.outcome = run::run(plan, shared, options);
  played.entries = ledger.entries();
  return played;
}

}  // namespace failover::testing
