// client::S3 over a Wire. Not for steps: they take an S3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "steps/client/s3_wire.h"

namespace failover::client::s3 {

class HttpS3 final : public S3 {
 public:
  HttpS3(S3Account account, Http& http) : wire_(std::move(account), http) {}

  base::Result<void> check(const std::string& bucket, const std::string& prefix, const plugin::Context&) override;
  base::Result<Object> put(const Upload&, const plugin::Context&) override;
  base::Result<Fetched> get(const std::string& bucket, const std::string& key, const std::string& version,
                            std::int64_t limit, const plugin::Context&) override;
  base::Result<Object> get_file(const std::string& bucket, const std::string& key, const std::string& version,
                                const std::string& file, const plugin::Context&) override;
  base::Result<Object> head(const std::string& bucket, const std::string& key, const plugin::Context&) override;
  base::Result<std::vector<Object>> list(const std::string& bucket, const std::string& prefix,
                                         const plugin::Context&) override;
  base::Result<void> purge(const std::string& bucket, const std::string& prefix, const plugin::Context&) override;
  base::Result<void> take_back(const std::string& bucket, const std::string& key, const std::string& version,
                               const std::string& label, base::WallTime since, const plugin::Context&) override;
  base::Result<void> abort_uploads(const std::string& bucket, const std::string& prefix,
                                   const plugin::Context&) override;
  base::Result<void> remove(const std::string& bucket, const std::string& key, const plugin::Context&) override;
  base::Result<base::Secret> presign(const std::string& method, const std::string& bucket, const std::string& key,
                                     base::Duration valid, std::optional<std::int64_t> bytes,
                                     const std::string& md5_base64, base::Clock& clock) override;

 private:
  struct Leftovers {
    std::vector<Version> versions;
    std::vector<Pending> uploads;
    std::optional<base::Error> doubt{};  // there is more, and whose it is cannot be said: no absence
    bool unsettled = false;              // what was listed was not there when it was looked at: no absence yet
    [[nodiscard]] bool empty() const { return versions.empty() && uploads.empty(); }
  };
  base::Result<Object> put_whole(const Upload&, const Summed&, const plugin::Context&);
  base::Result<Object> put_parts(const Upload&, const Summed&, const plugin::Context&);
  base::Result<std::string> put_part(const Upload&, const std::string& id, int number, std::string bytes,
                                     const plugin::Context&);
  base::Result<void> complete(const Upload&, const std::string& id, const std::string& body, const plugin::Context&);
  base::Result<Object> head_own(const Upload&, const plugin::Context&);
  base::Result<void> abort(const Pending& pending, const std::string& bucket, const plugin::Context&);
  base::Result<HttpResponse> fetch(const Call& call, const std::string& what, const plugin::Context&);
  base::Result<void> remove_version(const std::string& bucket, const Version& version, const plugin::Context&);
  // nullopt: the version is not there.
  base::Result<std::optional<std::string>> label_of(const std::string& bucket, const Version& version,
                                                    const plugin::Context&);
  // Looks, removes what it sees, and looks again until two looks at least 2 s apart see nothing.
  template <class Look>
  base::Result<void> until_gone(const std::string& bucket, const std::string& what, const plugin::Context& context,
                                Look look);
  base::Result<Leftovers> under(const std::string& bucket, const std::string& prefix, Reach reach, bool versions,
                                const plugin::Context&);

  Wire wire_;
};

}  // namespace failover::client::s3
