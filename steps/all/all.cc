#include "steps/all/all.h"

#include "steps/b2/b2.h"
#include "steps/checksum/checksum.h"
#include "steps/files/files.h"
#include "steps/http/http.h"
#include "steps/local/local.h"
#include "steps/snapshot/snapshot.h"
#include "steps/ssh/ssh.h"
#include "steps/vast/vast.h"

namespace failover::steps {
namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

plugin::Registry all(client::Services& services) {
  plugin::Registry registry;
  for (const auto family :
       {vast_steps, ssh_steps, files_steps, checksum_steps, snapshot_steps, b2_steps, http_steps, local_steps}) {
    append(registry.steps, family(services));
  }
  for (const auto family : {vast_kinds, snapshot_kinds, b2_kinds}) append(registry.kinds, family(services));
  registry.keys = {"VAST_API_KEY", "B2_APPLICATION_KEY", "FAILOVER_LABEL_KEY"};
  return registry;
}

}  // namespace failover::steps
