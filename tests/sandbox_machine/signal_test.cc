// What OpenSSH's client never sends: signal requests, by libssh's own client.
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "tests/sandbox_machine/fixture.h"

using namespace failover;
using namespace failover::sandbox;

namespace {

struct Client {
  explicit Client(const Fixture& f) : session(ssh_new()) {
    const int port = f.machine->port();
    const bool no = false;
    ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    ssh_options_set(session, SSH_OPTIONS_USER, "root");
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no);
    REQUIRE(ssh_connect(session) == SSH_OK);
    ssh_key key = nullptr;
    REQUIRE(ssh_pki_import_privkey_file((f.dir.path() / "key").c_str(), nullptr, nullptr, nullptr, &key) == SSH_OK);
    CHECK(ssh_userauth_publickey(session, nullptr, key) == SSH_AUTH_SUCCESS);
    ssh_key_free(key);
    channel = ssh_channel_new(session);
    REQUIRE(ssh_channel_open_session(channel) == SSH_OK);
    callbacks.userdata = &ended_by;
    callbacks.channel_exit_signal_function = [](ssh_session, ssh_channel, const char* signal, int, const char*,
                                                const char*, void* data) { *static_cast<std::string*>(data) = signal; };
    ssh_callbacks_init(&callbacks);
    ssh_set_channel_callbacks(channel, &callbacks);
  }
  ~Client() {
    ssh_channel_free(channel);
    ssh_disconnect(session);
    ssh_free(session);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The next bytes of the command; empty at its end.
  std::string read() {
    char buffer[256];
    const int count = ssh_channel_read_timeout(channel, buffer, sizeof buffer, 0, 30'000);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }

  ssh_session session;
  ssh_channel channel;
  ssh_channel_callbacks_struct callbacks{};
  std::string ended_by;
};

}  // namespace

TEST_CASE("a signal request reaches the command's whole group, and its end names the signal") {
  Fixture f;
  Client client(f);
  REQUIRE(ssh_channel_request_exec(client.channel, "sleep 600 & echo up; wait") == SSH_OK);
  CHECK(client.read() == "up\n");
  REQUIRE(ssh_channel_request_send_signal(client.channel, "TERM") == SSH_OK);
  CHECK(client.read().empty());  // the stream ends only when the group's every process has let go of it
  CHECK(client.ended_by == "TERM");
  CHECK(ssh_channel_get_exit_status(client.channel) == -1);
}

TEST_CASE("a command may answer a signal, and unknown ones do nothing") {
  Fixture f;
  Client client(f);
  REQUIRE(ssh_channel_request_exec(client.channel,
                                   "trap 'echo caught; exit 5' USR1; echo up; while :; do sleep 0.05; done") == SSH_OK);
  CHECK(client.read() == "up\n");
  REQUIRE(ssh_channel_request_send_signal(client.channel, "NONSENSE") == SSH_OK);
  REQUIRE(ssh_channel_request_send_signal(client.channel, "USR1") == SSH_OK);
  // The group's sleep dies of it; whether bash says so first is its own affair.
  std::string said;
  for (std::string more = client.read(); !more.empty(); more = client.read()) said += more;
  CHECK(said.find("caught\n") != std::string::npos);
  CHECK(ssh_channel_get_exit_status(client.channel) == 5);
}
