// The wires between a simulated runner and the world: real clients on one side, the sandbox's doors on the other, no
// sockets, virtual time, and everything that can happen on the way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "steps/client/http.h"
#include "steps/client/ssh.h"
#include "tools/sandbox/world/world.h"
#include "tools/simulate/disk.h"
#include "tools/simulate/fate.h"
#include "tools/simulate/machines.h"
#include "tools/simulate/turns.h"
#include "tools/simulate/witness.h"

namespace failover::simulate {

// (fault, where it hit) with how often.
using Cells = std::map<std::pair<std::string, std::string>, std::uint64_t>;

class Network {
 public:
  Network(const Script& script, sandbox::World& world, Turns& clock, Disk& disk, Witness& witness);

  // One life of a runner begins. `calm`: the world has healed, nothing goes wrong on the way any more.
  void begin(const Blow& blow, bool calm);
  // The step (or `cleanup`, `recovery`) that calls now: names the cells.
  std::function<std::string()> where{};
  std::stop_source stop{};
  std::stop_source give_up{};
  // The run has said that nothing is made any more (I11).
  void close();
  // Ends the world's own troubles. Asked when the weather ends during a life.
  std::function<void()> heal{};
  [[nodiscard]] bool healed() const { return well_; }

  [[nodiscard]] std::unique_ptr<client::Http> http(const std::string& peer);
  [[nodiscard]] std::unique_ptr<client::Ssh> ssh();

  [[nodiscard]] int calls() const { return calls_; }  // to the outside, of this life
  [[nodiscard]] const Cells& cells() const { return cells_; }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] Machines& machines() { return machines_; }
  // What is under way and due arrives.
  void arrive();
  // Everything still under way arrives; false when nothing was.
  bool arrive_all();
  // One line a call, for --replay.
  std::function<void(const std::string&)> trace{};

 private:
  friend class Wires;
  friend class Shell;
  struct Late {
    base::Instant due;
    std::string peer;
    sandbox::Request request;
    bool accepted = false;  // and not only sent
  };
  base::Result<client::HttpResponse> send(const std::string& peer, const client::HttpRequest& request,
                                          const plugin::Context& context);
  base::Result<client::HttpResponse> play(const std::string& peer, const client::HttpRequest& request,
                                          const plugin::Context& context);
  base::Result<client::Finished> run(const client::Endpoint& at, const client::Command& command,
                                     const plugin::Context& context);
  // Counts the call, plays stops and deaths, says what goes wrong with it, as it can go wrong with this one.
  // An `ending` asks Vast.ai for a machine's end with a key that is good; nothing `bodiless` is kept in memory; an
  // `upload` is a command by which the machine stores something.
  enum class Way { http, ending, bodiless, ssh, upload };
  struct Fate {
    int call;  // its number in this life, from 1
    Wire wire;
    bool stop;  // the operator's stop comes during it
  };
  Fate next(const std::string& what, Way way);
  static Wire translated(Wire drawn, Way way);
  void hit(const char* fault);
  // The operator's stop. What hangs on it asks for the end of everything at once, by calls within this one.
  void interrupt();
  [[noreturn]] void die();
  // Whose wires are in use (I12): those of the life that there is now, of each life its own.
  void spoken(int life);
  void after_effect(int call);
  Wire drawn(int call);
  void weather();
  void spend();
  sandbox::Answer knock(const std::string& peer, const sandbox::Request& request);
  Machines::Fetched fetch(const std::string& method, const std::string& url, const std::string& body, bool effect_late);
  base::Error crept(base::Duration stretch, const plugin::Context& context);
  static client::Finished garbled(client::Finished finished, const client::Command& command);
  base::Error lost(const char* code, const plugin::Context& context, base::Duration longest);
  std::uint64_t roll(std::uint64_t sides) { return random_.next() % sides; }

  const Script& script_;
  sandbox::World& world_;
  Turns& clock_;
  Disk& disk_;
  Witness& witness_;
  Machines machines_;
  // Its own stream, so that what goes wrong does not depend on how much randomness the runner uses.
  struct Stream {
    std::uint64_t state;
    std::uint64_t next();
  } random_;
  Blow blow_{};
  bool calm_ = false;
  bool well_ = false;  // the weather has ended for good
  bool closing_ = false;
  std::optional<base::Instant> closed_;  // when closing began first
  base::Instant born_{};                 // of this life
  std::optional<base::Instant> began_;   // the first life
  bool spent_ = false;                   // what credit there was
  int calls_ = 0;
  int lives_ = 0;
  bool stopping_ = false;  // within interrupt()
  int connection_ = 0;
  std::vector<Late> late_;
  Cells cells_;
  std::vector<std::string> violations_;
};

}  // namespace failover::simulate
