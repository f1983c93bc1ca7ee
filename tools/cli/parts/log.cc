#include "tools/cli/parts/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace failover::cli {

base::Result<void> begin_log(const std::string& level, const std::string& file) {
  try {
    auto logger = file.empty() ? spdlog::stderr_logger_mt("failover") : spdlog::basic_logger_mt("failover", file);
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    return {};
  } catch (const spdlog::spdlog_ex& error) {
    return base::Error{base::Fault::invalid, "log_file", std::string("the log file cannot be written: ") + error.what(),
                       "give --log-file a path that you may write to"};
  }
}

void EventLog::on(const event::Event& event) {
  const auto level = event.type == event::type::exchange ? spdlog::level::debug : spdlog::level::info;
  if (spdlog::should_log(level)) spdlog::log(level, "{}", event::to_line(event));
}

}  // namespace failover::cli
