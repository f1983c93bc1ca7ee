// Secrets put where they belong, and a look at every byte that a person, a host or another program could see of them.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/cli/elsewhere.h"

namespace failover::testing {

// A secret in the forms that programs write it in, made without the redactor's help: base64 without the four
// characters at each end that neighbours have a part in.
inline std::vector<std::string> forms(const std::string& secret) {
  std::vector<std::string> out{secret, base::percent_encode(secret), base::percent_encode(secret, true)};
  const std::string json = nlohmann::json(secret).dump();
  out.push_back(json.substr(1, json.size() - 2));
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string coded = base::base64(std::string(before, 'x') + secret + "yyy");
    out.push_back(coded.substr(4, coded.size() - 12));
    std::string safe = out.back();
    for (char& c : safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
    out.push_back(safe);
  }
  const std::string hex = base::hex(secret);
  out.push_back(hex);
  out.emplace_back();
  for (const char c : hex) out.back() += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

class Canaries {
 public:
  void add(const std::string& name, const std::string& secret) {
    REQUIRE(secret.size() >= 16);
    for (auto& form : forms(secret)) forms_.emplace_back(name, std::move(form));
  }
  // What of them stands in `text`.
  [[nodiscard]] std::set<std::string> known(const std::string& text) const {
    std::set<std::string> out;
    for (const auto& [name, form] : forms_) {
      if (text.find(form) != std::string::npos) out.insert(name + " as " + form.substr(0, 8) + "...");
    }
    return out;
  }
  // The same, and what no look at a value can know: signatures and private keys.
  [[nodiscard]] std::set<std::string> in(const std::string& text) const {
    std::set<std::string> out = known(text);
    for (const std::string mark : {"X-Amz-Signature=", "X-Amz-Signature%3D", ", Signature="}) {
      for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const std::string value = text.substr(at + mark.size(), 16);
        if (value.size() == 16 && value.find_first_not_of("0123456789abcdef") == std::string::npos) {
          out.insert("a signature behind " + mark);
        }
      }
    }
    // How every private key of OpenSSH begins, in base64.
    if (text.find("b3BlbnNzaC1rZXktdjE") != std::string::npos) out.insert("a private key");
    return out;
  }
  // The same for every file below `folder`, each with its path; counts them.
  [[nodiscard]] std::set<std::string> below(const fs::path& folder, int& files) const {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      const auto text = base::read_file(entry.path(), 64 << 20);
      if (!text) out.insert("cannot be read: " + entry.path().string());
      for (const auto& found : in(entry.path().string() + "\n" + (text ? *text : ""))) {
        out.insert(entry.path().string() + ": " + found);
      }
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> forms_;
};

// While it lives: looks over and over at the arguments of every process, at the environment of those on simulated
// machines, and at every file on those machines' disks that is new or has changed.
class Watcher {
 public:
  struct Seen {
    std::set<std::string> leaks;
    std::set<std::string> machines;     // their ids
    std::set<std::string> keys;         // the machines' own
    std::set<std::string> public_keys;  // lines that machines were given
    int files = 0;
    int processes = 0;
  };
  // `machines`: the folder in which each simulated machine of the sandbox at `url` has one.
  Watcher(Canaries canaries, fs::path machines, const std::string& url)
      : canaries_(std::move(canaries)), machines_(std::move(machines)), ours_("VAST_API_URL=" + url) {
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }
  Seen end() {
    thread_.request_stop();
    thread_.join();
    return std::move(seen_);
  }

 private:
  void watch(const std::stop_token& stop) {
    base::SystemClock clock;
    do {
      processes();
      disks();
    } while (clock.sleep_until(clock.now() + 10ms, stop));
  }
  void note(const std::string& where, const std::set<std::string>& found) {
    for (const auto& one : found) seen_.leaks.insert(where + ": " + one);
  }
  void processes() {
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc", gone)) {
      if (!base::parse_integer(entry.path().filename().string())) continue;
      const auto words = base::read_file(entry.path() / "cmdline", 1 << 20);
      if (!words || words->empty()) continue;
      const std::string what = base::printable(words->substr(0, 300));
      note("the arguments of " + what, canaries_.known(*words));
      // What runs on our machines; other programs of this system have sandboxes of their own.
      const auto variables = base::read_file(entry.path() / "environ", 1 << 20);
      if (!variables || !base::contains(*variables, "CONTAINER_ID=") || !base::contains(*variables, ours_)) continue;
      ++seen_.processes;
      note("the arguments of a machine's " + what, canaries_.in(*words));
      note("the environment of a machine's " + what, canaries_.in(*variables));
      for (const auto& variable : base::split(*variables, '\0')) {
        if (variable.rfind("CONTAINER_API_KEY=", 0) == 0) seen_.keys.insert(variable.substr(18));
        if (variable.rfind("SSH_PUBLIC_KEY=", 0) == 0) seen_.public_keys.insert(variable.substr(15));
      }
    }
  }
  void disks() {
    std::error_code gone;
    for (const auto& machine : fs::directory_iterator(machines_, gone)) {
      seen_.machines.insert(machine.path().filename().string());
      for (fs::recursive_directory_iterator at(machine.path(), gone), end; !gone && at != end; at.increment(gone)) {
        // The key that the machine itself has, for its SSH server.
        const bool own =
            at->path().parent_path() == machine.path() && at->path().stem().string().rfind("host_key", 0) == 0;
        if (own || !at->is_regular_file(gone)) continue;
        const auto size = at->file_size(gone);
        const auto when = at->last_write_time(gone);
        auto& known = known_[at->path().string()];
        if (known == std::pair(size, when)) continue;
        known = {size, when};
        const auto text = base::read_file(at->path(), 64 << 20);
        if (!text) continue;
        ++seen_.files;
        note(at->path().string(), canaries_.in(at->path().string() + "\n" + *text));
      }
    }
  }

  Canaries canaries_;
  fs::path machines_;
  std::string ours_;
  std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> known_;
  Seen seen_;
  std::jthread thread_;
};

}  // namespace failover::testing
