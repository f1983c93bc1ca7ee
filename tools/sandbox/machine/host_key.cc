#include "tools/sandbox/machine/host_key.h"

#include <utility>

#include "engine/base/file.h"

namespace failover::sandbox {
namespace {

base::Error failed(const char* doing) {
  return base::Error{base::Fault::internal, "host_key", std::string("libssh failed in ") + doing};
}

base::Result<ssh_key> make_key(const std::filesystem::path& file) {
  ssh_key key = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) return failed("making a host key");
  char* text = nullptr;
  if (ssh_pki_export_privkey_base64(key, nullptr, nullptr, nullptr, &text) == SSH_OK) {
    const auto written = base::write_file(file, text, 0600);
    ssh_string_free_char(text);
    if (written) return key;
  }
  ssh_key_free(key);
  return failed("keeping a host key");
}

base::Result<ssh_key> key_of(const std::filesystem::path& file, bool fresh) {
  ssh_key key = nullptr;
  if (!fresh && ssh_pki_import_privkey_file(file.c_str(), nullptr, nullptr, nullptr, &key) == SSH_OK) return key;
  return make_key(file);
}

}  // namespace

base::Result<Bind> bind_with_key(const std::filesystem::path& file, bool fresh) {
  auto key = key_of(file, fresh);
  if (!key) return std::move(key).error();
  Bind bind(ssh_bind_new());
  if (!bind) {
    ssh_key_free(*key);
    return failed("making a server");
  }
  const bool no = false;  // the host's /etc/ssh/libssh_server_config is not ours
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  if (ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY, *key) != SSH_OK) {
    ssh_key_free(*key);
    return failed("offering a host key");
  }
  return bind;
}

}  // namespace failover::sandbox
