// What a type does not say of a step's inputs. Each takes a value and answers Error{invalid} for one that no run could
// do anything with: `failover validate` asks them of all that is known offline, a run of the rest (plugin::Input).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "steps/client/ssh.h"

namespace failover::client {

// A machine's address: a host, a port of 1 to 65535, a user.
base::Result<void> check_endpoint(const Endpoint& at);
// A path on a machine: absolute, without `..` and NUL.
base::Result<void> check_absolute(const std::string& path);
// The same, or nothing.
base::Result<void> check_absolute_or_empty(const std::string& path);
// At least one such path.
base::Result<void> check_absolute_paths(const std::vector<std::string>& paths);
// A path of either side: not empty, no NUL.
base::Result<void> check_path(const std::string& path);
// The same, or nothing.
base::Result<void> check_path_or_empty(const std::string& path);
// That the path is no pattern, and nothing for a shell to fill in; nor has it blanks at its ends.
base::Result<void> doubt_path(const std::string& path);
base::Result<void> doubt_paths(const std::vector<std::string>& paths);
// That no variable of a shell stands in a value.
base::Result<void> doubt_env(const std::map<std::string, std::string>& env);
// That every `sh` knows the script's words.
base::Result<void> doubt_script(const std::string& script);
// How long the command takes at least: of `sleep 20`; of all others nothing.
base::Duration least_time(const std::vector<std::string>& words);
// A program and its arguments: at least the program, no NUL.
base::Result<void> check_command(const std::vector<std::string>& words);
// That no shell is meant to read the words: an Error for a first word with blanks in it, one that only a shell has, and
// for operators and variables of a shell. Not asked of what goes to a shell by its name.
base::Result<void> doubt_command(const std::vector<std::string>& words);
// An http or https URL with a host.
base::Result<void> check_url(const std::string& url);

// The name of a bucket, and of an object in it (b2-s3-api.md 3).
base::Result<void> check_bucket(const std::string& bucket);
base::Result<void> check_key(const std::string& key);

}  // namespace failover::client
