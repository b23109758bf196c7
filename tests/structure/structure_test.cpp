#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace paperclip {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path k_root = PAPERCLIP_TEST_SOURCE;

/// What a module of engine/ may include beside itself and base/. The services stand one above the
/// other, and each on these four.
const Names k_machinery{"storage", "http", "journal", "live"};
const std::vector<std::string> k_services{"company",    "access", "agents",      "work",
                                          "governance", "runs",   "declaration", "app"};

const std::map<std::string, Names>& floors() {
    static const std::map<std::string, Names> floors = [] {
        std::map<std::string, Names> below{{"base", {}},
                                           {"storage", {}},
                                           {"http", {}},
                                           {"pluginhost", {"storage"}},
                                           {"journal", {"storage"}},
                                           {"live", {"storage", "journal", "http"}}};
        Names all = k_machinery;
        for (const auto& name : k_services) {
            if (name == "runs") all.insert("pluginhost");
            below[name] = all;
            all.insert(name);
        }
        below["cli"] = all;
        for (auto& [name, modules] : below) {
            if (name != "base") modules.insert("base");
            modules.insert(name);
        }
        return below;
    }();
    return floors;
}

/// The files below `folder` (of the root), as paths from the root; nothing that git leaves out.
std::vector<std::string> files_below(const std::string& folder) {
    std::vector<std::string> files;
    if (!fs::exists(k_root / folder)) return files;
    fs::recursive_directory_iterator entry(k_root / folder);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
        if (entry->path().filename() == ".paperclip") entry.disable_recursion_pending();
        if (entry->is_regular_file()) files.push_back(entry->path().lexically_relative(k_root));
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<std::string> all_files() {
    std::vector<std::string> files;
    for (const char* folder : {"engine", "plugins", "sdk", "companies", "scripts", "tests"}) {
        for (auto& file : files_below(folder)) files.push_back(std::move(file));
    }
    return files;
}

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(k_root / file, std::ios::binary).rdbuf();
    return text.str();
}

bool is_source(const std::string& file) {
    static const Names endings{".cpp", ".hpp", ".c", ".h"};
    return endings.count(fs::path(file).extension()) > 0;
}

/// The second part of "engine/work/issues.cpp".
std::string module_of(const std::string& path) {
    const auto from = path.find('/') + 1;
    return path.substr(from, path.find('/', from) - from);
}

/// What the first group of `pattern` holds, at each of its places in the file.
std::vector<std::string> found_in(const std::string& file, const std::regex& pattern) {
    const std::string text = text_of(file);
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
        found.push_back((*at)[1]);
    }
    return found;
}

std::vector<std::string> includes_of(const std::string& file) {
    static const std::regex include(R"(#include ["<]([^">]+)[">])");
    return found_in(file, include);
}

bool may_speak_http(const std::string& file) {
    static const std::regex allowed(
        R"(engine/((http|live|app|cli)/.*|access/gate\.[ch]pp|\w+/(setup\.hpp|\w+_routes\.cpp)))");
    return std::regex_match(file, allowed);
}

}  // namespace

TEST_CASE("a module includes only what stands below it") {
    for (const auto& file : files_below("engine")) {
        const std::string module = module_of(file);
        if (!is_source(file) || module == "shim") continue;
        INFO(file);
        REQUIRE(floors().count(module) == 1);
        for (const auto& include : includes_of(file)) {
            INFO("includes " << include);
            if (include.starts_with("engine/"))
                CHECK(floors().at(module).count(module_of(include)));
            CHECK_FALSE(include.starts_with("plugins/"));
            CHECK_FALSE(include.starts_with("tests/"));
            CHECK_FALSE(include.starts_with("."));
        }
    }
}

TEST_CASE("a module links only what stands below it") {
    static const std::regex link(R"(paperclip_([a-z]+))");
    for (const auto& [module, below] : floors()) {
        const std::string file = "engine/" + module + "/CMakeLists.txt";
        INFO(file);
        for (const auto& other : found_in(file, link)) {
            INFO("links paperclip_" << other);
            if (floors().count(other)) CHECK(below.count(other));
        }
    }
}

