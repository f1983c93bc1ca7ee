#include <fstream>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/source/diagnostic.h"
#include "tools/cli/parts/catalogue.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTemplate = R"y(# yaml-language-server: $schema=../schemas/scenario.schema.json
# `failover validate @` finds mistakes, `failover plan @` says what a run would do and cost,
# `failover run @` drills it in the built-in sandbox, `failover run @ --live` for real money.
name: @
description: One machine is rented, answers a command, and is given back.
tags: [gpu]

inputs:
  gpu_name:  { type: string, default: RTX 4090, description: "GPU model as Vast.ai spells it" }
  max_price: { type: money,  default: $0.50,    description: "highest price per GPU hour" }
  image:     { type: string, default: "vastai/base-image:@vastai-automatic-tag", description: "container image" }

# Hard stops of the whole run; everything rented is given back whatever happens.
limits:
  cost: $0.50
  duration: 30m

# Free and read-only: `failover run @ --quick` stops after these.
preflight:
  - uses: vast.check_account
    with: { at_least: $1.00 }

# In order, from top to bottom. `failover steps` lists what there is to use.
steps:
  - id: offer
    phase: Rent a GPU
    uses: vast.search_offers
    with: { gpu_name: "${{ inputs.gpu_name }}", max_price: "${{ inputs.max_price }}" }
    retry: { errors: [rate_limited, unavailable], attempts: 5, delay: 2s }

  - id: machine
    uses: vast.create_instance
    with: { offer: "${{ steps.offer.best.id }}", image: "${{ inputs.image }}", disk: 20 GB }

  - id: ready
    uses: vast.wait_until_ready
    with: { instance: "${{ steps.machine.id }}" }
    timeout: 10m

  - id: answer
    phase: Use it
    uses: ssh.exec
    with: { host: "${{ steps.ready.ssh }}", command: [uname, -a] }
    assert:
      - outputs.stdout.contains("Linux")
)y";

bool is_stem(const std::string& name) {
  if (name.empty() || name.front() == '-' || name.size() > 100) return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
         std::string::npos;
}

std::string from_template(const std::string& name) {
  std::string out;
  const std::string text(kTemplate);
  for (std::size_t i = 0; i < text.size(); ++i) {
    // The image's own @ stays.
    if (text[i] == '@' && text.compare(i, 7, "@vastai") != 0) {
      out += name;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The text of a scenario under another name: nothing else is touched.
base::Result<std::string> from_scenario(const std::string& of, const std::string& name,
                                        const Environment& environment) {
  auto path = find_scenario(of, environment);
  if (!path) return std::move(path).error();
  source::Diagnostics diagnostics;
  auto loaded = load(*path, diagnostics);
  if (!loaded) return std::move(loaded).error();
  if (!loaded->scenario || loaded->scenario->name.value.empty()) {
    return base::Error{base::Fault::invalid, "has_mistakes", "the scenario `" + of + "` has mistakes",
                       "failover validate " + of};
  }
  std::string text = loaded->scenario->file()->text();
  const auto span = loaded->scenario->name.span;
  return text.replace(span.begin, span.end - span.begin, name);
}

}  // namespace

int create(const NewOptions& options, const Environment& environment) {
  if (!is_stem(options.name)) {
    return complain("`" + base::printable(options.name, 80) + "` cannot be the name of a scenario",
                    "letters, digits, - and _", usage);
  }
  auto text = options.from.empty() ? base::Result<std::string>(from_template(options.name))
                                   : from_scenario(options.from, options.name, environment);
  if (!text) return complain(text.error(), usage);
  std::error_code error;
  const fs::path folder = fs::is_directory("scenarios", error) ? "scenarios" : ".";
  const fs::path path = (folder / (options.name + ".yaml")).lexically_normal();
  if (fs::exists(path, error)) {
    return complain(path.string() + " is there already", "choose another name, or remove it", usage);
  }
  if (auto written = base::write_file(path, *text); !written) return complain(written.error(), usage);
  say_line(path.string());
  note("next: failover validate " + path.string() + ", then failover plan, then failover run");
  return passed;
}

}  // namespace failover::cli
