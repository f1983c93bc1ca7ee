// What a hostile journey costs: journeys per second of processor time, against a floor measured turn by turn in the
// same run: the journey's world made and its journal's checksums taken, with nothing played in it. The digest is over
// everything that the journeys gave: two builds that play the same give the same.
//
//   bench_simulate SCENARIO.yaml [SEEDS [FIRST [INPUT=VALUE...]]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/plan/plan.h"
#include "tools/sandbox/world/world.h"
#include "tools/simulate/cast.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Seconds of a world like the journey's, and of a checksum for each of the journal's lines.
double floor_of(std::uint64_t seed, const std::string& journal) {
  const double began = processor_seconds();
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'767'225'600)));
  sandbox::WorldOptions options;
  options.seed = seed * 2 + 1;
  const sandbox::World world(options, clock);
  std::size_t sums = 0;
  for (std::size_t at = 0; at < journal.size();) {
    const std::size_t end = std::min(journal.find('\n', at), journal.size());
    sums += base::digest(base::Algorithm::sha256, std::string_view(journal).substr(at, end - at)).size();
    at = end + 1;
  }
  if (sums == 0 && !journal.empty()) std::cerr << "no checksum was taken\n";
  return processor_seconds() - began;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "bench_simulate SCENARIO.yaml [SEEDS [FIRST [INPUT=VALUE...]]]\n";
    return 2;
  }
  const std::uint64_t seeds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2000;
  const std::uint64_t first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
  std::vector<std::pair<std::string, std::string>> given;
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    given.emplace_back(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  }
  const auto text = base::read_file(argv[1], 1 << 20);
  source::Diagnostics diagnostics;
  auto loaded = text ? scenario::load(std::make_shared<const source::File>(argv[1], *text), diagnostics) : std::nullopt;
  if (!loaded) {
    std::cerr << "it cannot be read: " << argv[1] << "\n" << source::to_text(diagnostics);
    return 2;
  }
  simulate::Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  auto inputs = plan::resolve_inputs(*play.scenario, given);
  if (!inputs) {
    std::cerr << inputs.error().line() << "\n";
    return 2;
  }
  play.inputs = *std::move(inputs);
  simulate::Cast cast(play);
  base::Digest all(base::Algorithm::sha256);
  std::uint64_t calls = 0, violated = 0, bytes = 0;
  double took = 0, floor = 0;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const auto script = simulate::Script::swarm(first + i);
    const double began = processor_seconds();
    const auto result = simulate::journey(cast, script);
    took += processor_seconds() - began;
    floor += floor_of(first + i, result.journal);
    calls += static_cast<std::uint64_t>(result.calls);
    violated += result.violations.empty() ? 0 : 1;
    bytes += result.journal.size();
    all.update(result.journal);
    all.update(result.verdict + std::to_string(result.exit_code) + " " + std::to_string(result.took.count()));
    for (const auto& one : result.violations) all.update(one);
    for (const auto& [cell, hits] : result.cells) all.update(cell.first + cell.second + std::to_string(hits));
  }
  const auto each = static_cast<double>(seeds);
  std::printf(
      "%.0f journeys/s, %.1f us, %.1f times the floor, %.1f calls of the first life, %.0f journal bytes each; "
      "%ju with a violation; digest %s\n",
      each / took, took / each * 1e6, took / floor, static_cast<double>(calls) / each,
      static_cast<double>(bytes) / each, static_cast<std::uintmax_t>(violated),
      base::hex(all.finish()).substr(0, 16).c_str());
  return 0;
}
