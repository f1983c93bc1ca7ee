// A door behind a port: cpp-httplib, wrapped in one place.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "tools/sandbox/world/message.h"

namespace failover::sandbox {

using Handler = std::function<Answer(const Request&)>;

class Server {
 public:
  // Listens on 127.0.0.1 when it returns. `spool`: an existing directory for bodies too big for memory.
  static base::Result<std::unique_ptr<Server>> start(int port, Handler handler, std::filesystem::path spool,
                                                     base::Clock& clock);
  virtual ~Server() = default;  // stops it
  [[nodiscard]] virtual int port() const = 0;
  // Ends every connection and thread.
  virtual void stop() = 0;
};

}  // namespace failover::sandbox
