#include "tools/sandbox/world/market.h"

#include <array>
#include <cmath>

namespace failover::sandbox {
namespace {

struct Model {
  const char* name;
  int count;
  int ram_mb;
  int compute_cap;
  double tflops, dlperf;
  double low, high;  // $/h
};

constexpr std::array<Model, 10> kModels{{
    {"RTX 4090", 14, 24564, 890, 82.6, 102.0, 0.28, 0.45},
    {"RTX 3090", 10, 24576, 860, 35.6, 58.0, 0.14, 0.26},
    {"RTX 3060", 5, 12288, 860, 12.7, 20.0, 0.05, 0.09},
    {"RTX A5000", 5, 24564, 860, 27.8, 45.0, 0.18, 0.30},
    {"RTX A6000", 4, 49140, 860, 38.7, 56.0, 0.39, 0.62},
    {"RTX 5090", 5, 32607, 1200, 104.8, 150.0, 0.42, 0.75},
    {"A100 SXM4", 6, 81920, 800, 19.5, 98.0, 0.79, 1.35},
    {"H100 SXM", 6, 81559, 900, 66.9, 210.0, 1.87, 2.65},
    {"H200", 3, 143771, 900, 67.0, 240.0, 2.45, 3.40},
    {"L40S", 4, 46068, 890, 91.6, 88.0, 0.52, 0.90},
}};
constexpr std::array<const char*, 8> kPlaces{"Texas, US",   "Oregon, US",  "Quebec, CA",   "Norway, NO",
                                             "Czechia, CZ", "Germany, DE", "Bulgaria, BG", "Taiwan, TW"};

double rounded(double value, double step) { return std::round(value / step) * step; }

}  // namespace

double unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

std::string random_text(std::mt19937_64& random, std::string_view alphabet, std::size_t count) {
  std::string out;
  while (out.size() < count) out += alphabet[random() % alphabet.size()];
  return out;
}

std::vector<Offer> make_market(std::mt19937_64& random) {
  std::vector<Offer> out;
  for (const Model& model : kModels) {
    for (int i = 0; i < model.count; ++i) {
      const double dear = static_cast<double>(i) / (model.count - 1);  // 0: the cheapest of its model
      const bool odd_one = i >= model.count - 2;                       // the dearest are for the filters to refuse
      Offer offer;
      offer.id =
          21000000 + static_cast<std::int64_t>(random() % 900000) * 10 + static_cast<std::int64_t>(out.size() % 10);
      offer.machine_id = 10000 + static_cast<std::int64_t>(out.size()) * 37 + static_cast<std::int64_t>(random() % 30);
      offer.host_id = 50000 + static_cast<std::int64_t>(random() % 90000);
      offer.gpu_name = model.name;
      offer.num_gpus = i % 6 == 5 ? 2 : 1;
      offer.gpu_ram_mb = model.ram_mb;
      offer.compute_cap = model.compute_cap;
      offer.tflops = model.tflops * offer.num_gpus;
      offer.dlperf = model.dlperf * offer.num_gpus;
      const double price = model.low + (model.high - model.low) * dear;
      offer.gpu_usd_per_hour = rounded(price, 0.0001) * offer.num_gpus;
      offer.storage_usd_gb_month = rounded(0.10 + 0.10 * unit(random), 0.01);
      offer.up_usd_gb = rounded(0.001 + 0.004 * unit(random), 0.0001);
      offer.down_usd_gb = rounded(0.001 + 0.004 * unit(random), 0.0001);
      offer.disk_gb = rounded(120 + 1400 * unit(random), 0.01);
      offer.up_mbps = rounded(400 + 600 * unit(random), 0.1);
      offer.down_mbps = rounded(500 + 900 * unit(random), 0.1);
      offer.disk_mbps = rounded(900 + 4000 * unit(random), 0.1);
      offer.cpu_name = i % 2 == 0 ? "AMD EPYC 7713 64-Core Processor" : "Xeon Gold 6348";
      offer.cpu_cores = i % 2 == 0 ? 64 : 56;
      offer.cpu_ram_mb = i % 2 == 0 ? 257812 : 193356;
      offer.reliability = odd_one ? 0.90 + 0.05 * unit(random) : 0.985 + 0.0149 * unit(random);
      offer.geolocation = kPlaces[(out.size() + static_cast<std::size_t>(i)) % kPlaces.size()];
      offer.verification = odd_one ? "unverified" : "verified";
      offer.cuda_max_good = i % 3 == 0 ? 12.8 : 12.4;
      offer.driver_version = i % 3 == 0 ? "570.124.06" : "550.127.05";
      offer.direct_ports = i == model.count - 3 ? 0 : 100 + 50 * (i % 4);
      offer.datacenter = i % 4 == 0;
      offer.static_ip = i % 2 == 0;
      out.push_back(std::move(offer));
    }
  }
  return out;
}

}  // namespace failover::sandbox
