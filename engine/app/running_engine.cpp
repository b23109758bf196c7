#include "engine/app/running_engine.hpp"

#include "engine/base/described.hpp"
#include "engine/base/error.hpp"
#include "engine/base/files.hpp"
#include "engine/base/json.hpp"

#include <unistd.h>

#include <boost/json.hpp>

namespace paperclip::app {

namespace {

constexpr std::size_t k_max_bytes = 4096;

}  // namespace

void announce_engine(const Places& places, const std::string& url) {
    std::string text;
    JsonWriter w(text);
    w.begin_object().member("url", url).member("pid", std::int64_t{::getpid()}).end_object();
    write_file_durably(places.engine(), text + "\n");
}

void withdraw_engine(const Places& places) noexcept {
    std::error_code ignored;
    std::filesystem::remove(places.engine(), ignored);
}

std::string url_of_engine(const Places& places) {
    try {
        const auto said = parse_json(read_file(places.engine(), k_max_bytes));
        return std::string(std::string_view(said.as_object().at("url").as_string()));
    } catch (const std::exception&) {
        throw Error(ErrorKind::unavailable,
                    places.root.string() + " is in use, but nobody says in " +
                        places.engine().string() +
                        " where to reach the engine: it is starting or stopping, or another "
                        "command is at work; try again");
    }
}

}  // namespace paperclip::app
