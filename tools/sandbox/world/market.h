// The offers of the simulated market: machines with a GPU model, a price and an id that lasts as long as the offer.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace failover::sandbox {

// What stands behind an offer row (references/vastai-api.md 2.3) and, once rented, behind an instance.
struct Offer {
  std::int64_t id = 0;  // changes whenever the machine is rented or given back
  std::int64_t machine_id = 0;
  std::int64_t host_id = 0;
  std::string gpu_name;
  int num_gpus = 1;
  int gpu_ram_mb = 0;  // of one GPU
  int compute_cap = 0;
  double tflops = 0;  // of all its GPUs
  double dlperf = 0;
  double gpu_usd_per_hour = 0;  // dph_base
  double storage_usd_gb_month = 0;
  double up_usd_gb = 0, down_usd_gb = 0;
  double disk_gb = 0;
  double up_mbps = 0, down_mbps = 0;
  double disk_mbps = 0;
  std::string cpu_name;
  int cpu_cores = 0;
  int cpu_ram_mb = 0;
  double reliability = 0;
  std::string geolocation;  // `Texas, US`
  std::string verification = "verified";
  double cuda_max_good = 0;
  std::string driver_version;
  int direct_ports = 0;
  bool datacenter = false;
  bool static_ip = false;
  bool rented = false;
  bool gone = false;  // left the market for good
};

// A number in [0, 1), the same everywhere for the same generator.
double unit(std::mt19937_64& random);
// `count` characters of `alphabet`.
std::string random_text(std::mt19937_64& random, std::string_view alphabet, std::size_t count);

// About 60 machines, several per model; of each model the cheapest ones are verified, reliable and have direct ports.
std::vector<Offer> make_market(std::mt19937_64& random);

}  // namespace failover::sandbox
