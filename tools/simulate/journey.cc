#include "tools/simulate/journey.h"

#include <algorithm>
#include <utility>

#include "engine/base/text.h"
#include "engine/report/report.h"
#include "engine/run/expired.h"
#include "engine/run/runner.h"
#include "tools/simulate/cast.h"
#include "tools/simulate/oracle.h"
#include "tools/simulate/stage.h"
#include "tools/simulate/wall.h"

namespace failover::simulate {
namespace {

using namespace std::chrono_literals;
namespace type = event::type;

constexpr int kMostLives = 12;
constexpr base::Duration kQuiet = 120s;    // from the healing of the world to the end of what stands there (I8)
constexpr base::Duration kLatest = 10min;  // after which what was accepted takes effect
constexpr base::Duration kBefore = 1h;     // that machines of the account's own have been there
constexpr const char* kRunId = "20260101T000000Z-s1mu1at10n";

constexpr std::uint64_t kSlow = 31;
constexpr int kSweep = 24;              // calls of who gives back by the labels, before one of which it may die
constexpr std::uint64_t kAgain = 8;     // in one of so many seeds what was recovered is recovered once more
constexpr std::uint64_t kReported = 4;  // in one of so many seeds the report is folded and held against the world

sandbox::WorldOptions world_options(std::uint64_t seed) {
  sandbox::WorldOptions out;
  // One in 32 takes the minutes that the real service takes; in the others the same moments lie closer together, and
  // fewer of the calls are the same look at the same machine again.
  out.lean_rows = true;
  out.proxy_apart = true;
  out.pace = seed % 32 == kSlow ? sandbox::Pace::typical : sandbox::Pace::quick;
  out.seed = seed * 2 + 1;
  return out;
}

class Journey {
 public:
  Journey(Cast& cast, const Script& script, const std::function<void(const std::string&)>& trace)
      : cast_(cast),
        play_(cast.play()),
        script_(script),
        random_(script.seed),
        clock_(base::WallTime(std::chrono::seconds(1'767'225'600)), script.seed ^ 0x43U),
        runners_(clock_, script.set_at + (play_.machines.empty() ? 0s : kBefore), script.set_by),
        world_(world_options(script.seed), clock_),
        disk_(script.seed),
        witness_(world_, disk_),
        network_(script, world_, clock_, disk_, witness_),
        oracle_(world_) {
    network_.trace = trace;
    network_.heal = [this] { heal(); };
    network_.where = [this] { return where_ == nullptr ? std::string(between_) : where_->now(); };
    oracle_.foreign().plant(kRunId, script.seed % 8 == 3);
    own_ = oracle_.foreign().lend(play_.machines.size());
    if (!own_.empty()) clock_.advance(kBefore);
    {
      const auto lock = world_.enter();
      world_.vast_url = kVast;
      for (const auto& [name, count] : script.world) (void)world_.faults.arm(name, count);
      for (auto& offer : world_.offers) {
        if (script.dear > 0) offer.up_usd_gb = offer.down_usd_gb = script.dear;
      }
    }
  }

  Result play() {
    Result out;
    const auto began = clock_.now();
    const Blow first = script_.blows.empty() ? Blow{} : script_.blows.front();
    network_.begin(first, false);
    disk_.begin(first, script_.breaks);
    const bool alive = live([&] { run(out); });
    // What could not be written is as unknown to the next one as what was not.
    const bool died = !alive || disk_.broken();
    rebooted_ = !alive && first.power;
    out.calls = network_.calls();
    out.records = disk_.records();
    orphaned_ = script_.orphaned && unfinished(died);
    if (orphaned_) by_labels();
    while (!orphaned_ && unfinished(died) && out.recoveries < kMostLives) {
      clock_.advance(out.recoveries == 0 ? script_.away : base::Duration(5min));
      // The first recoveries may die and meet the same weather; then the world heals.
      const auto index = static_cast<std::size_t>(out.recoveries) + 1;
      const bool calm = network_.healed() || index >= std::max<std::size_t>(script_.blows.size(), 2);
      if (calm) heal();
      const Blow blow = index < script_.blows.size() ? script_.blows[index] : Blow{};
      ++out.recoveries;
      network_.begin(blow, calm);
      disk_.begin(blow);
      const bool lived = live([&] { recover(calm, out.recoveries); });
      rebooted_ = rebooted_ || (!lived && blow.power);
      if (out.recoveries == 1) {
        out.recovered = disk_.records();
        out.recovered_calls = network_.calls();
      }
      if (lived && calm) break;
    }
    out.quiet = witness_.quiet_after();
    excused_usd_ = witness_.excused_usd(kQuiet + storm_) + beyond_usd();
    heal();
    network_.begin({}, true);
    while (network_.arrive_all()) {
    }
    out.took = clock_.now() - began;
    out.journal = disk_.bytes();
    if (script_.seed % kAgain == kAgain / 2 || (script_.seed == 0 && !script_.blows.empty())) again();
    judge(out);
    return out;
  }

 private:
  static constexpr const char* kVast = Cast::kVastUrl;
  static constexpr const char* kB2 = Cast::kB2Url;

  // One life of the program; false when it died.
  bool live(const std::function<void()>& life) {
    try {
      life();
    } catch (const Dead&) {
    }
    where_ = nullptr;  // it went with the life
    return !disk_.dead();
  }

  bool unfinished(bool died) const { return died || !left_.empty(); }

  void heal() {
    const auto lock = world_.enter();
    for (const auto& fault : sandbox::fault_catalogue()) (void)world_.faults.arm(fault.name, 0);
    world_.key_revoked = false;
  }

  client::Services services() {
    client::Services out;
    out.settings.vast_url = kVast;
    out.settings.vast_key = base::Secret(world_.account.api_key);
    out.settings.b2_endpoint = kB2;
    out.settings.b2_region = world_.store.region;
    out.settings.b2_key_id = world_.store.key_id;
    out.settings.b2_key = base::Secret(world_.store.application_key);
    out.vast_http = network_.http("vast");
    if (play_.sabotage.vast) out.vast_http = play_.sabotage.vast(std::move(out.vast_http));
    out.b2_http = network_.http("b2");
    out.other_http = network_.http("http");
    out.ssh = network_.ssh();
    out.vast = client::make_vast({out.settings.vast_url, out.settings.vast_key}, *out.vast_http, *out.vast_http);
    out.b2 = client::make_s3({kB2, out.settings.b2_region, out.settings.b2_key_id, out.settings.b2_key}, *out.b2_http);
    return out;
  }

  void hide(base::Redactor& redactor, const client::Settings& settings) const {
    redactor.add(settings.vast_key);
    redactor.add(settings.b2_key);
  }

  void run(Result& out) {
    const base::SeededRandom random(script_.seed ^ 0x41U);
    cast_.enter(services());
    const plugin::Registry& registry = cast_.registry();
    const plan::Plan& plan = cast_.plan();
    base::Redactor redactor;
    hide(redactor, cast_.services().settings);
    begun_ = clock_.now();
    event::Stream stream(runners_, redactor);
    stream.attach(&disk_);
    run::Ledger ledger;
    report::Folder folded;
    Where where(clock_, network_);
    where_ = &where;
    stream.subscribe(ledger);
    stream.subscribe(where);
    stream.subscribe(witness_);
    const bool reports = script_.seed % kReported == 0;
    if (reports) stream.subscribe(folded);
    run::Options options;
    options.inputs = play_.inputs;
    for (std::size_t i = 0; i < own_.size(); ++i) options.inputs.insert_or_assign(play_.machines[i], own_[i]);
    if (!cast_.folder().empty()) options.inputs.insert_or_assign(play_.folder, cast_.folder());
    const auto bucket = world_.store.buckets.begin()->first;
    for (const auto& variable : play_.scenario->env) options.environment.emplace(variable.name.value, bucket);
    options.limits = *plan::limits_of(*play_.scenario, options.inputs);
    options.limits.cost.micros = options.limits.cost.micros * script_.purse / 1000;
    options.objectives = *plan::objectives_of(*play_.scenario, options.inputs);
    options.crew = &clock_;
    options.end_at_stop = true;
    options.stop = network_.stop.get_token();
    options.give_up = network_.give_up.get_token();
    options.about = {{"source", play_.scenario->file()->name()}, {"version", "simulated"}};
    const base::Duration end = options.limits.duration + plan::Limits::cleanup_margin;
    limits_ = options.limits;
    witness_.begin(limits_.cost, clock_.wall() + end, machines_of(plan, play_.inputs));
    run::Shared shared{stream,
                       ledger,
                       registry,
                       runners_,
                       {kRunId, play_.scenario->name.value, "sandbox", runners_.wall() + end},
                       {options.limits.cost, end},
                       base::Secret(world_.account.api_key)};
    shared.redactor = &redactor;
    const run::Outcome outcome = run::run(plan, shared, options);
    if (disk_.dead()) return;  // in what lost a race and was still ending
    out.verdict = outcome.verdict;
    out.exit_code = outcome.exit_code;
    left_ = outcome.cleanup.left;
    // Who lies is believed where nothing can be challenged, and the report says whose word it is.
    const bool believed = script_.lies && where.word_alone();
    oracle_.at_exit(outcome, network_.machines().verified_true() || !verifies(plan) || believed, ledger);
    if (reports) oracle_.told(folded.report(), outcome, frame());
    if (outcome.verdict == "passed" && witness_.broke())
      oracle_.violated("I3: it passed although traffic or a raised price had used up the money");
    if (outcome.verdict != "passed" && play_.passes && script_.is_calm())
      oracle_.violated("I4: nothing went wrong, and it has not passed: " +
                       (outcome.error ? outcome.error->line() : outcome.verdict));
    where_ = nullptr;
  }

  // What is known beside a report of the run that is told now.
  Oracle::Frame frame() {
    Oracle::Frame out;
    // A runner that had no power goes by a wall clock that may have been set.
    if (!rebooted_ || script_.set_by == base::Duration(0)) out.begun = begun_;
    if (verifies(cast_.plan())) out.written = network_.machines().written().size();
    out.excused_usd = witness_.excused_usd(kQuiet) + beyond_usd();
    out.calm = script_.is_calm();
    return out;
  }

  // What no reservation holds.
  double beyond_usd() const { return witness_.traffic_usd() + witness_.raised_usd() + witness_.denied_usd(); }

  // What `failover cleanup` does with this run's journal.
  void recover(bool calm, int number) {
    const base::SeededRandom random(script_.seed ^ 0x42U);
    auto records = disk_.read();
    if (!records) {
      oracle_.violated("I10: the journal cannot be read after a death: " + records.error().message);
      left_.clear();
      return;
    }
    disk_.cut(records->whole);
    cast_.enter(services());
    const plugin::Registry& registry = cast_.registry();
    base::Redactor redactor;
    hide(redactor, cast_.services().settings);
    event::Stream stream(runners_, redactor);
    // A machine that had no power knows nothing better than its wall clock.
    const auto passed = rebooted_ ? std::nullopt : std::optional<base::Duration>(clock_.now() - begun_);
    stream.attach(&disk_, records->events, passed);
    run::Ledger ledger;
    report::Folder folded;
    const bool reports = script_.seed % kReported == 0;
    run::Outcome outcome{"interrupted", 130, {}, {}};  // as the run itself has said first, if it came to
    bool said = false;
    for (const auto& event : records->events) {
      ledger.on(event);
      if (reports) folded.on(event);
      if (event.type == type::run_finished && !std::exchange(said, true)) outcome.verdict = event.text("verdict");
    }
    Where where(clock_, network_);
    where_ = &where;
    stream.subscribe(ledger);
    if (reports) stream.subscribe(folded);
    where.recovering();
    (void)stream.emit(type::recovery, {{"by", "cleanup"}, {"pid", number}}, true);
    run::Shared shared{stream,
                       ledger,
                       registry,
                       runners_,
                       {kRunId, play_.scenario->name.value, "sandbox"},
                       {},
                       base::Secret(world_.account.api_key)};
    run::CleanupOptions options;
    options.doubt = rebooted_ ? base::Duration(24h) : base::Duration(0);
    // While the weather lasts, the operator stops it after a while and starts it again.
    options.patience = calm ? base::Duration(24h) : base::Duration(5min);
    options.watch = calm ? base::Duration(1h) : base::Duration(30s);
    network_.close();
    outcome.cleanup = run::clean_up(shared, options, {});
    left_ = outcome.cleanup.left;
    if (!left_.empty()) outcome.exit_code = 4;
    (void)stream.emit(type::run_finished, {{"verdict", outcome.verdict}, {"exit_code", outcome.exit_code}}, true);
    if (disk_.dead()) return;
    oracle_.at_exit(left_.empty() ? 0 : 4, outcome.cleanup, ledger);
    if (reports) oracle_.told(folded.report(), outcome, frame());
    where_ = nullptr;
  }

  // I10: recovering twice is recovering once. Nothing is asked for, and all is as it was.
  void again() {
    if (orphaned_ || !left_.empty() || disk_.dead()) return;
    const auto before = held_now();
    const std::string world = oracle_.picture();
    network_.begin({}, true);
    disk_.begin({});
    if (!live([&] { recover(true, kMostLives + 1); })) oracle_.violated("I10: who recovers it once more has died");
    if (network_.calls() > 0)
      oracle_.violated("I10: who recovers it once more asks for something, " + std::to_string(network_.calls()) +
                       " times");
    if (held_now() != before) oracle_.violated("I10: recovered once more, the journal holds something else");
    if (oracle_.picture() != world) oracle_.violated("I10: recovered once more, the world is another one");
  }

  // What the journal says of each thing.
  std::vector<std::pair<std::string, int>> held_now() const {
    std::vector<std::pair<std::string, int>> out;
    run::Ledger ledger;
    if (const auto records = disk_.read()) {
      for (const auto& event : records->events) ledger.on(event);
    }
    for (const auto& entry : ledger.entries()) out.emplace_back(entry.held.name, static_cast<int>(entry.state));
    return out;
  }

  // What `failover cleanup --expired` does from another machine, after the deadline: it has the account and no journal.
  // In some journeys the weather lasts until then, and it is stopped or killed; the next one has a calm day.
  void by_labels() {
    if (!script_.labels_in_weather) heal();
    // What is under way arrives in its time, and is seen then: it costs from there on.
    for (int minute = 0; minute < 15; ++minute) {
      clock_.advance(1min);
      network_.arrive();
      witness_.look();
    }
    // The runner's clock may have been ahead when it wrote the deadline.
    clock_.advance(limits_.duration + plan::Limits::cleanup_margin + 15min);
    if (script_.labels_in_weather) {
      Blow blow = script_.blows.size() > 1 ? script_.blows[1] : Blow{};
      blow.call = true;  // there is no record that it could die at
      blow.at = 1 + blow.at % kSweep;
      network_.begin(blow, false);
      disk_.begin(blow);
      // What it costs from here on, until the end that may have been accepted comes, nobody can help.
      const auto since = clock_.now();
      witness_.healed(since);
      between_ = "labels";
      (void)live([&] { expired(5min, false); });
      between_ = "start";
      clock_.advance(5min);
      network_.arrive();
      storm_ = clock_.now() - since + kLatest;
      heal();
    }
    network_.begin({}, true);
    disk_.begin({});
    if (!live([&] { expired(1h, true); })) oracle_.violated("I8: who gives back by labels has died");
  }

  void expired(base::Duration patience, bool calm) {
    const base::SeededRandom random(script_.seed ^ (calm ? 0x44U : 0x45U));
    cast_.enter(services());
    base::Redactor redactor;
    hide(redactor, cast_.services().settings);
    event::Stream stream(clock_, redactor);
    run::Ledger ledger;
    stream.subscribe(ledger);
    run::Shared shared{stream,
                       ledger,
                       cast_.registry(),
                       clock_,
                       {"expired", "cleanup --expired", "sandbox"},
                       {},
                       base::Secret(world_.account.api_key)};
    run::StepHost host(shared, "expired");
    const auto survey =
        run::survey(cast_.registry(), shared.label_key, host, base::Patience(clock_, clock_.now() + 5min, {}));
    for (const auto& error : survey.unlisted) {
      if (calm) oracle_.violated("I8: nobody can look: " + error.line());
    }
    run::CleanupOptions options;
    options.patience = patience;
    const auto result = run::clean_up_expired(shared, survey.seen, options, {});
    if (disk_.dead()) return;
    if (calm) left_ = result.left;
    if (result.left.empty() && survey.unlisted.empty()) oracle_.by_labels_done();
  }

  // A step ends with nothing that its type does not list: `retry` and its validation rest on that.
  void declared(const event::Event& event) {
    if (event.type != type::step_finished) return;
    const base::Value* fault = event["error"].find("fault");
    const plugin::StepType* step = cast_.registry().step(event.text("uses"));
    if (fault == nullptr || fault->text() == nullptr || step == nullptr) return;
    for (const auto any : {base::Fault::timeout, base::Fault::cancelled, base::Fault::assertion}) {
      if (*fault->text() == base::to_string(any)) return;
    }
    for (const auto listed : step->errors) {
      if (*fault->text() == base::to_string(listed)) return;
    }
    oracle_.violated("I4: " + step->name + " ended with `" + *fault->text() + "`, which it does not declare");
  }

  void judge(Result& out) {
    where_ = nullptr;
    const auto records = disk_.read();
    run::Ledger ledger;
    if (records) {
      for (const auto& event : records->events) {
        ledger.on(event);
        declared(event);
        oracle_.written(event);
      }
    } else {
      oracle_.violated("I10: the journal cannot be read: " + records.error().message);
    }
    for (const auto& left : left_)
      oracle_.violated("I8: still held after the world healed: " + left.kind + " " + left.name + ": " + left.why);
    oracle_.at_rest(ledger, limits_, excused_usd_, orphaned_);
    oracle_.no_secret("the journal", disk_.bytes(), false);
    oracle_.no_secret("a machine", network_.machines().heard(), true);
    if (out.quiet && *out.quiet > kQuiet)
      oracle_.violated("I8: the end of a machine was asked for only " + base::format(*out.quiet) +
                       " after the world healed");
    out.violations = oracle_.violations();
    out.violations.insert(out.violations.end(), witness_.violations().begin(), witness_.violations().end());
    out.violations.insert(out.violations.end(), network_.violations().begin(), network_.violations().end());
    out.cells = network_.cells();
    for (const auto& [name, count] : world_.faults.played())
      out.cells[{name, "world"}] += static_cast<std::uint64_t>(count);
  }

  Cast& cast_;
  const Play& play_;
  const Script& script_;
  base::SeededRandom random_;
  Turns clock_;
  RunnersClock runners_;
  sandbox::World world_;
  Disk disk_;
  Witness witness_;
  Network network_;
  Oracle oracle_;
  Where* where_ = nullptr;
  const char* between_ = "start";  // who calls where nobody else does
  plan::Limits limits_{};
  double excused_usd_ = 0;
  base::Duration storm_{0};  // for so long nobody could be sure to give back by the labels
  base::Instant begun_{};
  bool rebooted_ = false;
  bool orphaned_ = false;
  std::vector<run::Leftover> left_;
  std::vector<std::int64_t> own_;  // of Play::machines, in their order
};

}  // namespace

Result journey(Cast& cast, const Script& script, const std::function<void(const std::string&)>& trace) {
  return Journey(cast, script, trace).play();
}

std::optional<std::string> fails_when_calm(const Play& play) {
  Play whole = play;
  whole.passes = true;  // so that it says why it does not
  for (const std::uint64_t seed : {std::uint64_t{0}, kSlow}) {
    Script calm;
    calm.seed = seed;
    const auto result = journey(whole, calm);
    if (result.verdict == "passed") continue;
    return result.violations.empty() ? "its verdict is " + result.verdict : result.violations.front();
  }
  return std::nullopt;
}

Result journey(const Play& play, const Script& script, const std::function<void(const std::string&)>& trace) {
  Cast cast(play);
  return journey(cast, script, trace);
}

}  // namespace failover::simulate
