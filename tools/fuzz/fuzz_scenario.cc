// Any bytes as a scenario: everything that `failover validate` and `failover plan` do with it, the real step types
// included. It uses itself as a fragment, so that fragments and their cycles are reached too.
#include <cstdint>
#include <string>

#include "engine/plan/plan.h"
#include "steps/all/all.h"
#include "steps/client/services.h"
#include "tools/fuzz/places.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using fuzz::hold;

struct Steps {
  std::unique_ptr<client::Services> services = client::declared_services();
  plugin::Registry registry = steps::all(*services);
};

const plugin::Registry& registry() {
  static const Steps kSteps;
  return kSteps.registry;
}

void planned(const std::shared_ptr<const scenario::Scenario>& scenario, const std::string& text) {
  source::Diagnostics diagnostics;
  const plan::Fragments fragments = [&](const std::string& path, source::Diagnostics& found, std::string& why) {
    why.clear();
    auto read = scenario::load_fragment(std::make_shared<const source::File>(path, text), found);
    return read ? std::make_shared<const scenario::Scenario>(*std::move(read)) : nullptr;
  };
  const plan::Plan plan = plan::bind(scenario, registry(), diagnostics, fragments);
  const bool runs = diagnostics.errors() == 0;
  const auto inputs = plan::default_inputs(*scenario);
  if (const auto limits = plan::limits_of(*scenario, inputs)) {
    plan::check_money(plan, inputs, *limits, diagnostics);
    if (runs) {
      const auto figures = plan::estimate(plan, inputs, *limits);
      hold(figures.time.best <= figures.time.expected && figures.time.expected <= figures.time.worst,
           "best, expected and worst are in order");
      hold(!plan::to_text(plan, inputs, *limits, {}, registry()).empty(), "a plan can be shown");
      (void)plan::to_value(plan, inputs, *limits, {}, registry());
    }
  }
  fuzz::hold_findings(diagnostics);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = std::make_shared<const source::File>("scenarios/fuzz.yaml", text);
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(file, diagnostics);
  fuzz::hold_findings(diagnostics);
  hold(loaded || diagnostics.errors() > 0, "what is not a scenario has a reason");
  if (loaded && diagnostics.errors() == 0) {
    planned(std::make_shared<const scenario::Scenario>(*std::move(loaded)), text);
  } else if (loaded) {
    source::Diagnostics more;
    const plan::Plan plan =
        plan::bind(std::make_shared<const scenario::Scenario>(*std::move(loaded)), registry(), more, {});
    fuzz::hold_findings(more);
  }
  return 0;
}
