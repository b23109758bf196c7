#include "engine/app/system_routes.hpp"

#include "engine/app/engine.hpp"
#include "engine/app/opened_store.hpp"

namespace paperclip::app {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;

struct Features {
    bool company_deletion_enabled = false;
};
BOOST_DESCRIBE_STRUCT(Features, (), (company_deletion_enabled))

struct ServerInfo {
    Time process_started_at;
};
BOOST_DESCRIBE_STRUCT(ServerInfo, (), (process_started_at))

struct Health {
    std::string status = "ok";
    std::string version{app::version()};
    std::string server_version{app::version()};
    std::string deployment_mode = "local_trusted";
    std::string deployment_exposure = "private";
    bool auth_ready = true;
    std::string bootstrap_status = "ready";
    bool bootstrap_invite_active = false;
    Features features;
    ServerInfo server_info;
};
BOOST_DESCRIBE_STRUCT(Health, (),
                      (status, version, server_version, deployment_mode, deployment_exposure,
                       auth_ready, bootstrap_status, bootstrap_invite_active, features,
                       server_info))

struct Unhealthy {
    std::string status = "unhealthy";
    std::string version{app::version()};
    std::string server_version{app::version()};
    std::string error = "database_unreachable";
};
BOOST_DESCRIBE_STRUCT(Unhealthy, (), (status, version, server_version, error))

struct Profile {
    std::string id;
    std::string email = "local@paperclip.local";
    std::string name = "Board";
    std::optional<std::string> image;
};
BOOST_DESCRIBE_STRUCT(Profile, (), (id, email, name, image))

struct SessionInfo {
    std::string id;
    std::string user_id;
};
BOOST_DESCRIBE_STRUCT(SessionInfo, (), (id, user_id))

struct AuthSession {
    SessionInfo session;
    Profile user;
};
BOOST_DESCRIBE_STRUCT(AuthSession, (), (session, user))

struct Me {
    Profile user;
    std::string user_id;
    bool is_instance_admin = true;
    std::vector<Id> company_ids;
    std::vector<Id> memberships;
    std::string source = "local_implicit";
    std::optional<Id> key_id;
};
BOOST_DESCRIBE_STRUCT(Me, (),
                      (user, user_id, is_instance_admin, company_ids, memberships, source, key_id))

struct AdapterInfo {
    std::string type;
    std::string label;
    std::string source = "builtin";
    std::int64_t models_count = 0;
    bool loaded = true;
    bool disabled = false;
    Json capabilities;
    bool override_paused = false;
    std::string version;
};
BOOST_DESCRIBE_STRUCT(AdapterInfo, (),
                      (type, label, source, models_count, loaded, disabled, capabilities,
                       override_paused, version))

struct BackupRequest {
    std::optional<std::string> file;  ///< absolute; by default a new one in the instance's backups
};
BOOST_DESCRIBE_STRUCT(BackupRequest, (), (file))

struct BackupDone {
    std::string file;
    std::int64_t bytes = 0;
    Time created_at;
};
BOOST_DESCRIBE_STRUCT(BackupDone, (), (file, bytes, created_at))

namespace {

BackupDone make_backup(Services& services, const BackupRequest& request) {
    const Machine& machine = services.machine;
    if (machine.storage == nullptr) throw Error(ErrorKind::unavailable, "No backups are made here");
    const Time now = machine.clock.now();
    const std::filesystem::path file =
        request.file ? std::filesystem::path(*request.file) : new_backup_file(machine.places, now);
    if (!file.is_absolute()) throw Error(ErrorKind::invalid, "file: expected an absolute path");
    if (std::filesystem::exists(file)) {
        throw Error(ErrorKind::conflict, file.string() + " exists; name another file");
    }
    back_up(services.store.backend(), *machine.storage, file);
    return {file.string(), static_cast<std::int64_t>(std::filesystem::file_size(file)), now};
}

void add_health(http::Router& router, Services& services) {
    router.add_plain({Method::get, "/health", Rule::anyone, Subject::none, "Is the engine well?"},
                     [&store = services.store, started = services.machine.clock.now()](Call&) {
                         std::string state;
                         if (store.backend().health(state).outcome != storage::Outcome::ok) {
                             return http::Response::json(to_json(Unhealthy{}), 503);
                         }
                         Health health;
                         health.server_info.process_started_at = started;
                         return http::Response::json(to_json(health));
                     });
}

void add_identity(http::Router& router) {
    router.add<None, None, AuthSession>(
        {Method::get, "/auth/get-session", Rule::board, Subject::none, "The person who calls"},
        [](Call& call) {
            const std::string user = call.actor.user_id;
            return AuthSession{{"paperclip:local_implicit:" + user, user}, {.id = user}};
        });
    router.add<None, None, Profile>(
        {Method::get, "/auth/profile", Rule::board, Subject::none, "The profile of who calls"},
        [](Call& call) { return Profile{.id = call.actor.user_id}; });
    router.add<None, None, Me>(
        {Method::get, "/cli-auth/me", Rule::board, Subject::none, "Who calls, for command lines"},
        [](Call& call) {
            return Me{.user = {.id = call.actor.user_id}, .user_id = call.actor.user_id};
        });
}

void add_adapters(http::Router& router, Services& services) {
    router.add<None, None, std::vector<AdapterInfo>>(
        {Method::get, "/adapters", Rule::board, Subject::none, "The installed adapter types"},
        [&types = services.machine.adapters](Call&) {
            std::vector<AdapterInfo> list;
            for (const auto& [name, type] : types.all()) {
                list.push_back({.type = name,
                                .label = type.label,
                                .capabilities = Json::trusted(type.capabilities),
                                .version = type.library->found().manifest.version});
            }
            return list;
        });
    router.add_plain({Method::get, "/adapters/{type}/config-schema", Rule::board, Subject::none,
                      "The JSON Schema of an adapter type's configuration"},
                     [&types = services.machine.adapters](Call& call) {
                         const auto* type = types.find(call.path_value("type"));
                         if (type == nullptr) {
                             throw Error(ErrorKind::not_found, "Adapter not found");
                         }
                         return http::Response::json(type->schema);
                     });
}

void add_backups(http::Router& router, Services& services) {
    router.add<None, BackupRequest, BackupDone>(
        {Method::post, "/instance/database-backups", Rule::board, Subject::none,
         "Write a verified copy of the store while the engine works", 201, true},
        [&services](Call&, Patch<BackupRequest>& input) {
            return make_backup(services, input.value);
        });
}

}  // namespace

void add_system_routes(http::Router& router, Services& services, const std::string& openapi) {
    add_health(router, services);
    add_identity(router);
    add_adapters(router, services);
    add_backups(router, services);
    router.add_plain(
        {Method::get, "/openapi.json", Rule::anyone, Subject::none, "This API, as OpenAPI 3.1"},
        [&openapi](Call&) { return http::Response::json(openapi); });
}

}  // namespace paperclip::app