TEST_CASE("the shim is small: it knows its own files and its protocol") {
    for (const auto& file : files_below("engine/shim")) {
        if (!is_source(file)) continue;
        for (const auto& include : includes_of(file)) {
            INFO(file << " includes " << include);
            if (include.starts_with("engine/") && !include.starts_with("engine/shim/"))
                CHECK(include == "engine/pluginhost/shim_protocol.hpp");
            CHECK_FALSE(include.starts_with("boost/"));
            CHECK(include != "thread");
        }
    }
}

TEST_CASE("the SDK and the plugins do not know the engine") {
    for (const char* folder : {"sdk", "plugins"}) {
        for (const auto& file : files_below(folder)) {
            if (!is_source(file)) continue;
            for (const auto& include : includes_of(file)) {
                INFO(file << " includes " << include);
                CHECK_FALSE(include.starts_with("engine/"));
                if (std::string(folder) == "sdk") CHECK_FALSE(include.starts_with("plugins/"));
            }
        }
    }
}

TEST_CASE("only routes, and what puts them together, speak of HTTP") {
    for (const auto& file : files_below("engine")) {
        if (!is_source(file) || may_speak_http(file)) continue;
        for (const auto& include : includes_of(file)) {
            INFO(file << " includes " << include);
            CHECK_FALSE(include.starts_with("engine/http/"));
        }
    }
}

TEST_CASE("every statement is there once and is used") {
    static const std::regex name(R"(-- (?:name|template): (\S+))");
    static const std::regex use(R"xx("([a-z_]+\.[a-z_0-9]+)"_sql)xx");
    std::map<std::string, int> written;
    Names used;
    for (const auto& file : files_below("engine")) {
        if (file.ends_with(".sql")) {
            for (const auto& statement : found_in(file, name)) ++written[statement];
        } else if (is_source(file)) {
            for (auto& statement : found_in(file, use)) used.insert(std::move(statement));
        }
    }
    CHECK(written.size() > 150);
    for (const auto& [statement, times] : written) {
        INFO(statement);
        CHECK(times == 1);
        CHECK(used.count(statement));
    }
    for (const auto& statement : used) {
        INFO(statement);
        CHECK(written.count(statement));
    }
}

TEST_CASE("every source and every SQL file is built") {
    for (const auto& file : files_below("engine")) {
        if (!file.ends_with(".cpp") && !file.ends_with(".sql")) continue;
        const std::string folder = "engine/" + module_of(file) + "/";
        INFO(file);
        CHECK(text_of(folder + "CMakeLists.txt").find(file.substr(folder.size())) !=
              std::string::npos);
    }
}

TEST_CASE("the top of the tree is what it says it is") {
    const Names must{"CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE",
                     "engine",         "plugins",           "scripts",         "sdk",
                     "tests"};
    const Names may{"README.md", "SECURITY.md", "companies"};
    Names found;
    for (const auto& entry : fs::directory_iterator(k_root)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(".") || name == "build" || name.starts_with("build-") ||
            name == "compile_commands.json") {
            continue;
        }
        INFO(name);
        CHECK(must.count(name) + may.count(name) == 1);
        found.insert(name);
    }
    for (const auto& name : must) {
        INFO(name);
        CHECK(found.count(name));
    }
}

TEST_CASE("no file is too long to be read") {
    for (const auto& file : all_files()) {
        if (!is_source(file) && !file.ends_with(".sql") && !file.ends_with(".md")) continue;
        const std::string text = text_of(file);
        INFO(file);
        CHECK(std::count(text.begin(), text.end(), '\n') <= 600);
    }
}

TEST_CASE("names say what is inside") {
    static const std::regex empty_name(R"((util|utils|misc|helper|helpers|common)(\..*)?)");
    for (const auto& file : all_files()) {
        INFO(file);
        for (const auto& part : fs::path(file)) {
            CHECK_FALSE(std::regex_match(part.string(), empty_name));
        }
    }
}

TEST_CASE("nothing is left for later, and no check is switched off") {
    // Not written out here, or this file would be found.
    const std::vector<std::string> words{std::string("TO") + "DO", std::string("FIX") + "ME",
                                         std::string("NO") + "LINT"};
    for (const auto& file : all_files()) {
        if (!is_source(file) && !file.ends_with(".sql") && !file.ends_with(".txt")) continue;
        const std::string text = text_of(file);
        for (const auto& word : words) {
            INFO(file << ": " << word);
            CHECK(text.find(word) == std::string::npos);
        }
    }
}

}  // namespace paperclip
