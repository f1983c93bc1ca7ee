#include "steps/ssh/ssh.h"

#include "steps/ssh/parts.h"

namespace failover::steps {

std::vector<plugin::StepType> ssh_steps(client::Services& services) {
  return {ssh::exec(services), ssh::upload(services), ssh::download(services), ssh::wait_until_ready(services)};
}

}  // namespace failover::steps
